-- Times are microseconds since 1970, UTC; 0 stands for none or never.

-- +goose Up
CREATE TABLE instance (
    id                  INTEGER PRIMARY KEY CHECK (id = 1),
    default_application TEXT    NOT NULL,
    public_url          TEXT    NOT NULL,
    founded_at          INTEGER NOT NULL
);

CREATE TABLE administrator (
    email_key     TEXT    NOT NULL PRIMARY KEY,
    email         TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    instance      BOOLEAN NOT NULL,
    created_at    INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE application (
    id         TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    settings   TEXT    NOT NULL,
    revision   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE client (
    sequence       INTEGER PRIMARY KEY AUTOINCREMENT,
    application_id TEXT    NOT NULL,
    id             TEXT    NOT NULL,
    name           TEXT    NOT NULL,
    name_key       TEXT    NOT NULL,
    version        TEXT    NOT NULL,
    kind           TEXT    NOT NULL,
    public         BOOLEAN NOT NULL,
    inactive       BOOLEAN NOT NULL,
    era            INTEGER NOT NULL,
    features       INTEGER NOT NULL,
    settings       TEXT    NOT NULL,
    revision       INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
);
CREATE UNIQUE INDEX client_id ON client (application_id, id);
CREATE UNIQUE INDEX client_name ON client (application_id, name_key, version);
CREATE INDEX client_sequence ON client (application_id, sequence);
-- The features are in the index so that a search for a rare one among many
-- clients reads no rows but those it finds.
CREATE INDEX client_features ON client (application_id, sequence, features) WHERE features <> 0;

CREATE TABLE client_secret (
    client_sequence INTEGER NOT NULL,
    id              TEXT    NOT NULL,
    ordinal         INTEGER NOT NULL,
    label           TEXT    NOT NULL,
    hint            TEXT    NOT NULL,
    digest          BLOB    NOT NULL,
    digest_key      INTEGER NOT NULL,
    sealed          BLOB,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    PRIMARY KEY (client_sequence, id)
) WITHOUT ROWID;
CREATE INDEX client_secret_expiry ON client_secret (expires_at) WHERE expires_at > 0;

CREATE TABLE settings_document (
    application_id TEXT NOT NULL,
    client_id      TEXT NOT NULL, -- '' is the application's own
    document       TEXT NOT NULL,
    PRIMARY KEY (application_id, client_id)
) WITHOUT ROWID;

CREATE TABLE data_key (
    number     INTEGER PRIMARY KEY,
    purpose    TEXT    NOT NULL,
    wrapped    BLOB    NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE signing_key (
    application_id TEXT    NOT NULL,
    id             TEXT    NOT NULL,
    ordinal        INTEGER NOT NULL,
    algorithm      TEXT    NOT NULL,
    sealed         BLOB    NOT NULL,
    public         TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    active_at      INTEGER NOT NULL,
    retired_at     INTEGER NOT NULL,
    needed_until   INTEGER NOT NULL,
    PRIMARY KEY (application_id, id)
) WITHOUT ROWID;

-- One row a family is all that is written when tokens are issued, so this table
-- has no index that can be done without. Ids begin with the time: rows and the
-- entries of family_removal are appended. family_era serves the lists of a
-- client and the sweeping of dead eras with 8 bytes where (application_id,
-- client_id) would take 58.
CREATE TABLE family (
    id                BLOB    NOT NULL PRIMARY KEY,
    application_id    TEXT    NOT NULL,
    client_id         TEXT    NOT NULL,
    client_era        INTEGER NOT NULL,
    grant_type        TEXT    NOT NULL,
    scopes            TEXT    NOT NULL,
    audience          TEXT    NOT NULL,
    format            TEXT    NOT NULL,
    salt              BLOB    NOT NULL,
    token_key         INTEGER NOT NULL,
    generation        INTEGER NOT NULL,
    issued_at         INTEGER NOT NULL,
    access_expires_at INTEGER NOT NULL,
    revoked_at        INTEGER NOT NULL,
    revoked_for       TEXT    NOT NULL,
    removal_at        INTEGER NOT NULL, -- 0 while it is live and never expires
    address           TEXT    NOT NULL
) WITHOUT ROWID;
CREATE INDEX family_era ON family (client_era, id);
CREATE INDEX family_removal ON family (removal_at) WHERE removal_at > 0;
CREATE INDEX family_never ON family (client_era, id) WHERE access_expires_at = 0 AND revoked_at = 0;

CREATE TABLE dead_era (
    era            INTEGER NOT NULL,
    application_id TEXT    NOT NULL,
    client_id      TEXT    NOT NULL,
    since          INTEGER NOT NULL,
    PRIMARY KEY (era, application_id, client_id)
) WITHOUT ROWID;

CREATE TABLE audit_event (
    sequence       INTEGER PRIMARY KEY,
    id             TEXT    NOT NULL UNIQUE,
    application_id TEXT    NOT NULL,
    at             INTEGER NOT NULL,
    actor          TEXT    NOT NULL,
    action         TEXT    NOT NULL,
    object         TEXT    NOT NULL,
    address        TEXT    NOT NULL,
    request_id     TEXT    NOT NULL,
    before         TEXT,
    after          TEXT,
    outcome        TEXT    NOT NULL
);
CREATE INDEX audit_event_at ON audit_event (application_id, at, sequence);
