-- Times are microseconds since 1970, UTC; 0 stands for none or never.

-- +goose Up
-- What users prove who they are by, beside their password.
CREATE TABLE credential (
    id             TEXT COLLATE "C" NOT NULL,
    application_id TEXT COLLATE "C" NOT NULL,
    user_id        TEXT COLLATE "C" NOT NULL,
    kind           TEXT COLLATE "C" NOT NULL,
    label          TEXT COLLATE "C" NOT NULL,
    key            BYTEA NOT NULL, -- a passkey's id; empty for others
    data           BYTEA NOT NULL, -- a passkey's public record; a TOTP's secret, sealed
    counter        BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    used_at        BIGINT NOT NULL,
    PRIMARY KEY (application_id, user_id, id)
);
CREATE UNIQUE INDEX credential_id ON credential (application_id, id);
CREATE UNIQUE INDEX credential_key ON credential (application_id, key) WHERE length(key) > 0;

CREATE TABLE recovery_code (
    application_id TEXT COLLATE "C" NOT NULL,
    user_id        TEXT COLLATE "C" NOT NULL,
    digest         BYTEA NOT NULL,
    digest_key     INTEGER NOT NULL,
    PRIMARY KEY (application_id, user_id, digest)
);

-- Links that are good once. digest is the SHA-256 of the token in the link.
CREATE TABLE link (
    digest         BYTEA NOT NULL PRIMARY KEY,
    application_id TEXT COLLATE "C" NOT NULL,
    purpose        TEXT COLLATE "C" NOT NULL,
    user_id        TEXT COLLATE "C" NOT NULL, -- '': whom it will be made for
    user_era       BIGINT NOT NULL,
    email          TEXT COLLATE "C" NOT NULL,
    request        TEXT COLLATE "C" NOT NULL,
    expires_at     BIGINT NOT NULL
);
CREATE INDEX link_expiry ON link (expires_at);
