-- +goose Up

-- The texts of SOPs that were ever in force: a request goes by the one under which it came.
CREATE TABLE procedures (
    agency  text NOT NULL,
    version text NOT NULL,                   -- sop.SOP.Version
    file    bytea NOT NULL,
    since   timestamptz NOT NULL,            -- when it was first seen
    PRIMARY KEY (agency, version)
);
-- The id of an SOP says nothing of its norms: from now on measures name the version. Older ones are held against the SOP in force.
UPDATE measures SET sop = '';
-- The monthly pack counts approvals that led to no call beside the calls.
DROP INDEX events_resets;
CREATE INDEX events_resets ON events (agency, at)
    WHERE kind IN ('ResetAccepted', 'ResetRefused', 'ResetNotSent', 'ResetUncertain', 'ResetConfirmed', 'ApprovalVoided');

-- +goose Down
DROP INDEX events_resets;
CREATE INDEX events_resets ON events (agency, at) WHERE kind IN ('ResetAccepted', 'ResetRefused', 'ResetNotSent', 'ResetUncertain', 'ResetConfirmed');
UPDATE measures m SET sop = r.sop FROM requests r WHERE r.number = m.number;
DROP TABLE procedures;
