-- +goose Up
-- Users of applications. Columns that lists filter by stand beside the
-- attributes, which are one JSON object that the database does not look into.
CREATE TABLE user_record (
    sequence          INTEGER PRIMARY KEY AUTOINCREMENT,
    application_id    TEXT    NOT NULL,
    uuid              TEXT    NOT NULL,
    email             TEXT    NOT NULL,
    email_key         TEXT    NOT NULL, -- folded; '': has none
    email_verified_at INTEGER NOT NULL,
    attributes        TEXT    NOT NULL, -- a JSON object
    roles             TEXT    NOT NULL, -- a JSON array
    inactive          BOOLEAN NOT NULL,
    era               INTEGER NOT NULL,
    password_hash     TEXT    NOT NULL, -- '': has none
    revision          INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    -- Written with the sign-in: no part of what the user is, nor of its revision.
    last_signed_in_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX user_record_uuid ON user_record (application_id, uuid);
CREATE UNIQUE INDEX user_record_email ON user_record (application_id, email_key) WHERE email_key <> '';
CREATE INDEX user_record_sequence ON user_record (application_id, sequence);
CREATE INDEX user_record_inactive ON user_record (application_id, sequence) WHERE inactive;

-- What users are searched by: the folded words of their names and addresses. A
-- search is for beginnings of them, so that it reads a range of this table.
CREATE TABLE user_term (
    application_id TEXT    NOT NULL,
    term           TEXT    NOT NULL,
    user_sequence  INTEGER NOT NULL,
    PRIMARY KEY (application_id, term, user_sequence)
) WITHOUT ROWID;

-- Users by role: what their records say, the other way round.
CREATE TABLE user_role (
    application_id TEXT    NOT NULL,
    role           TEXT    NOT NULL,
    user_sequence  INTEGER NOT NULL,
    PRIMARY KEY (application_id, role, user_sequence)
) WITHOUT ROWID;

-- Users that were deleted. Whatever of them is left elsewhere is removed in
-- small steps, then the row.
CREATE TABLE removed_user (
    application_id TEXT    NOT NULL,
    uuid           TEXT    NOT NULL,
    since          INTEGER NOT NULL,
    PRIMARY KEY (application_id, uuid)
) WITHOUT ROWID;
CREATE INDEX removed_user_since ON removed_user (since);
