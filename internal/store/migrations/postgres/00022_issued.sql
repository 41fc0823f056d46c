-- +goose Up
-- Whether the application has ever issued tokens, so that its issuer is fixed:
-- of tokens that ended nothing else is kept.
ALTER TABLE application ADD COLUMN issued BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE application SET issued = TRUE WHERE id IN (SELECT application_id FROM usage_application WHERE reason = '');
