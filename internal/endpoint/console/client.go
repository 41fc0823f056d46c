package console

import (
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/web"
)

// inClient begins the paths of what is in one client.
const inClient = inApplication + "/clients/{client}"

// clientHead is what stands above each of a client's pages: its name, whether it
// is active, and the tabs. Its template is "client-head".
type clientHead struct {
	Client client.View
	Path   string // of its first page
	Tabs   []navLink
	Switch string // path of the question whether to switch it off, or on; "": not his to do
	Delete string // so too
	Stays  bool   // it governs the application, and cannot be deleted
}

// clientTabs are the pages of a client, in order.
var clientTabs = []struct{ label, path string }{
	{"Settings", ""}, {"Endpoints", "endpoints"}, {"Secrets", "secrets"}, {"Tokens", "tokens"}, {"Activity", "activity"},
}

// client gives the client of the path, with when it was last used.
func (v *visit) client() (*client.Client, client.View, error) {
	id := v.r.PathValue("client")
	if !client.ValidID(id) {
		return nil, client.View{}, web.ErrNotFound
	}
	found, err := v.Clients.Get(v.r.Context(), v.app.ID, id)
	if err != nil {
		return nil, client.View{}, err
	}
	views, err := v.Inventory.Views(v.r.Context(), v.app, v.Issuers().Of(v.app.ID), found)
	if err != nil {
		return nil, client.View{}, err
	}
	return found, views[0], nil
}

// clientPage is a page of a client: its data, whose tab it is.
func (v *visit) clientPage(found *client.Client, view *client.View, tab string, data any) pageOf {
	head := clientHead{Client: *view, Path: v.at("clients", view.ID)}
	for _, t := range clientTabs {
		path := head.Path
		if t.path != "" {
			path += "/" + t.path
		}
		head.Tabs = append(head.Tabs, navLink{t.label, path, t.path == tab})
	}
	if v.operations().MayEdit(found) {
		head.Switch = head.Path + "/deactivate"
		if head.Stays = found.Settings.Features.Has(client.Owner); !head.Stays {
			head.Delete = head.Path + "/delete"
		}
		if !view.Active {
			head.Switch = head.Path + "/activate"
		}
	}
	return pageOf{
		Title: found.Title(), Section: "clients", Crumbs: []crumb{{"API clients", v.at("clients")}}, Data: clientData{head, data},
	}
}

// clientData is the data of every page of a client.
type clientData struct {
	Head clientHead
	Tab  any
}

// operations are those on clients that this administrator may use.
func (v *visit) operations() *client.Operations {
	return v.Operations.By(v.role, v.who.Email)
}
