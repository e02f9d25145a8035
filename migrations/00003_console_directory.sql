-- +goose Up

-- Changes of the directory of offices and officials that people made at the desk, over the one in the configuration. Nothing is ever
-- rewritten: what was true when is the list up to then.
CREATE TABLE directory_changes (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agency     text NOT NULL,
    office_id  text NOT NULL,
    body       bytea NOT NULL,               -- sealed: names, numbers and addresses, before and after
    person     text NOT NULL,                -- who made it
    at         timestamptz NOT NULL,
    second     boolean NOT NULL,             -- where mails or links go changes: a second person must agree
    settled_by text,
    settled_at timestamptz,
    accepted   boolean                       -- NULL: waits for the second person
);
CREATE INDEX directory_changes_agency ON directory_changes (agency, id);

-- +goose Down
DROP TABLE directory_changes;
