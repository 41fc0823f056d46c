-- +goose Up

-- Which clients a page of an origin may call for: what their settings say, the
-- other way round.
CREATE TABLE client_origin (
    application_id  TEXT COLLATE "C" NOT NULL,
    origin          TEXT COLLATE "C" NOT NULL,
    client_sequence BIGINT NOT NULL,
    PRIMARY KEY (application_id, origin, client_sequence)
);

INSERT INTO client_origin (application_id, origin, client_sequence)
SELECT c.application_id, o.value, c.sequence
FROM client c, jsonb_array_elements_text(c.settings::jsonb #> '{redirect,origins}') o (value)
ON CONFLICT DO NOTHING;

-- The origin of a redirect URI: scheme and authority in lower case, without the
-- scheme's own port. None of those that are stored has a user or a fragment.
INSERT INTO client_origin (application_id, origin, client_sequence)
SELECT application_id,
    CASE
        WHEN origin LIKE 'https://%:443' THEN substr(origin, 1, length(origin) - 4)
        WHEN origin LIKE 'http://%:80' THEN substr(origin, 1, length(origin) - 3)
        ELSE origin
    END, sequence
FROM (
    SELECT c.application_id, c.sequence, lower(substring(u.value FROM '^[^:]+://[^/?]+')) AS origin
    FROM client c, jsonb_array_elements_text(c.settings::jsonb #> '{redirect,uris}') u (value)
    WHERE lower(u.value) LIKE 'http://%' OR lower(u.value) LIKE 'https://%'
) found
ON CONFLICT DO NOTHING;
