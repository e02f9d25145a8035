-- +goose Up

-- The archive. Raw bytes are sealed (AES-GCM, see internal/store/keys.go) and committed before anything reads them.
CREATE TABLE letters (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agency       text NOT NULL,
    channel      text NOT NULL CHECK (channel IN ('mail', 'srikandi')),
    source       text NOT NULL,              -- srikandi: the letter's id there; mail: SHA-256 of the raw message
    version      int NOT NULL DEFAULT 1,     -- grows with each change that the source shows
    sha256       bytea NOT NULL,             -- of the raw bytes
    size         bigint NOT NULL,
    raw          bytea NOT NULL,             -- sealed: RFC 5322 message, or Srikandi's JSON
    received_at  timestamptz NOT NULL,       -- as the source says
    seen_at      timestamptz NOT NULL,
    changed_at   timestamptz,                -- srikandi: updated_at
    message_id   text,
    duplicate_of bigint REFERENCES letters,  -- same Message-ID with another content
    headers_only boolean NOT NULL DEFAULT false,
    state        text NOT NULL DEFAULT 'stored' CHECK (state IN ('stored', 'read', 'quarantined')),
    kind         text,
    reading      bytea,                      -- sealed letter.Reading
    read_version int,
    attempts     int NOT NULL DEFAULT 0,
    problem      text,                       -- why it is in quarantine, in words for the operator
    gone_at      timestamptz,                -- cancelled or removed in Srikandi
    asked_at     timestamptz,                -- when Srikandi was asked for this letter by itself
    UNIQUE (agency, channel, source)
);
CREATE INDEX letters_message_id ON letters (agency, message_id) WHERE message_id IS NOT NULL;
CREATE INDEX letters_attention ON letters (agency, kind) WHERE state = 'quarantined' OR kind IN ('unclear', 'other-certificate-service');

CREATE TABLE letter_versions (
    letter_id bigint NOT NULL REFERENCES letters,
    version   int NOT NULL,
    raw       bytea NOT NULL,
    seen_at   timestamptz NOT NULL,
    PRIMARY KEY (letter_id, version)
);

CREATE TABLE files (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    letter_id bigint NOT NULL REFERENCES letters,
    source    text NOT NULL,                 -- the attachment's id in Srikandi
    name      text NOT NULL,
    mime      text NOT NULL,
    size      bigint NOT NULL,
    sha256    bytea NOT NULL,
    content   bytea NOT NULL,                -- sealed
    UNIQUE (letter_id, source, sha256)
);

-- Where a mail was seen: the cursor's (UIDVALIDITY, UID), RFC 3501 section 2.3.1.1.
CREATE TABLE mailboxes (
    mailbox       text PRIMARY KEY,          -- agency/folder
    uid_validity  bigint NOT NULL,
    uid           bigint NOT NULL,           -- the last one committed
    read_at       timestamptz,               -- when nothing lay beyond it
    last_success  timestamptz,
    failing_since timestamptz,
    problem       text
);
CREATE TABLE sightings (
    mailbox      text NOT NULL,
    uid_validity bigint NOT NULL,
    uid          bigint NOT NULL,
    letter_id    bigint NOT NULL REFERENCES letters,
    seen_at      timestamptz NOT NULL,
    PRIMARY KEY (mailbox, uid_validity, uid)
);
CREATE TABLE mailbox_events (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mailbox text NOT NULL,
    at      timestamptz NOT NULL,
    what    text NOT NULL,
    detail  text NOT NULL
);

CREATE TABLE gateways (
    agency        text PRIMARY KEY,
    cursor        jsonb NOT NULL DEFAULT '{}',
    last_success  timestamptz,
    failing_since timestamptz,
    problem       text
);

-- Requests: events are the truth, the table requests is a projection of them (pulih rebuild).
CREATE TABLE numbers (
    agency text NOT NULL,
    series text NOT NULL,                    -- "2026" for requests, "P-2026" for complaints
    last   bigint NOT NULL,
    PRIMARY KEY (agency, series)
);
CREATE TABLE chains (
    agency text PRIMARY KEY,
    last   bigint NOT NULL,
    hash   bytea NOT NULL
);
CREATE TABLE events (
    number   text NOT NULL,
    version  int NOT NULL,
    agency   text NOT NULL,
    chain    bigint NOT NULL,                -- place in the agency's chain of hashes
    kind     text NOT NULL,
    at       timestamptz NOT NULL,
    seen     timestamptz NOT NULL,
    body     bytea NOT NULL,                 -- sealed
    previous bytea NOT NULL,
    hash     bytea NOT NULL,
    PRIMARY KEY (number, version),
    UNIQUE (agency, chain)
);
CREATE TABLE requests (
    number         text PRIMARY KEY,
    agency         text NOT NULL,
    version        int NOT NULL,
    status         text NOT NULL,
    sop            text NOT NULL,
    step           text NOT NULL,            -- the step at work, '' when none is
    holder         text NOT NULL,
    holder_ids     text[] NOT NULL,
    since          timestamptz NOT NULL,
    applicant      text NOT NULL,
    applicant_fold text NOT NULL,            -- as names are compared
    nip_key        bytea,                    -- HMAC: look-up without the number
    office_id      text NOT NULL,
    office         text NOT NULL,
    letter_number  text NOT NULL,
    number_fold    text NOT NULL,            -- as letter numbers are compared
    letter_subject text NOT NULL,
    channels       text[] NOT NULL,
    dangers        int NOT NULL,
    warnings       int NOT NULL,
    opened_at      timestamptz NOT NULL,
    closed_at      timestamptz,
    reset_at       timestamptz,
    due_at         timestamptz,
    remind_at      timestamptz,
    calendar       text NOT NULL             -- version of the calendar that made due_at and remind_at
);
CREATE INDEX requests_queue ON requests (agency, due_at) WHERE closed_at IS NULL;
CREATE INDEX requests_remind ON requests (agency, remind_at) WHERE remind_at IS NOT NULL;
CREATE INDEX requests_opened ON requests (agency, opened_at);
CREATE INDEX requests_nip ON requests (agency, nip_key);
CREATE INDEX requests_applicant ON requests (agency, applicant_fold);
CREATE INDEX requests_number_fold ON requests (agency, number_fold);
CREATE TABLE request_keys (                  -- one letter and applicant, one request (invariant 2)
    agency text NOT NULL,
    key    bytea NOT NULL,
    number text NOT NULL,
    PRIMARY KEY (agency, key)
);
CREATE INDEX request_keys_number ON request_keys (number);
CREATE TABLE request_letters (
    number    text NOT NULL,
    letter_id bigint NOT NULL REFERENCES letters,
    PRIMARY KEY (number, letter_id)
);
CREATE INDEX request_letters_letter ON request_letters (letter_id);

-- Effects: each is a row here and a job, written in its event's transaction.
CREATE TABLE outbox (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agency     text NOT NULL,
    once       text NOT NULL UNIQUE,         -- event and recipient: no mail twice (invariant 5)
    number     text,
    version    int,                          -- the event that called for it
    letter_id  bigint REFERENCES letters,
    template   text NOT NULL,
    kind       text NOT NULL,                -- staff, office, applicant, operator
    person     text NOT NULL DEFAULT '',
    name       text NOT NULL,
    address    text NOT NULL,
    items      jsonb NOT NULL DEFAULT '[]',  -- bundled reminders: numbers, steps and marks; digests: kind and period
    message_id text UNIQUE,                 -- signed, made at the first attempt from the id
    content    bytea,                        -- sealed: what was rendered at the first attempt
    state      text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sending', 'sent', 'uncertain', 'failed', 'cancelled')),
    attempts   int NOT NULL DEFAULT 0,
    reply      text,                         -- the server's last words
    created_at timestamptz NOT NULL,
    sent_at    timestamptz,
    uncertain_at timestamptz,                -- on the wall's clock
    resent     boolean NOT NULL DEFAULT false, -- an uncertain one was sent once more
    bounced_at timestamptz
);
CREATE INDEX outbox_request ON outbox (number);
CREATE INDEX outbox_told ON outbox (agency, template, address, created_at);
CREATE INDEX outbox_attention ON outbox (agency) WHERE state IN ('uncertain', 'failed');
CREATE TABLE follow_ups (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agency      text NOT NULL,
    number      text NOT NULL,
    version     int NOT NULL,
    srikandi_id text NOT NULL,
    disposition text,
    status      text NOT NULL,
    note        text NOT NULL,
    key         text NOT NULL UNIQUE,        -- Idempotency-Key
    state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'dropped')),
    reply       text,
    created_at  timestamptz NOT NULL,
    done_at     timestamptz
);
CREATE INDEX follow_ups_order ON follow_ups (srikandi_id, id) WHERE state = 'waiting';
CREATE TABLE resets (
    number   text NOT NULL,
    approval int NOT NULL,
    agency   text NOT NULL,
    due_at   timestamptz NOT NULL,
    state    text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done')),
    PRIMARY KEY (number, approval)
);
CREATE INDEX resets_waiting ON resets (agency, due_at) WHERE state = 'waiting';
CREATE TABLE watches (
    number   text PRIMARY KEY,
    agency   text NOT NULL,
    next_at  timestamptz NOT NULL,
    tries    int NOT NULL DEFAULT 0,
    baseline bytea                           -- sealed: the certificate as it was before the reset
);
CREATE INDEX watches_next ON watches (next_at);
CREATE TABLE registrations (                 -- letters that came by mail, written into Srikandi
    letter_id   bigint PRIMARY KEY REFERENCES letters,
    agency      text NOT NULL,
    state       text NOT NULL CHECK (state IN ('waiting', 'done', 'not-offered')),
    srikandi_id text
);
CREATE INDEX registrations_srikandi ON registrations (agency, srikandi_id);
CREATE TABLE ams_sessions (
    agency     text NOT NULL,
    verifier   text NOT NULL,
    tokens     bytea NOT NULL,               -- sealed
    expires_at timestamptz NOT NULL,
    used_at    timestamptz NOT NULL,
    PRIMARY KEY (agency, verifier)
);
CREATE TABLE switches (
    agency text PRIMARY KEY,
    resets_stopped_at timestamptz,
    stopped_by text
);
CREATE TABLE schedule_runs (                 -- what a schedule did last: made up for once after an outage
    agency text NOT NULL,
    name   text NOT NULL,
    last   timestamptz NOT NULL,
    PRIMARY KEY (agency, name)
);
CREATE TABLE dead_addresses (
    agency     text NOT NULL,
    address    text NOT NULL,
    bounced_at timestamptz NOT NULL,
    why        text NOT NULL,
    PRIMARY KEY (agency, address)
);
CREATE TABLE rejections (                    -- what was refused at the door, for the operator: bad rows, forged tokens
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agency  text NOT NULL,
    at      timestamptz NOT NULL,
    what    text NOT NULL,
    source  text NOT NULL,
    raw     bytea                            -- sealed
);
CREATE UNIQUE INDEX rejections_source ON rejections (agency, source);

-- +goose Down
DROP TABLE rejections, dead_addresses, schedule_runs, switches, ams_sessions, registrations, watches, resets, follow_ups, outbox,
    request_letters, request_keys, requests, events, chains, numbers, gateways, mailbox_events, sightings, mailboxes, files,
    letter_versions, letters;
