-- +goose Up

-- Complaints: their events lie with those of the requests, in the same chain; this is a projection of them (pulih rebuild).
CREATE TABLE complaints (
    number      text PRIMARY KEY,
    agency      text NOT NULL,
    version     int NOT NULL,
    status      text NOT NULL,
    channel     text NOT NULL,
    class       text NOT NULL,               -- '' where the SOP has none
    class_set   boolean NOT NULL,            -- by a person; else it is what the rules propose
    holder      text NOT NULL,
    holder_id   text NOT NULL,               -- '': all who hold the role
    since       timestamptz NOT NULL,
    request     text NOT NULL,               -- the request that it is about, or ''
    about       bytea NOT NULL,              -- sealed: who complains, and the first words
    sender      bytea,                       -- HMAC of their address: look-up without it
    received_at timestamptz NOT NULL,
    closed_at   timestamptz,
    due_at      timestamptz,
    remind_at   timestamptz,
    calendar    text NOT NULL
);
CREATE INDEX complaints_queue ON complaints (agency, due_at) WHERE closed_at IS NULL;
CREATE INDEX complaints_remind ON complaints (agency, remind_at) WHERE remind_at IS NOT NULL;
CREATE INDEX complaints_received ON complaints (agency, received_at);
CREATE INDEX complaints_sender ON complaints (agency, sender, received_at) WHERE sender IS NOT NULL;
CREATE INDEX complaints_request ON complaints (request) WHERE request <> '';
CREATE TABLE complaint_keys (                -- the same letter by the other channel, or read again, is the same complaint
    agency text NOT NULL,
    key    bytea NOT NULL,
    number text NOT NULL,
    PRIMARY KEY (agency, key)
);
CREATE TABLE complaint_letters (
    number    text NOT NULL,
    letter_id bigint NOT NULL REFERENCES letters,
    PRIMARY KEY (number, letter_id)
);
CREATE INDEX complaint_letters_letter ON complaint_letters (letter_id);

-- What is written into Srikandi tells of people: sealed from now on. Rows from before keep their note.
ALTER TABLE follow_ups ALTER COLUMN note SET DEFAULT '', ADD COLUMN sealed bytea;

-- +goose Down
ALTER TABLE follow_ups DROP COLUMN sealed;
DROP TABLE complaint_letters, complaint_keys, complaints;
