-- +goose Up
-- Applications that were removed. Whatever of them is left is removed in small
-- steps; the id is free again when the row is gone.
CREATE TABLE removed_application (
    id    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    since BIGINT NOT NULL
);
