-- Times are microseconds since 1970, UTC; 0 stands for none or never.

-- +goose Up
-- What users prove who they are by, beside their password.
CREATE TABLE credential (
    id             TEXT    NOT NULL,
    application_id TEXT    NOT NULL,
    user_id        TEXT    NOT NULL,
    kind           TEXT    NOT NULL,
    label          TEXT    NOT NULL,
    key            BLOB    NOT NULL, -- a passkey's id; empty for others
    data           BLOB    NOT NULL, -- a passkey's public record; a TOTP's secret, sealed
    counter        INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    used_at        INTEGER NOT NULL,
    PRIMARY KEY (application_id, user_id, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX credential_id ON credential (application_id, id);
CREATE UNIQUE INDEX credential_key ON credential (application_id, key) WHERE length(key) > 0;

CREATE TABLE recovery_code (
    application_id TEXT    NOT NULL,
    user_id        TEXT    NOT NULL,
    digest         BLOB    NOT NULL,
    digest_key     INTEGER NOT NULL,
    PRIMARY KEY (application_id, user_id, digest)
) WITHOUT ROWID;

-- Links that are good once. digest is the SHA-256 of the token in the link.
CREATE TABLE link (
    digest         BLOB    NOT NULL PRIMARY KEY,
    application_id TEXT    NOT NULL,
    purpose        TEXT    NOT NULL,
    user_id        TEXT    NOT NULL, -- '': whom it will be made for
    user_era       INTEGER NOT NULL,
    email          TEXT    NOT NULL,
    request        TEXT    NOT NULL,
    expires_at     INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX link_expiry ON link (expires_at);
