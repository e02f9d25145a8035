-- +goose Up

-- A reset that can't be made now is tried again later, and says why it waits.
ALTER TABLE resets ADD COLUMN tries int NOT NULL DEFAULT 0;
ALTER TABLE resets ADD COLUMN next_at timestamptz NOT NULL DEFAULT '-infinity';
ALTER TABLE resets ADD COLUMN why text NOT NULL DEFAULT '';

-- The way to the portal that all resets of an agency share: one call at a time, a gap between two, and a stop after several calls in a row
-- that nobody knows the outcome of.
ALTER TABLE switches ADD COLUMN called_at timestamptz;
ALTER TABLE switches ADD COLUMN uncertain int NOT NULL DEFAULT 0;

-- How many resets were made today is asked at each approval and each call.
CREATE INDEX events_calls ON events (agency, at) WHERE kind IN ('ResetBooked', 'ResetConfirmed');

-- +goose Down
DROP INDEX events_calls;
ALTER TABLE switches DROP COLUMN uncertain, DROP COLUMN called_at;
ALTER TABLE resets DROP COLUMN why, DROP COLUMN next_at, DROP COLUMN tries;
