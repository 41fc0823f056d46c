package store

import (
	"context"
	"errors"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
)

// errDry undoes a dry run.
var errDry = errors.New("store: this was a dry run")

// CreateMany implements client.Store.
func (c Clients) CreateMany(ctx context.Context, clients []*client.Client, events []audit.Event, dry bool) (refused []error, err error) {
	err = c.db.change(ctx, func(ctx context.Context, s session) error {
		if refused, err = insertClients(ctx, s, clients, client.NameAndVersion); err != nil {
			return err
		}
		var made []audit.Event
		for i, event := range events {
			if refused[i] == nil {
				made = append(made, event)
			}
		}
		if err := record(ctx, s, made...); err != nil || !dry {
			return err
		}
		return errDry
	})
	if errors.Is(err, errDry) {
		err = nil
	}
	return refused, err
}

// Existing implements client.Store.
func (c Clients) Existing(ctx context.Context, clients []*client.Client) ([]string, error) {
	asked, err := askInUse(c.db.dialect, clients, client.NameAndVersion)
	if err != nil {
		return nil, err
	}
	_, err = readAll(ctx, c.db, asked.scan, asked.text, asked.args...)
	ids := make([]string, len(clients))
	for i, of := range asked.found {
		if ids[i] = of.namesake; of.id {
			ids[i] = clients[i].ID
		}
	}
	return ids, err
}
