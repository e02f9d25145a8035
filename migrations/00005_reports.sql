-- +goose Up

-- What reports count: one narrow row a request, so that a year of 100,000 is read in a moment. A projection of the events, as requests is.
CREATE TABLE measures (
    number    text PRIMARY KEY,
    agency    text NOT NULL,
    office_id text NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    rejected  boolean NOT NULL,
    decided   text NOT NULL,                 -- the verifier who approved or rejected, or ''
    sop       text NOT NULL,
    used      int[] NOT NULL                 -- seconds: the whole, then each step in the SOP's order; -1 where it hasn't ended
);
CREATE INDEX measures_opened ON measures (agency, opened_at);
CREATE INDEX measures_closed ON measures (agency, closed_at) WHERE closed_at IS NOT NULL;
-- Requests whose deadline was made with another calendar.
CREATE INDEX requests_calendar ON requests (agency, calendar) WHERE closed_at IS NULL;
CREATE INDEX requests_ended ON requests (agency, closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX requests_oldest ON requests (agency, opened_at) WHERE closed_at IS NULL;
CREATE INDEX events_resets ON events (agency, at) WHERE kind IN ('ResetAccepted', 'ResetRefused', 'ResetNotSent', 'ResetUncertain', 'ResetConfirmed');

-- When a partner could not be reached: clocks are shown with these spans and without.
CREATE TABLE outages (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agency   text NOT NULL,
    system   text NOT NULL CHECK (system IN ('srikandi', 'bsre', 'inbox', 'outbox')),
    began_at timestamptz NOT NULL,
    ended_at timestamptz,                    -- NULL: lasts
    problem  text NOT NULL
);
CREATE UNIQUE INDEX outages_lasting ON outages (agency, system) WHERE ended_at IS NULL;
CREATE INDEX outages_span ON outages (agency, began_at);
-- Srikandi and the mailboxes say themselves since when they fail: whatever code writes it, the span is kept.
-- +goose StatementBegin
CREATE FUNCTION keep_outage() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_agency text := CASE TG_TABLE_NAME WHEN 'gateways' THEN to_jsonb(NEW) ->> 'agency' ELSE split_part(to_jsonb(NEW) ->> 'mailbox', '/', 1) END;
    of_system text := CASE TG_TABLE_NAME WHEN 'gateways' THEN 'srikandi' ELSE 'inbox' END;
BEGIN
    IF NEW.failing_since IS NOT NULL THEN
        INSERT INTO outages (agency, system, began_at, problem) VALUES (of_agency, of_system, NEW.failing_since, coalesce(NEW.problem, ''))
            ON CONFLICT (agency, system) WHERE ended_at IS NULL DO NOTHING;
    ELSE
        UPDATE outages SET ended_at = greatest(began_at, coalesce(NEW.last_success, began_at))
            WHERE agency = of_agency AND system = of_system AND ended_at IS NULL;
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER keep_outage AFTER INSERT OR UPDATE OF failing_since ON gateways FOR EACH ROW EXECUTE FUNCTION keep_outage();
CREATE TRIGGER keep_outage AFTER INSERT OR UPDATE OF failing_since ON mailboxes FOR EACH ROW EXECUTE FUNCTION keep_outage();

-- +goose Down
DROP TRIGGER keep_outage ON mailboxes;
DROP TRIGGER keep_outage ON gateways;
DROP FUNCTION keep_outage;
DROP TABLE outages, measures;
DROP INDEX requests_calendar, requests_ended, requests_oldest, events_resets;
