-- +goose Up

-- The desk: who is signed in, by what, and what they did there.
CREATE TABLE visits (                        -- sessions of people at the desk
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token    bytea NOT NULL UNIQUE,          -- SHA-256 of the cookie: who reads the table can't take a session over
    agency   text NOT NULL,
    person   text NOT NULL,
    strong   boolean NOT NULL,               -- begun or confirmed with a passkey
    vouched  boolean NOT NULL,               -- begun by an invitation: may enrol a passkey without a second person
    browser  text NOT NULL,
    begun_at timestamptz NOT NULL,
    used_at  timestamptz NOT NULL,
    ends_at  timestamptz NOT NULL,           -- whatever happens
    ceremony bytea                           -- sealed: what a passkey is being asked; used once
);
CREATE INDEX visits_person ON visits (agency, person);

CREATE TABLE sign_ins (                      -- links that begin a visit, once
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agency     text NOT NULL,
    person     text NOT NULL,
    token      bytea NOT NULL UNIQUE,        -- SHA-256 of the secret in the link
    secret     bytea,                        -- sealed, for the mail; gone once the link was used
    browser    bytea,                        -- SHA-256 of the asking browser's cookie; NULL: any browser (pulih invite)
    created_at timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL,
    used_at    timestamptz
);

CREATE TABLE passkeys (
    id           bytea PRIMARY KEY,          -- the credential's id
    agency       text NOT NULL,
    person       text NOT NULL,
    name         text NOT NULL,
    credential   bytea NOT NULL,             -- sealed
    created_at   timestamptz NOT NULL,
    used_at      timestamptz,
    consented_by text,                       -- another verifier, the operator, or the invitation; NULL: waits
    consented_at timestamptz
);
CREATE INDEX passkeys_person ON passkeys (agency, person);

CREATE TABLE audit (                         -- what people did at the desk that no request's events tell
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agency text NOT NULL,
    at     timestamptz NOT NULL,
    person text NOT NULL,
    action text NOT NULL,
    target text NOT NULL,                    -- a request's number, a letter's id, an office: no personal data
    detail bytea                             -- sealed
);
CREATE INDEX audit_agency ON audit (agency, id);
CREATE INDEX audit_target ON audit (agency, target, id);

-- +goose Down
DROP TABLE audit, passkeys, sign_ins, visits;
