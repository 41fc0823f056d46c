-- Times are microseconds since 1970, UTC; 0 stands for none or never.

-- +goose Up
-- The node that has the database. held is false after it stopped in good order;
-- whoever finds it true waits until the other's lease is over.
CREATE TABLE node (
    id   SMALLINT PRIMARY KEY CHECK (id = 1),
    held BOOLEAN NOT NULL
);
INSERT INTO node (id, held) VALUES (1, FALSE);

CREATE TABLE instance (
    id                  SMALLINT PRIMARY KEY CHECK (id = 1),
    default_application TEXT COLLATE "C" NOT NULL,
    public_url          TEXT    NOT NULL,
    founded_at          BIGINT  NOT NULL
);

CREATE TABLE administrator (
    email_key     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    email         TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    instance      BOOLEAN NOT NULL,
    created_at    BIGINT  NOT NULL
);

CREATE TABLE application (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    settings   TEXT    NOT NULL,
    revision   BIGINT  NOT NULL,
    created_at BIGINT  NOT NULL,
    updated_at BIGINT  NOT NULL
);

CREATE TABLE client (
    sequence       BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    application_id TEXT COLLATE "C" NOT NULL,
    id             TEXT COLLATE "C" NOT NULL,
    name           TEXT    NOT NULL,
    name_key       TEXT COLLATE "C" NOT NULL,
    version        TEXT COLLATE "C" NOT NULL,
    kind           TEXT    NOT NULL,
    public         BOOLEAN NOT NULL,
    inactive       BOOLEAN NOT NULL,
    era            BIGINT  NOT NULL,
    features       BIGINT  NOT NULL,
    settings       TEXT    NOT NULL,
    revision       BIGINT  NOT NULL,
    created_at     BIGINT  NOT NULL,
    updated_at     BIGINT  NOT NULL
);
CREATE UNIQUE INDEX client_id ON client (application_id, id);
CREATE UNIQUE INDEX client_name ON client (application_id, name_key, version);
CREATE INDEX client_sequence ON client (application_id, sequence);
-- The features are in the index so that a search for a rare one among many
-- clients reads no rows but those it finds.
CREATE INDEX client_features ON client (application_id, sequence, features) WHERE features <> 0;

CREATE TABLE client_secret (
    client_sequence BIGINT  NOT NULL,
    id              TEXT COLLATE "C" NOT NULL,
    ordinal         INTEGER NOT NULL,
    label           TEXT    NOT NULL,
    hint            TEXT    NOT NULL,
    digest          BYTEA   NOT NULL,
    digest_key      INTEGER NOT NULL,
    sealed          BYTEA,
    created_at      BIGINT  NOT NULL,
    expires_at      BIGINT  NOT NULL,
    PRIMARY KEY (client_sequence, id)
);
CREATE INDEX client_secret_expiry ON client_secret (expires_at) WHERE expires_at > 0;

CREATE TABLE settings_document (
    application_id TEXT COLLATE "C" NOT NULL,
    client_id      TEXT COLLATE "C" NOT NULL, -- '' is the application's own
    document       TEXT    NOT NULL,
    PRIMARY KEY (application_id, client_id)
);

CREATE TABLE data_key (
    number     INTEGER PRIMARY KEY,
    purpose    TEXT    NOT NULL,
    wrapped    BYTEA   NOT NULL,
    created_at BIGINT  NOT NULL
);

CREATE TABLE signing_key (
    application_id TEXT COLLATE "C" NOT NULL,
    id             TEXT COLLATE "C" NOT NULL,
    ordinal        INTEGER NOT NULL,
    algorithm      TEXT    NOT NULL,
    sealed         BYTEA   NOT NULL,
    public         TEXT    NOT NULL,
    created_at     BIGINT  NOT NULL,
    active_at      BIGINT  NOT NULL,
    retired_at     BIGINT  NOT NULL,
    needed_until   BIGINT  NOT NULL,
    PRIMARY KEY (application_id, id)
);

-- One row a family is all that is written when tokens are issued, so this table
-- has no index that can be done without. Ids begin with the time: rows and the
-- entries of family_removal are appended. family_era serves the lists of a
-- client and the sweeping of dead eras with 8 bytes where (application_id,
-- client_id) would take 58.
CREATE TABLE family (
    id                BYTEA   NOT NULL PRIMARY KEY,
    application_id    TEXT COLLATE "C" NOT NULL,
    client_id         TEXT COLLATE "C" NOT NULL,
    client_era        BIGINT  NOT NULL,
    grant_type        TEXT    NOT NULL,
    scopes            TEXT    NOT NULL,
    audience          TEXT    NOT NULL,
    format            TEXT    NOT NULL,
    salt              BYTEA   NOT NULL,
    token_key         INTEGER NOT NULL,
    generation        INTEGER NOT NULL,
    issued_at         BIGINT  NOT NULL,
    access_expires_at BIGINT  NOT NULL,
    revoked_at        BIGINT  NOT NULL,
    revoked_for       TEXT    NOT NULL,
    removal_at        BIGINT  NOT NULL, -- 0 while it is live and never expires
    address           TEXT    NOT NULL
);
CREATE INDEX family_era ON family (client_era, id);
CREATE INDEX family_removal ON family (removal_at) WHERE removal_at > 0;
CREATE INDEX family_never ON family (client_era, id) WHERE access_expires_at = 0 AND revoked_at = 0;

CREATE TABLE dead_era (
    era            BIGINT  NOT NULL,
    application_id TEXT COLLATE "C" NOT NULL,
    client_id      TEXT COLLATE "C" NOT NULL,
    since          BIGINT  NOT NULL,
    PRIMARY KEY (era, application_id, client_id)
);

CREATE TABLE audit_event (
    sequence       BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id             TEXT COLLATE "C" NOT NULL UNIQUE,
    application_id TEXT COLLATE "C" NOT NULL,
    at             BIGINT  NOT NULL,
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
