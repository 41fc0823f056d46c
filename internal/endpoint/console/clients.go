package console

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/inventory"
)

func clientRoutes(s *routes) {
	s.get(inApplication+"/clients", toRead, (*visit).clients)
}

type clientsData struct {
	Path    string // of the list
	Filters []*field
	Rows    []clientRow
	Pager   pager
	New     string // path of the form for another one; "": not his to make
	Moves   string // path of import and export
	Bulk    string // path that those to switch off are posted to; "": none here is his to change
	Any     bool   // whether the list is narrowed
	Short   bool   // whether the text is too short to be looked for everywhere
}

type clientRow struct {
	ID, Name, Version, Path, Kind, Type string
	Active                              bool
	Tick                                bool      // it may be switched off
	LastUsed, NextExpiry                time.Time // zero: never
}

// clients is the list of API clients, narrowed by what the URL says.
func (v *visit) clients() error {
	query := v.r.URL.Query()
	d := clientsData{Path: v.at("clients"), Moves: v.at("transfer"), Filters: clientFilters(query.Get)}
	chosen := map[string]string{}
	for _, f := range d.Filters {
		chosen[f.Name] = f.Value
		d.Any = d.Any || f.Value != ""
	}
	q := inventory.Query{Search: client.Search{
		Text: chosen["q"], Kind: client.Kind(chosen["kind"]), Type: chosen["type"], Feature: client.Feature(chosen["feature"]), Tag: chosen["tag"], Limit: perPage,
	}}
	if active := chosen["active"]; active != "" {
		on := active == "true"
		q.Active = &on
	}
	if chosen["unused"] != "" {
		q.UnusedSince = v.Now().AddDate(0, 0, -unusedDays)
	}
	if chosen["expiring"] != "" {
		q.ExpiresFrom, q.ExpiresUntil = v.Now(), v.Now().Add(soon)
	}
	d.Short = q.ByName()
	at, err := inventory.ParsePlace(query.Get("cursor"))
	if err == nil {
		q.At = at
		err = v.fillClients(&d, q)
	}
	if errors.Is(err, inventory.ErrPlace) || errors.Is(err, inventory.ErrText) {
		return v.redirect(d.Path) // a link that was cut, or put together by hand
	}
	if err != nil {
		return err
	}
	if v.may(admin.EditOwnClients) {
		d.New = v.at("new-client")
	}
	return v.show(http.StatusOK, "clients", pageOf{Title: "API clients", Section: "clients", Data: d})
}

// unusedDays is for how long a client is not used before it needs attention.
const unusedDays = 90

func (v *visit) fillClients(d *clientsData, q inventory.Query) error {
	found, next, err := v.Inventory.List(v.r.Context(), v.app.ID, q)
	if err != nil {
		return err
	}
	views, err := v.Inventory.Views(v.r.Context(), v.app, v.Issuers().Of(v.app.ID), found...)
	if err != nil {
		return err
	}
	for i := range views {
		c := &views[i]
		row := clientRow{ID: c.ID, Name: c.Name, Version: c.Version, Path: v.at("clients", c.ID), Kind: string(c.Kind), Type: c.Type, Active: c.Active}
		if c.LastUsedAt != nil {
			row.LastUsed = *c.LastUsedAt
		}
		if s := v.nextToExpire(found[i]); s != nil {
			row.NextExpiry = s.ExpiresAt
		}
		if row.Tick = c.Active && v.operations().MayEdit(found[i]); row.Tick {
			d.Bulk = keeping(v.at("deactivate"), v.r.URL.Query(), namesOf(d.Filters))
		}
		d.Rows = append(d.Rows, row)
	}
	d.Pager = v.pages(d.Path, next.String(), len(d.Rows))
	return nil
}

// filteredClients is the path of the list, with the filters of the query.
func (v *visit) filteredClients() string {
	query := v.r.URL.Query()
	return keeping(v.at("clients"), query, namesOf(clientFilters(query.Get)))
}

func namesOf(fields []*field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names
}

// nextToExpire gives the secret of a client that expires next; nil: none does.
func (v *visit) nextToExpire(c *client.Client) (next *client.Secret) {
	for i := range c.Secrets {
		if s := &c.Secrets[i]; s.ExpiresAt.After(v.Now()) && (next == nil || s.ExpiresAt.Before(next.ExpiresAt)) {
			next = s
		}
	}
	return next
}

// clientFilters are the ways to narrow the list, with what is chosen.
func clientFilters(value func(string) string) []*field {
	all := option{Label: "All"}
	kinds := []option{all}
	for _, k := range []client.Kind{client.Web, client.SPA, client.Native, client.Service, client.Other} {
		kinds = append(kinds, option{Value: string(k), Label: string(k)})
	}
	features := []option{all}
	for _, f := range client.AllFeatures() {
		features = append(features, option{Value: string(f), Label: string(f)})
	}
	list := []*field{
		{
			Name: "q", Label: "Search", Kind: "search", Placeholder: "name, id or description",
			Help: "Anywhere in the name, the id or the description. One or two characters: what the name begins with, or the whole id.",
		},
		{Name: "kind", Label: "Kind", Kind: "select", Options: kinds},
		{Name: "type", Label: "Type", Kind: "select", Options: []option{all, {Value: "confidential", Label: "confidential"}, {Value: "public", Label: "public"}}},
		{Name: "feature", Label: "Feature", Kind: "select", Options: features},
		{Name: "active", Label: "Status", Kind: "select", Options: []option{all, {Value: "true", Label: "active"}, {Value: "false", Label: "inactive"}}},
		{Name: "unused", Label: "Used", Kind: "select", Options: []option{all, {Value: "90", Label: "not for 90 days"}}},
		{Name: "expiring", Label: "Secrets", Kind: "select", Options: []option{all, {Value: "30", Label: "that expire within 30 days"}}},
		{Name: "tag", Label: "Tag"},
	}
	for _, f := range list {
		f.Value = value(f.Name)
		if f.Kind == "select" && !slices.ContainsFunc(f.Options, func(o option) bool { return o.Value == f.Value }) {
			f.Value = "" // put together by hand
		}
	}
	return list
}
