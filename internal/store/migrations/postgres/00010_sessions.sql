-- Times are microseconds since 1970, UTC; 0 stands for none or never.

-- +goose Up
-- Users' sessions. id is the SHA-256 of the cookie's value.
CREATE TABLE signed_in (
    id             BYTEA NOT NULL PRIMARY KEY,
    sid            TEXT COLLATE "C" NOT NULL UNIQUE,
    application_id TEXT COLLATE "C" NOT NULL,
    user_id        TEXT COLLATE "C" NOT NULL,
    user_era       BIGINT NOT NULL,
    auth_time      BIGINT NOT NULL,
    amr            TEXT COLLATE "C" NOT NULL, -- with a space between each
    acr            TEXT COLLATE "C" NOT NULL,
    created_at     BIGINT NOT NULL,
    seen_at        BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    address        TEXT COLLATE "C" NOT NULL,
    user_agent     TEXT COLLATE "C" NOT NULL
);
CREATE INDEX signed_in_user ON signed_in (application_id, user_id);
CREATE INDEX signed_in_expiry ON signed_in (expires_at);

-- Clients that took part in a session. Application and user are those of the
-- session, so that notices can be made when its row is gone.
CREATE TABLE signed_in_client (
    sid            TEXT COLLATE "C" NOT NULL,
    client_id      TEXT COLLATE "C" NOT NULL,
    application_id TEXT COLLATE "C" NOT NULL,
    user_id        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (sid, client_id)
);

-- Sessions that ended, for each client that is still to hear of it.
CREATE TABLE logout_notice (
    sid            TEXT COLLATE "C" NOT NULL,
    client_id      TEXT COLLATE "C" NOT NULL,
    application_id TEXT COLLATE "C" NOT NULL,
    user_id        TEXT COLLATE "C" NOT NULL,
    ended_at       BIGINT NOT NULL,
    attempts       INTEGER NOT NULL,
    due_at         BIGINT NOT NULL,
    PRIMARY KEY (sid, client_id)
);
CREATE INDEX logout_notice_due ON logout_notice (due_at, sid, client_id);

-- What users granted to clients: to the client itself, not to whoever comes to
-- bear its id.
CREATE TABLE consent (
    sequence        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id              TEXT COLLATE "C" NOT NULL,
    application_id  TEXT COLLATE "C" NOT NULL,
    user_id         TEXT COLLATE "C" NOT NULL,
    client_sequence BIGINT NOT NULL,
    scopes          TEXT COLLATE "C" NOT NULL, -- with a space between each
    granted_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL
);
CREATE UNIQUE INDEX consent_id ON consent (application_id, id);
CREATE UNIQUE INDEX consent_user ON consent (application_id, user_id, client_sequence);
CREATE INDEX consent_list ON consent (application_id, sequence);
CREATE INDEX consent_client ON consent (client_sequence, sequence);

-- Clients that were deleted and whose consents are yet to be removed.
CREATE TABLE gone_client (
    client_sequence BIGINT PRIMARY KEY
);
