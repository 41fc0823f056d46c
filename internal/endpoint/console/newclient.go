package console

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/endpoint/page"
)

// newClientPath is not below the clients: any name there is the id of one.
const newClientPath = inApplication + "/new-client"

func newClientRoutes(s *routes) {
	s.get(newClientPath, to(admin.EditOwnClients), (*visit).newClient)
	s.post(newClientPath, to(admin.EditOwnClients), (*visit).createClient)
	s.get(inClient, toRead, (*visit).clientSettings)
	s.post(inClient, to(admin.EditOwnClients), (*visit).editClient)
	s.get(inClient+"/endpoints", toRead, (*visit).clientEndpoints)
}

// kindCard is a kind to choose.
type kindCard struct {
	Kind              client.Kind
	Path, Title, Text string
	Can               string // the type of its clients
}

var kindCards = []kindCard{
	{Kind: client.Web, Title: "Web server", Can: "confidential", Text: "A site that signs users in and keeps its secret on a server."},
	{Kind: client.SPA, Title: "Single page", Can: "public", Text: "JavaScript in the browser. It can keep no secret; PKCE protects its codes."},
	{Kind: client.Native, Title: "Native app", Can: "public", Text: "A program on people's phones and computers, with a scheme of its own or a loopback address."},
	{Kind: client.Service, Title: "Service", Can: "confidential", Text: "A program without users: a job, another server. It acts for itself (client credentials)."},
	{Kind: client.Other, Title: "Other", Can: "either", Text: "Any mix of grants, and the features of the Configuration API."},
}

type newClientData struct {
	Path     string
	Cards    []kindCard
	Kind     kindCard
	Sections []formSection
	Back     string
}

// newClient asks for the kind, and then for what clients of the kind have.
func (v *visit) newClient() error {
	kind := v.form.Get("kind")
	if kind == "" {
		d := newClientData{Path: v.at("new-client"), Cards: slices.Clone(kindCards)}
		for i := range d.Cards {
			d.Cards[i].Path = with(d.Path, "kind", string(d.Cards[i].Kind))
		}
		return v.show(http.StatusOK, "kinds", v.newClientPage(d))
	}
	f, card, err := v.newClientForm(kind)
	if err != nil {
		return err
	}
	return v.showNewClient(http.StatusOK, f, card, nil)
}

func (v *visit) newClientPage(d newClientData) pageOf {
	return pageOf{Title: "New API client", Section: "clients", Crumbs: []crumb{{"API clients", v.at("clients")}}, Data: d}
}

var errNoKind = fault.NotFoundf("There is no such kind of client.")

func (v *visit) newClientForm(kind string) (*clientForm, kindCard, error) {
	i := slices.IndexFunc(kindCards, func(c kindCard) bool { return string(c.Kind) == kind })
	if i < 0 {
		return nil, kindCard{}, errNoKind
	}
	f, err := v.clientForm(kindCards[i].Kind, nil)
	return f, kindCards[i], err
}

func (v *visit) showNewClient(status int, f *clientForm, card kindCard, problems []page.Problem) error {
	d := newClientData{Path: v.at("new-client"), Kind: card, Sections: f.sections(problems), Back: v.at("new-client")}
	p := v.newClientPage(d)
	p.Problems = summary(problems, fieldsOf(d.Sections)...)
	return v.show(status, "new-client", p)
}

// createClient makes the client of the form; the answer shows its secret.
func (v *visit) createClient() error {
	f, card, err := v.newClientForm(v.form.Get("kind"))
	if err != nil {
		return err
	}
	f.take(v.form)
	if v.form.Get("add") != "" {
		f.addAddress()
		return v.showNewClient(http.StatusOK, f, card, nil)
	}
	made, secret, err := v.makeClient(f)
	if err != nil {
		status, problems, err := refusedForm(err)
		if err != nil {
			return err
		}
		return v.showNewClient(status, f, card, problems)
	}
	return v.created(made, secret)
}

func (v *visit) makeClient(f *clientForm) (*client.Client, string, error) {
	d, err := f.document(f.values)
	if err != nil {
		return nil, "", err
	}
	if d["kind"], err = json.Marshal(f.kind); err != nil {
		return nil, "", err
	}
	text, err := json.Marshal(d)
	if err != nil {
		return nil, "", err
	}
	fields, err := client.ParseFields(text)
	if err != nil {
		return nil, "", err
	}
	return v.operations().CreateFrom(v.r.Context(), v.source, v.app, fields, client.CreateOptions{})
}

type createdData struct {
	Client   client.View
	Once     secretMade // Secret "": it has none
	Snippets snippets
	Path     string // of the client
}

// created says what was made, with the secret, this once.
func (v *visit) created(made *client.Client, secret string) error {
	view := made.View(v.app, v.Issuers().Of(v.app.ID), client.Usage{})
	snippets, err := v.snippets(&view, secret)
	if err != nil {
		return err
	}
	return v.show(http.StatusCreated, "created", pageOf{
		Title: "Made: " + view.Name, Section: "clients", Crumbs: []crumb{{"API clients", v.at("clients")}},
		Data: createdData{view, secretOf(v.app, made.ID, secret), snippets, v.at("clients", view.ID)},
	})
}
