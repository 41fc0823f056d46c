-- +goose Up
-- Applications that were removed. Whatever of them is left is removed in small
-- steps; the id is free again when the row is gone.
CREATE TABLE removed_application (
    id    TEXT    NOT NULL PRIMARY KEY,
    since INTEGER NOT NULL
) WITHOUT ROWID;
