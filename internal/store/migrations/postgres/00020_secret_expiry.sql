-- +goose Up
-- Of the secrets that expire at one moment a list goes on with those of the next
-- client.
DROP INDEX client_secret_expiry;
CREATE INDEX client_secret_expiry ON client_secret (expires_at, client_sequence) WHERE expires_at > 0;
