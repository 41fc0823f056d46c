-- Times are microseconds since 1970, UTC; 0 stands for none or never.

-- +goose Up
-- Families of users. A family whose grant is authorization_code begins with the
-- code at generation 0; each exchange is one UPDATE under the condition that the
-- generation is what it was.
ALTER TABLE family
    ADD COLUMN user_id            TEXT COLLATE "C" NOT NULL DEFAULT '', -- '': the client acts for itself
    ADD COLUMN user_era           BIGINT  NOT NULL DEFAULT 0,
    ADD COLUMN session_id         TEXT    NOT NULL DEFAULT '',
    ADD COLUMN details            TEXT    NOT NULL DEFAULT '', -- JSON; what was agreed; does not change
    ADD COLUMN access_issued_at   BIGINT  NOT NULL DEFAULT 0,  -- 0: issued_at
    ADD COLUMN refresh_generation INTEGER NOT NULL DEFAULT 0,  -- of the refresh token that is out; 0: none
    ADD COLUMN rotated_from       INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN rotated_at         BIGINT  NOT NULL DEFAULT 0,
    ADD COLUMN refreshes          INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN refresh_expires_at BIGINT  NOT NULL DEFAULT 0,
    ADD COLUMN family_expires_at  BIGINT  NOT NULL DEFAULT 0,
    ADD COLUMN latest             TEXT    NOT NULL DEFAULT '';  -- JSON; what the last exchange narrowed
CREATE INDEX family_user ON family (application_id, user_id, id) WHERE user_id <> '';

-- Eras of users that are over; their families are removed in small steps.
CREATE TABLE dead_user_era (
    era            BIGINT  NOT NULL,
    application_id TEXT COLLATE "C" NOT NULL,
    user_id        TEXT COLLATE "C" NOT NULL,
    since          BIGINT  NOT NULL,
    PRIMARY KEY (era, application_id, user_id)
);
