-- Times are microseconds since 1970, UTC; 0 stands for none or never.

-- +goose Up
-- Users' sessions. id is the SHA-256 of the cookie's value.
CREATE TABLE signed_in (
    id             BLOB    NOT NULL PRIMARY KEY,
    sid            TEXT    NOT NULL UNIQUE,
    application_id TEXT    NOT NULL,
    user_id        TEXT    NOT NULL,
    user_era       INTEGER NOT NULL,
    auth_time      INTEGER NOT NULL,
    amr            TEXT    NOT NULL, -- with a space between each
    acr            TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    seen_at        INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    address        TEXT    NOT NULL,
    user_agent     TEXT    NOT NULL
) WITHOUT ROWID;
CREATE INDEX signed_in_user ON signed_in (application_id, user_id);
CREATE INDEX signed_in_expiry ON signed_in (expires_at);

-- Clients that took part in a session. Application and user are those of the
-- session, so that notices can be made when its row is gone.
CREATE TABLE signed_in_client (
    sid            TEXT    NOT NULL,
    client_id      TEXT    NOT NULL,
    application_id TEXT    NOT NULL,
    user_id        TEXT    NOT NULL,
    PRIMARY KEY (sid, client_id)
) WITHOUT ROWID;

-- Sessions that ended, for each client that is still to hear of it.
CREATE TABLE logout_notice (
    sid            TEXT    NOT NULL,
    client_id      TEXT    NOT NULL,
    application_id TEXT    NOT NULL,
    user_id        TEXT    NOT NULL,
    ended_at       INTEGER NOT NULL,
    attempts       INTEGER NOT NULL,
    due_at         INTEGER NOT NULL,
    PRIMARY KEY (sid, client_id)
) WITHOUT ROWID;
CREATE INDEX logout_notice_due ON logout_notice (due_at, sid, client_id);

-- What users granted to clients: to the client itself, not to whoever comes to
-- bear its id.
CREATE TABLE consent (
    sequence        INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT    NOT NULL,
    application_id  TEXT    NOT NULL,
    user_id         TEXT    NOT NULL,
    client_sequence INTEGER NOT NULL,
    scopes          TEXT    NOT NULL, -- with a space between each
    granted_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
);
CREATE UNIQUE INDEX consent_id ON consent (application_id, id);
CREATE UNIQUE INDEX consent_user ON consent (application_id, user_id, client_sequence);
CREATE INDEX consent_list ON consent (application_id, sequence);
CREATE INDEX consent_client ON consent (client_sequence, sequence);

-- Clients that were deleted and whose consents are yet to be removed.
CREATE TABLE gone_client (
    client_sequence INTEGER PRIMARY KEY
);
