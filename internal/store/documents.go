package store

import (
	"context"
	"encoding/json"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
)

func selectDocuments(d *dialect) string {
	return `SELECT client_id, document FROM settings_document WHERE application_id = $1 AND client_id IN (` + d.values("$2") + `)`
}

// Documents implements client.Store.
func (c Clients) Documents(ctx context.Context, applicationID string, ids ...string) (map[string][]byte, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	found := make(map[string][]byte)
	_, err = readAll(ctx, c.db, func(row scanner) (struct{}, error) {
		var id, document string
		err := row.Scan(&id, &document)
		found[id] = []byte(document)
		return struct{}{}, err
	}, selectDocuments(c.db.dialect), applicationID, string(list))
	return found, err
}

// PutDocument implements client.Store.
func (c Clients) PutDocument(ctx context.Context, applicationID, id string, document []byte, change func(*client.Client) (audit.Event, error)) error {
	_, err := c.change(ctx, applicationID, id, client.NameAndVersion, change, func(ctx context.Context, s session) error {
		_, err := s.exec(ctx, `INSERT INTO settings_document (application_id, client_id, document) VALUES ($1, $2, $3)
			ON CONFLICT (application_id, client_id) DO UPDATE SET document = excluded.document`, applicationID, id, string(document))
		return err
	})
	return err
}

// errRaced: somebody else changed the row between its reading and its writing;
// the operation runs again.
var errRaced = fault.Unavailablef(nil, "Too many change this at once; try again.")
