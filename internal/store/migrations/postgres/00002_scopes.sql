-- Times are microseconds since 1970, UTC; 0 stands for none or never.

-- +goose Up
CREATE TABLE scope (
    application_id TEXT COLLATE "C" NOT NULL,
    name_key       TEXT COLLATE "C" NOT NULL,
    name           TEXT COLLATE "C" NOT NULL,
    description    TEXT   NOT NULL,
    kind           TEXT   NOT NULL,
    required_role  TEXT   NOT NULL,
    url_patterns   TEXT   NOT NULL, -- a JSON array
    revision       BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    PRIMARY KEY (application_id, name_key)
);

-- Which clients are allowed a scope, built-in ones too: what their settings say,
-- the other way round.
CREATE TABLE client_scope (
    application_id  TEXT COLLATE "C" NOT NULL,
    scope           TEXT COLLATE "C" NOT NULL,
    client_sequence BIGINT NOT NULL,
    PRIMARY KEY (application_id, scope, client_sequence)
);

INSERT INTO client_scope (application_id, scope, client_sequence)
SELECT c.application_id, s.name, c.sequence
FROM client c, jsonb_array_elements_text(c.settings::jsonb #> '{scopes,allowed}') s (name)
ON CONFLICT DO NOTHING;

-- What clients were allowed before there were scopes becomes scopes, so that
-- they keep it.
INSERT INTO scope (application_id, name_key, name, description, kind, required_role, url_patterns, revision, created_at, updated_at)
SELECT DISTINCT application_id, lower(scope), scope, '', 'any', '', '[]', 1,
    (extract(epoch FROM now()) * 1000000)::bigint, (extract(epoch FROM now()) * 1000000)::bigint
FROM client_scope
WHERE lower(scope) NOT IN ('openid', 'profile', 'email', 'address', 'phone', 'offline_access') AND lower(scope) NOT LIKE 'ostiary:%'
ON CONFLICT DO NOTHING;

CREATE TABLE resource (
    application_id      TEXT COLLATE "C" NOT NULL,
    identifier          TEXT COLLATE "C" NOT NULL,
    name                TEXT   NOT NULL,
    scopes              TEXT   NOT NULL, -- with a space between each
    access_token_format TEXT   NOT NULL, -- '': that of the client
    revision            BIGINT NOT NULL,
    created_at          BIGINT NOT NULL,
    updated_at          BIGINT NOT NULL,
    PRIMARY KEY (application_id, identifier)
);

-- Clients that may introspect for a resource.
CREATE TABLE resource_client (
    application_id  TEXT COLLATE "C" NOT NULL,
    identifier      TEXT COLLATE "C" NOT NULL,
    ordinal         BIGINT NOT NULL,
    client_sequence BIGINT NOT NULL,
    PRIMARY KEY (application_id, identifier, ordinal)
);
CREATE INDEX resource_client_sequence ON resource_client (client_sequence);
