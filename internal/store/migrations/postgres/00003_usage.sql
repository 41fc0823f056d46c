-- +goose Up
-- When a client and a secret were last used; 0: never. They are written every
-- few seconds, many at once, and are no part of what a client is: neither its
-- revision nor what is remembered of it changes with them.
ALTER TABLE client ADD COLUMN used_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE client_secret ADD COLUMN used_at BIGINT NOT NULL DEFAULT 0;
-- The clients unused for longest come first. One that never was used counts from
-- when it was made.
CREATE INDEX client_unused ON client (application_id, (CASE WHEN used_at > created_at THEN used_at ELSE created_at END), sequence);

-- Requests of an hour (hours since 1970, UTC) that came to the same end. The hour
-- comes first, so that rows are appended where the clock is and removed at the
-- other end; the history of a client is one look an hour.
CREATE TABLE usage_client (
    hour            BIGINT NOT NULL,
    client_sequence BIGINT NOT NULL,
    kind            TEXT COLLATE "C" NOT NULL,
    reason          TEXT COLLATE "C" NOT NULL, -- '' is issued
    n               BIGINT NOT NULL,
    PRIMARY KEY (hour, client_sequence, kind, reason)
);

-- The same of all clients of an application together.
CREATE TABLE usage_application (
    hour           BIGINT NOT NULL,
    application_id TEXT COLLATE "C" NOT NULL, -- '' where it was not known
    kind           TEXT COLLATE "C" NOT NULL,
    reason         TEXT COLLATE "C" NOT NULL,
    n              BIGINT NOT NULL,
    PRIMARY KEY (hour, application_id, kind, reason)
);

-- What clients with a daily quota used of it, on the last day (days since 1970,
-- UTC) on which they did.
CREATE TABLE usage_day (
    client_sequence BIGINT PRIMARY KEY,
    day             BIGINT NOT NULL,
    n               BIGINT NOT NULL
);
CREATE INDEX usage_day_day ON usage_day (day);
