-- +goose Up

-- Which clients a page of an origin may call for: what their settings say, the
-- other way round.
CREATE TABLE client_origin (
    application_id  TEXT    NOT NULL,
    origin          TEXT    NOT NULL,
    client_sequence INTEGER NOT NULL,
    PRIMARY KEY (application_id, origin, client_sequence)
) WITHOUT ROWID;

INSERT OR IGNORE INTO client_origin (application_id, origin, client_sequence)
SELECT c.application_id, o.value, c.sequence FROM client c, json_each(c.settings, '$.redirect.origins') o;

-- The origin of a redirect URI: scheme and authority in lower case, without the
-- scheme's own port. None of those that are stored has a user or a fragment.
INSERT OR IGNORE INTO client_origin (application_id, origin, client_sequence)
SELECT application_id,
    CASE
        WHEN origin LIKE 'https://%:443' THEN substr(origin, 1, length(origin) - 4)
        WHEN origin LIKE 'http://%:80' THEN substr(origin, 1, length(origin) - 3)
        ELSE origin
    END, sequence
FROM (
    SELECT c.application_id, c.sequence,
        lower(substr(u.value, 1, instr(u.value, '://') + 1 + instr(replace(substr(u.value, instr(u.value, '://') + 3), '?', '/') || '/', '/'))) AS origin
    FROM client c, json_each(c.settings, '$.redirect.uris') u
    WHERE lower(u.value) LIKE 'http://%' OR lower(u.value) LIKE 'https://%'
) found;
