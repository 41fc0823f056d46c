package client

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
)

// ApplicationDocument gives the settings document of an application. Its
// vendor_name is the application's own setting, so that there is one of it.
func ApplicationDocument(app *application.Application) (Document, error) {
	d, err := decode([]byte(app.Settings.ConfigSettings))
	if err != nil {
		return Document{}, fmt.Errorf("settings document of application %s: %w", app.ID, err)
	}
	if app.Settings.VendorName != "" {
		d.Values[vendorName] = mustJSON(app.Settings.VendorName)
	}
	return d, nil
}

// PutApplicationDocument replaces the settings document of an application.
func (o *Operations) PutApplicationDocument(ctx context.Context, source audit.Source, applicationID string, d Document) (*application.Application, error) {
	now := o.moment()
	return o.applications.Change(ctx, applicationID, func(app *application.Application) (audit.Event, error) {
		before, err := ApplicationDocument(app)
		if err != nil {
			return audit.Event{}, err
		}
		if err := setApplicationDocument(app, d); err != nil {
			return audit.Event{}, err
		}
		app.UpdatedAt = now
		event := audit.New(source, applicationID, "settings.update", "settings", now)
		event.Before, event.After = before.record(), d.record()
		return event, nil
	})
}

func setApplicationDocument(app *application.Application, d Document) error {
	kept := Document{Values: map[string]json.RawMessage{}, Custom: d.Custom}
	app.Settings.VendorName = ""
	for name, value := range d.Values {
		if name != vendorName {
			kept.Values[name] = value
			continue
		}
		var vendor string
		if json.Unmarshal(value, &vendor) != nil || app.Settings.Set(vendorName, vendor) != nil {
			return mistyped(vendorName, StringOption)
		}
	}
	app.Settings.ConfigSettings = string(kept.encode())
	return nil
}

// Document gives the settings document of a client.
func (o *Operations) Document(ctx context.Context, applicationID, id string) (Document, error) {
	documents, err := o.store.Documents(ctx, applicationID, id)
	if err != nil {
		return Document{}, err
	}
	return o.decode(documents, id)
}

func (o *Operations) decode(documents map[string][]byte, id string) (Document, error) {
	d, err := decode(documents[id])
	if err != nil {
		return Document{}, fmt.Errorf("settings document of client %s: %w", id, err)
	}
	return d, nil
}

// PutDocument replaces the settings document of a client; NotFound where there
// is no such client. The application's is not touched.
func (o *Operations) PutDocument(ctx context.Context, source audit.Source, applicationID, id string, d Document) error {
	before, err := o.Document(ctx, applicationID, id)
	if err != nil {
		return err
	}
	event := audit.New(source, applicationID, "settings.update", object(id), o.moment())
	event.Before, event.After = before.record(), d.record()
	return o.store.PutDocument(ctx, applicationID, id, d.encode(), event)
}

// WalkDocuments gives the settings documents of all clients of an application,
// in order of creation.
func (o *Operations) WalkDocuments(ctx context.Context, applicationID string, visit func(id string, d Document) error) error {
	return o.walk(ctx, applicationID, nil, func(page []*Client, _ bool) error {
		if len(page) == 0 {
			return nil
		}
		ids := make([]string, len(page))
		for i, c := range page {
			ids[i] = c.ID
		}
		documents, err := o.store.Documents(ctx, applicationID, ids...)
		if err != nil {
			return err
		}
		for _, id := range ids {
			d, err := o.decode(documents, id)
			if err != nil {
				return err
			}
			if err := visit(id, d); err != nil {
				return err
			}
		}
		return nil
	})
}
