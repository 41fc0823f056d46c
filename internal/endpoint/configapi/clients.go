package configapi

import (
	"net/http"
	"net/url"

	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/ident"
)

// clientObject is a client on the wire. All keys are always there, in this
// order.
type clientObject struct {
	Self        string          `json:"_self"`
	Name        string          `json:"name"`
	Settings    string          `json:"_settings"`
	IPWhitelist []string        `json:"ipWhitelist"`
	Secret      *string         `json:"_secret"`
	ID          string          `json:"_id"`
	Features    client.Features `json:"features"`
}

func clientPath(c *client.Client) string {
	return "/config/" + c.ApplicationID + "/clients/" + c.ID
}

// present gives a client its wire form; secret "" is shown as null.
func present(c *client.Client, secret string) clientObject {
	o := clientObject{
		Self:        clientPath(c),
		Name:        c.Name,
		Settings:    clientPath(c) + "/settings",
		IPWhitelist: c.Settings.AllowedIPs,
		ID:          c.ID,
		Features:    c.Settings.Features,
	}
	if len(o.IPWhitelist) == 0 {
		o.IPWhitelist = []string{everyone}
	}
	if secret != "" {
		o.Secret = &secret
	}
	if o.Features == nil {
		o.Features = client.Features{}
	}
	return o
}

func (c *call) answerClient(status int, shown *client.Client, secret string) error {
	write(c.w, c.Request, status, encode(present(shown, secret)))
	return nil
}

func (a *api) createClient(c *call) error {
	f, err := parseWhole(c.body)
	if err != nil {
		return err
	}
	draft := client.Draft{Kind: client.Other, Secret: ident.PlainSecret(), Unique: client.NameOfAnyVersion}
	draft.Name, draft.Settings.AllowedIPs, draft.Settings.Features = *f.name, *f.allowedIPs, *f.features
	made, err := a.Operations.Create(c.Context(), c.source(), c.app, draft)
	if err != nil {
		return c.refused(err, draft.Name)
	}
	c.w.Header()["Location"] = []string{clientPath(made)}
	return c.answerClient(http.StatusCreated, made, draft.Secret)
}

func (a *api) showClient(c *call) error {
	secret, err := a.Operations.Show(c.Context(), c.source(), c.app, c.target)
	if err != nil {
		return err
	}
	return c.answerClient(http.StatusOK, c.target, secret)
}

func (a *api) replaceClient(c *call) error {
	f, err := parseWhole(c.body)
	if err != nil {
		return err
	}
	return a.update(c, f)
}

func (a *api) patchClient(c *call) error {
	f, err := parsePatch(c.body)
	if err != nil {
		return err
	}
	return a.update(c, f)
}

func (a *api) update(c *call, f fields) error {
	edit := client.Edit{Apply: f.apply, Unique: client.NameOfAnyVersion, Shows: true}
	changed, err := a.Operations.Update(c.Context(), c.source(), c.app, c.target.ID, edit)
	if err != nil {
		name := ""
		if f.name != nil {
			name = *f.name
		}
		return c.refused(err, name)
	}
	secret, err := a.Operations.Shown(c.app, changed)
	if err != nil {
		return err
	}
	return c.answerClient(http.StatusOK, changed, secret)
}

func (a *api) deleteClient(c *call) error {
	if err := a.Operations.Delete(c.Context(), c.source(), c.app.ID, c.target.ID); err != nil {
		return c.refused(err, "")
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *api) replaceSecret(c *call) error {
	hours, err := parseHours(c.body)
	if err != nil {
		return err
	}
	secret := ident.PlainSecret()
	changed, err := a.Operations.ReplaceSecret(c.Context(), c.source(), c.app, c.target.ID, secret, hours)
	if err != nil {
		return c.refused(err, "")
	}
	return c.answerClient(http.StatusOK, changed, secret)
}

// listClients streams: the first page is read before the answer begins, so that
// an error has its form; after that it can only break off.
func (a *api) listClients(c *call) error {
	features, ok := featuresWanted(c.URL.RawQuery)
	if !ok { // a filter that cannot be read finds nothing, either: never everything
		write(c.w, c.Request, http.StatusOK, []byte("[]"))
		return nil
	}
	s := stream{w: c.w}
	err := a.Operations.Walk(c.Context(), c.source(), c.app, features, func(shown *client.Client, secret string) error {
		return s.element("[", encode(present(shown, secret)))
	})
	return s.end(err, "[", "]")
}

func featuresWanted(rawQuery string) (client.Features, bool) {
	features := make(client.Features, 0, 1)
	query, err := url.ParseQuery(rawQuery)
	for _, name := range query["has_feature"] {
		if !client.KnownFeature(name) {
			return nil, false
		}
		features = append(features, client.Feature(name))
	}
	return features, err == nil
}
