-- +goose Up
-- Active clients and inactive ones apart, as they are asked for.
DROP INDEX client_unused;
CREATE INDEX client_unused ON client (application_id, inactive, (CASE WHEN used_at > created_at THEN used_at ELSE created_at END), sequence);
