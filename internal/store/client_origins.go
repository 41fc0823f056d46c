package store

import "context"

const hasOrigin = `SELECT client_sequence FROM client_origin WHERE application_id = $1 AND origin = $2 LIMIT 1`

// HasOrigin implements client.Store.
func (c Clients) HasOrigin(ctx context.Context, applicationID, origin string) (bool, error) {
	if !storable(applicationID, origin) {
		return false, nil
	}
	_, found, err := readOne(ctx, c.db, column[int64], hasOrigin, applicationID, origin)
	return found, err
}
