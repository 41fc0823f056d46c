package client

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client/rule/redirect"
)

// redirectURIs is kept as it was put; what of it can be a redirect URI is copied
// to where the rules look. The Akamai Identity Cloud takes patterns, too: they
// match nothing here.
const redirectURIs = "redirect_uris"

// redirects gives the redirect URIs of a document that a client, native or not,
// can have.
func (d Document) redirects(native bool) []string {
	var uris []string
	_ = json.Unmarshal(d.Values[redirectURIs], &uris) // an array of strings, or nothing
	uris = unique(slices.DeleteFunc(uris, func(uri string) bool { return !redirect.Valid(uri, native) }))
	return uris[:min(len(uris), redirect.MaxURIs)]
}

// Redirect gives where the client's users may be sent, and which origins call for
// it: with the feature login_client and no redirect URI of its own, it has those of
// the application.
func (c *Client) Redirect(app *application.Application) redirect.Setting {
	setting := c.Settings.Redirect
	if len(setting.URIs) == 0 && c.Settings.Features.Has(LoginClient) {
		setting.URIs = app.Settings.Redirects()
	}
	return setting
}

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
	app.Settings.RedirectURIs = strings.Join(kept.redirects(false), " ")
	return nil
}

// Document gives the settings document of a client.
func (o *Operations) Document(ctx context.Context, c *Client) (Document, error) {
	documents, err := o.store.Documents(ctx, c.ApplicationID, c.ID)
	if err != nil {
		return Document{}, err
	}
	return c.decodeDocument(documents[c.ID])
}

// decodeDocument reads the client's document. Where its redirect URIs were
// changed since, they are those that it has.
func (c *Client) decodeDocument(stored []byte) (Document, error) {
	d, err := decode(stored)
	if err != nil {
		return Document{}, fmt.Errorf("settings document of client %s: %w", c.ID, err)
	}
	switch uris := c.Settings.Redirect.URIs; {
	case slices.Equal(d.redirects(c.Kind == Native), uris):
	case len(uris) == 0:
		delete(d.Values, redirectURIs)
	default:
		d.Values[redirectURIs] = mustJSON(uris)
	}
	return d, nil
}

// PutDocument replaces the settings document of a client, and its redirect URIs
// where that or the one before names any; NotFound where there is no such client. The application's is not touched.
func (o *Operations) PutDocument(ctx context.Context, source audit.Source, app *application.Application, id string, d Document) error {
	documents, err := o.store.Documents(ctx, app.ID, id)
	if err != nil {
		return err
	}
	now := o.moment()
	defer o.clients.Void(app.ID, id)
	return o.store.PutDocument(ctx, app.ID, id, d.encode(), func(c *Client) (audit.Event, error) {
		stored, err := decode(documents[id])
		if err != nil {
			return audit.Event{}, err
		}
		before, err := c.decodeDocument(documents[id])
		if err != nil {
			return audit.Event{}, err
		}
		event := audit.New(source, app.ID, "settings.update", object(id), now)
		event.Before, event.After = before.record(), d.record()
		uris := d.redirects(c.Kind == Native)
		named := d.Values[redirectURIs] != nil || stored.Values[redirectURIs] != nil
		if !named || slices.Equal(uris, c.Settings.Redirect.URIs) {
			return event, nil
		}
		c.Settings.Redirect.URIs, c.UpdatedAt = uris, now
		return event, c.conform(app, c.Settings.Features)
	})
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
		for _, c := range page {
			d, err := c.decodeDocument(documents[c.ID])
			if err != nil {
				return err
			}
			if err := visit(c.ID, d); err != nil {
				return err
			}
		}
		return nil
	})
}
