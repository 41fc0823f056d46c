package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/inventory"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// InClient is the path of one client.
type InClient struct {
	InApplication
	ID string `path:"id" doc:"The id of the client."`
}

type writeClient struct {
	InClient
	IfMatch
}

type clientPage struct {
	InApplication
	Paging
	Q           string    `query:"q" maxLength:"100" doc:"Text in the name, the id or the description, without regard to case; with one or two characters: what the name begins with, or the whole id."`
	Kind        string    `query:"kind" enum:"web,spa,native,service,other" doc:"Only clients of this kind."`
	Type        string    `query:"type" enum:"confidential,public" doc:"Only clients of this type."`
	Feature     string    `query:"feature" enum:"owner,access_issuer,direct_access,direct_read_access,login_client,metadata" doc:"Only clients with this feature."`
	Active      string    `query:"active" enum:"true,false" doc:"Only clients that are active, or that are not."`
	Tag         string    `query:"tag" maxLength:"100" doc:"Only clients with this tag."`
	UnusedSince time.Time `query:"unused_since" doc:"Only clients not used since this time (RFC 3339), those first that are unused for longest."`
}

func (a *api) clients(b *builder) {
	const all, one = "/applications/{app}/clients", "/applications/{app}/clients/{id}"
	fields := b.clientFields()
	handle(b, operation{
		method: http.MethodGet, path: all, id: "list-clients", tag: "clients", need: admin.Read,
		summary: "List and search clients, in the order in which they were made",
	}, a.listClients)
	handle(b, operation{
		method: http.MethodPost, path: all, id: "create-client", tag: "clients", need: admin.EditOwnClients,
		summary: "Make a client; the answer shows its secret this once", status: http.StatusCreated, body: fields,
		refuses: []int{http.StatusConflict},
	}, a.createClient)
	handle(b, operation{
		method: http.MethodGet, path: one, id: "get-client", tag: "clients", need: admin.Read,
		summary: "Show a client", refuses: []int{http.StatusNotFound},
	}, a.getClient)
	writes := []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed}
	handle(b, operation{
		method: http.MethodPut, path: one, id: "replace-client", tag: "clients", need: admin.EditOwnClients,
		summary: "Replace a client's fields: what is left out goes back to its default", body: fields, refuses: writes,
	}, a.replaceClient)
	handle(b, operation{
		method: http.MethodPatch, path: one, id: "edit-client", tag: "clients", need: admin.EditOwnClients,
		summary: "Change fields of a client", body: fields, refuses: writes,
	}, a.editClient)
	handle(b, operation{
		method: http.MethodDelete, path: one, id: "delete-client", tag: "clients", need: admin.EditOwnClients,
		summary: "Delete a client and all that it was given", status: http.StatusNoContent, refuses: writes,
	}, a.deleteClient)
}

// operations are those that the caller may use.
func (a *api) operations(c *call) *client.Operations { return a.Operations.By(c.role, c.email) }

// show gives a client its form, with when it was last used.
func (a *api) show(c *call, found *client.Client) (client.View, error) {
	views, err := a.Inventory.Views(c.Context(), c.app, a.issuer(c.app.ID), found)
	if err != nil {
		return client.View{}, err
	}
	return views[0], nil
}

var errNoClient = fault.NotFoundf("There is no such client.")

// find gives the client in the path.
func (a *api) find(c *call, id string) (*client.Client, error) {
	if !client.ValidID(id) {
		return nil, errNoClient
	}
	return a.Clients.Get(c.Context(), c.app.ID, id)
}

func (a *api) createClient(c *call, _ *InApplication) (*made[client.View], error) {
	fields, err := c.fields()
	if err != nil {
		return nil, err
	}
	// The settings of the application decide what is taken: those of now.
	created, secret, err := a.operations(c).CreateFrom(c.Context(), c.source(), c.app, fields, client.CreateOptions{})
	if err != nil {
		return nil, err
	}
	view, err := a.show(c, created)
	view.Secret = secret
	return &made[client.View]{created.ETag(), base + "/applications/" + c.app.ID + "/clients/" + created.ID, view}, err
}

// fields reads the body as a client.
func (c *call) fields() (client.Fields, error) {
	document, err := c.document()
	if err != nil {
		return client.Fields{}, err
	}
	return client.ParseFields(document)
}

func (a *api) getClient(c *call, in *InClient) (*tagged[client.View], error) {
	found, err := a.find(c, in.ID)
	if err != nil {
		return nil, err
	}
	return a.tag(c, found)
}

func (a *api) tag(c *call, found *client.Client) (*tagged[client.View], error) {
	view, err := a.show(c, found)
	return &tagged[client.View]{found.ETag(), view}, err
}

func (a *api) replaceClient(c *call, in *writeClient) (*tagged[client.View], error) {
	revision, err := in.revision()
	if err != nil {
		return nil, err
	}
	fields, err := c.fields()
	if err != nil {
		return nil, err
	}
	if _, err := a.find(c, in.ID); err != nil {
		return nil, err
	}
	changed, err := a.operations(c).ReplaceFrom(c.Context(), c.source(), c.app, in.ID, fields, revision)
	if err != nil {
		return nil, err
	}
	return a.tag(c, changed)
}

func (a *api) editClient(c *call, in *writeClient) (*tagged[client.View], error) {
	revision, err := in.revision()
	if err != nil {
		return nil, err
	}
	patch, err := c.document()
	if err != nil {
		return nil, err
	}
	if _, err := a.find(c, in.ID); err != nil {
		return nil, err
	}
	changed, err := a.operations(c).Patch(c.Context(), c.source(), c.app, in.ID, patch, revision)
	if err != nil {
		return nil, err
	}
	return a.tag(c, changed)
}

func (a *api) deleteClient(c *call, in *writeClient) (*nothing, error) {
	revision, err := in.revision()
	if err != nil {
		return nil, err
	}
	if _, err := a.find(c, in.ID); err != nil {
		return nil, err
	}
	return &nothing{}, a.operations(c).DeleteAt(c.Context(), c.source(), c.app.ID, in.ID, revision)
}

func (a *api) listClients(c *call, in *clientPage) (*plainly[list[client.View]], error) {
	for name, text := range map[string]string{"q": in.Q, "tag": in.Tag} {
		if !inventory.ValidText(text) {
			return nil, inQuery(name, "Write text in UTF-8.")
		}
	}
	q := inventory.Query{UnusedSince: in.UnusedSince, Search: client.Search{
		Text: in.Q, Kind: client.Kind(in.Kind), Type: in.Type, Feature: client.Feature(in.Feature), Tag: in.Tag, Limit: in.Limit,
	}}
	if in.Active != "" {
		active := in.Active == "true"
		q.Active = &active
	}
	at, err := in.place()
	if err != nil {
		return nil, err
	}
	if q.At, err = inventory.ParsePlace(at); err != nil {
		return nil, errCursor
	}
	found, next, err := a.Inventory.List(c.Context(), c.app.ID, q)
	if errors.Is(err, inventory.ErrPlace) {
		return nil, errCursor // of another list
	}
	if err != nil {
		return nil, err
	}
	views, err := a.Inventory.Views(c.Context(), c.app, a.issuer(c.app.ID), found...)
	if err != nil {
		return nil, err
	}
	return page(views, next.String()), nil
}
