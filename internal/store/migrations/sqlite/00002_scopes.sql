-- Times are microseconds since 1970, UTC; 0 stands for none or never.

-- +goose Up
CREATE TABLE scope (
    application_id TEXT    NOT NULL,
    name_key       TEXT    NOT NULL,
    name           TEXT    NOT NULL,
    description    TEXT    NOT NULL,
    kind           TEXT    NOT NULL,
    required_role  TEXT    NOT NULL,
    url_patterns   TEXT    NOT NULL, -- a JSON array
    revision       INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    PRIMARY KEY (application_id, name_key)
) WITHOUT ROWID;

-- Which clients are allowed a scope, built-in ones too: what their settings say,
-- the other way round.
CREATE TABLE client_scope (
    application_id  TEXT    NOT NULL,
    scope           TEXT    NOT NULL,
    client_sequence INTEGER NOT NULL,
    PRIMARY KEY (application_id, scope, client_sequence)
) WITHOUT ROWID;

INSERT OR IGNORE INTO client_scope (application_id, scope, client_sequence)
SELECT c.application_id, s.value, c.sequence FROM client c, json_each(c.settings, '$.scopes.allowed') s;

-- What clients were allowed before there were scopes becomes scopes, so that
-- they keep it.
INSERT OR IGNORE INTO scope (application_id, name_key, name, description, kind, required_role, url_patterns, revision, created_at, updated_at)
SELECT DISTINCT application_id, lower(scope), scope, '', 'any', '', '[]', 1, unixepoch() * 1000000, unixepoch() * 1000000
FROM client_scope
WHERE lower(scope) NOT IN ('openid', 'profile', 'email', 'address', 'phone', 'offline_access') AND lower(scope) NOT LIKE 'ostiary:%';

CREATE TABLE resource (
    application_id      TEXT    NOT NULL,
    identifier          TEXT    NOT NULL,
    name                TEXT    NOT NULL,
    scopes              TEXT    NOT NULL, -- with a space between each
    access_token_format TEXT    NOT NULL, -- '': that of the client
    revision            INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    PRIMARY KEY (application_id, identifier)
) WITHOUT ROWID;

-- Clients that may introspect for a resource.
CREATE TABLE resource_client (
    application_id  TEXT    NOT NULL,
    identifier      TEXT    NOT NULL,
    ordinal         INTEGER NOT NULL,
    client_sequence INTEGER NOT NULL,
    PRIMARY KEY (application_id, identifier, ordinal)
) WITHOUT ROWID;
CREATE INDEX resource_client_sequence ON resource_client (client_sequence);
