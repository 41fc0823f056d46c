-- +goose Up
-- Administrators are users of an application "console", so that they sign in as
-- users do. Whoever was in the table of their own comes along, with another
-- identifier; the table is not read any more.
INSERT INTO user_record (application_id, uuid, email, email_key, email_verified_at, attributes, roles, inactive, era, password_hash,
        revision, created_at, updated_at, last_signed_in_at)
    SELECT 'console', gen_random_uuid()::text, email, email_key, 0, '{}', CASE WHEN instance THEN '["instance"]' ELSE '[]' END, FALSE,
           (random() * 9000000000000000000)::bigint, password_hash, 1, created_at, created_at, 0
    FROM administrator;
INSERT INTO user_role (application_id, role, user_sequence)
    SELECT application_id, 'instance', sequence FROM user_record WHERE application_id = 'console' AND roles = '["instance"]';
