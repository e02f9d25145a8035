-- +goose Up

-- Srikandi. Settled: the letter had rested when it was read (srikandi.Naskah.Settled); only such a one is known by its updated_at.
ALTER TABLE letters ADD COLUMN settled boolean NOT NULL DEFAULT false;
CREATE INDEX letters_unread ON letters (agency, seen_at) WHERE state = 'stored';

CREATE TABLE owed_letters (                  -- letters of Srikandi that are there and could not be had
    agency      text NOT NULL,
    srikandi_id text NOT NULL,
    raw         bytea NOT NULL,              -- sealed: the JSON that could not be read
    reason      text NOT NULL,               -- without content
    tries       int NOT NULL DEFAULT 0,
    since       timestamptz NOT NULL,
    next_at     timestamptz NOT NULL,
    told        boolean NOT NULL DEFAULT false, -- a human knows
    PRIMARY KEY (agency, srikandi_id)
);

ALTER TABLE gateways
    ADD COLUMN changed_at     timestamptz,   -- when something new was read last: polls follow faster for a while
    ADD COLUMN refused_at     timestamptz,   -- since when the sign-in is refused: a restart must not be a login loop
    ADD COLUMN retry_at       timestamptz,   -- an operator has looked (pulih sources retry)
    ADD COLUMN no_register_at timestamptz,   -- when the gateway said last that letters can't be registered (501)
    -- What came during an outage is a backlog: its mails are held and told in one summary a person.
    ADD COLUMN outage_from     timestamptz,
    ADD COLUMN outage_until    timestamptz,  -- NULL: no backlog
    ADD COLUMN backlog_letters int NOT NULL DEFAULT 0,
    ADD COLUMN caught_up_at    timestamptz;  -- when a poll came to its end again

CREATE TABLE held_mails (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agency    text NOT NULL,
    once      text NOT NULL UNIQUE,          -- as in outbox
    number    text NOT NULL DEFAULT '',
    letter_id bigint REFERENCES letters,
    template  text NOT NULL,
    kind      text NOT NULL,
    person    text NOT NULL,
    name      text NOT NULL,
    address   text NOT NULL
);

-- A file of at most one chunk lies in files; a larger one in chunks, so that neither a download nor a crash holds it whole in memory.
-- Promise is what the letter said of the file (size, checksum): the same attachment with another promise is another file.
ALTER TABLE files
    ALTER COLUMN content DROP NOT NULL,
    ADD COLUMN upload  bigint,
    ADD COLUMN promise text NOT NULL DEFAULT '';
CREATE SEQUENCE uploads;
CREATE TABLE file_chunks (
    upload  bigint NOT NULL,
    n       int NOT NULL,
    content bytea NOT NULL,                  -- sealed
    kept_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (upload, n)
);

-- Letters that may be a request that is there already: a human says which. Until then the letter waits.
CREATE TABLE doubts (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agency     text NOT NULL,
    letter_id  bigint NOT NULL REFERENCES letters,
    who        bytea NOT NULL,               -- HMAC of the applicant in that letter
    number     text NOT NULL,                -- the request that it may belong to
    why        text NOT NULL,
    asked_at   timestamptz NOT NULL,
    verdict    text CHECK (verdict IN ('join', 'apart')),
    settled_by text,
    settled_at timestamptz,
    UNIQUE (letter_id, who, number)
);
CREATE INDEX doubts_open ON doubts (agency) WHERE verdict IS NULL;

-- +goose Down
DROP TABLE doubts, file_chunks, held_mails, owed_letters;
DROP SEQUENCE uploads;
ALTER TABLE files DROP COLUMN upload, DROP COLUMN promise;
ALTER TABLE gateways DROP COLUMN changed_at, DROP COLUMN refused_at, DROP COLUMN retry_at, DROP COLUMN no_register_at, DROP COLUMN outage_from,
    DROP COLUMN outage_until, DROP COLUMN backlog_letters, DROP COLUMN caught_up_at;
ALTER TABLE letters DROP COLUMN settled;
