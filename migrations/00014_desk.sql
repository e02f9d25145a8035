-- +goose Up

-- The queue by time left is read in this order, a page at a time, and counted without its rows.
DROP INDEX requests_queue;
CREATE INDEX requests_queue ON requests (agency, due_at, opened_at, number) INCLUDE (holder, holder_ids) WHERE closed_at IS NULL;
CREATE INDEX requests_sessions ON requests (agency) WHERE status = 'waiting-session';

-- What the desk's search looks through: of identity numbers nothing, they are looked up by their key.
ALTER TABLE requests ADD COLUMN words text GENERATED ALWAYS AS
    (lower(number || E'\n' || applicant || E'\n' || office || E'\n' || office_id || E'\n' || letter_number)) STORED;
CREATE INDEX requests_newest ON requests (agency, (closed_at IS NOT NULL), opened_at DESC, number);
-- +goose StatementBegin
DO $$ BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX requests_words ON requests USING gin (words gin_trgm_ops);
EXCEPTION WHEN undefined_file OR feature_not_supported OR insufficient_privilege THEN
    RAISE NOTICE 'pg_trgm is not to be had here: a search reads every row';
END $$;
-- +goose StatementEnd

-- +goose Down
DROP INDEX IF EXISTS requests_words;
DROP INDEX requests_newest;
ALTER TABLE requests DROP COLUMN words;
DROP INDEX requests_sessions;
DROP INDEX requests_queue;
CREATE INDEX requests_queue ON requests (agency, due_at) WHERE closed_at IS NULL;
