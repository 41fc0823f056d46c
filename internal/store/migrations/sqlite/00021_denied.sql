-- +goose Up
-- Requests from addresses that are not among those of their client: few of all
-- rows, and looked for on a page.
CREATE INDEX usage_client_denied ON usage_client (hour, client_sequence, n) WHERE reason = 'access_denied';
