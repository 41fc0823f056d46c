package api

import (
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/instance"
)

// InApplication is the path of what is below an application.
type InApplication struct {
	App string `path:"app" doc:"The id of the application."`
}

// madeApplication is the answer to the creation of one: the only time that the
// secret is shown.
type madeApplication struct {
	application.View
	OwnerClientID     string `json:"owner_client_id" doc:"A client with the feature owner, made with it."`
	OwnerClientSecret string `json:"owner_client_secret" doc:"Its secret, shown this once."`
}

func (a *api) applications(b *builder) {
	const all, one = "/applications", "/applications/{app}"
	handle(b, operation{
		method: http.MethodGet, path: all, id: "list-applications", tag: "applications", need: admin.Read,
		summary: "List applications: all of them for an owner of the default application and administrators of the instance, else the caller's own",
	}, a.listApplications)
	handle(b, operation{
		method: http.MethodPost, path: all, id: "create-application", tag: "applications", need: admin.EditApplication,
		summary: "Make an application, for an owner client of the default application with its secret and for administrators of the instance", status: http.StatusCreated,
		body: newApplicationBody(), refuses: []int{http.StatusConflict},
	}, a.createApplication)
	handle(b, operation{
		method: http.MethodGet, path: one, id: "get-application", tag: "applications", need: admin.Read,
		summary: "Show an application and its settings",
	}, a.getApplication)
	handle(b, operation{
		method: http.MethodPatch, path: one, id: "edit-application", tag: "applications", need: admin.EditApplication,
		summary: "Change settings", body: b.applicationBody(), refuses: []int{http.StatusPreconditionFailed},
	}, a.editApplication)
	handle(b, operation{
		method: http.MethodDelete, path: one, id: "delete-application", tag: "applications", need: admin.EditApplication,
		summary: "Delete an application and everything in it; all of it is dead at once", status: http.StatusNoContent,
		refuses: []int{http.StatusConflict, http.StatusPreconditionFailed},
	}, a.deleteApplication)
}

func newApplicationBody() *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, Required: []string{"name"}, AdditionalProperties: false, Properties: map[string]*huma.Schema{
		"id":     {Type: huma.TypeString, Nullable: true, Pattern: "^[a-z0-9-]{3,40}$", Description: "The id, which is part of every URL of the application; left out, one of 26 characters is made. It can't be changed."},
		"name":   {Type: huma.TypeString, Description: "1 to 255 characters."},
		"preset": {Type: huma.TypeString, Nullable: true, Description: "Settings as those expect who come from another product: akamai, appdirect or webmethods."},
	}}
}

// settingDocs describe the members of an application.
var settingDocs = map[string]string{
	"id":                   "The id, part of every URL of the application.",
	"name":                 "1 to 255 characters.",
	"issuer":               "The URL that names the application to its clients.",
	"security_profile":     "oauth2.1, or oauth2: then clients may be allowed the grants password and implicit.",
	"scope_policy":         "enforced: a request must name its scopes; optional: a client may be let off that.",
	"secret_policy":        "once: a secret is shown when it is made and never again; revealable: those made from now on are also sealed, and can be seen again.",
	"signing_algorithm":    "ES256, RS256 or EdDSA. A change makes a key of the other algorithm, which signs at once.",
	"refresh_retry_window": "Seconds in which a refresh whose answer was lost may be repeated, 0 to 3,600.",
	"code_lifetime":        "Seconds that an authorization code lives, 1 to 600.",
	"session_lifetime":     "Seconds that a user stays signed in after the last proof of who he is, 1 to 31,536,000. A shorter one acts on sessions that are there.",
	"registration":         "Whether people may make accounts by themselves, by a link that is sent to their address.",
	"capture_api":          "Whether the user-record API of the Akamai Identity Cloud is served. It is kept and shown, and acts on nothing yet.",
	"legacy_paths":         "Whether the default application is served at the paths of other products too: /oauth2/authorize, /oauth2/token, /integration/rest/oAuth/authorize and /integration/rest/oAuth/getToken.",
	"legacy_token_query":   "Whether the token endpoint takes its parameters from the query string too.",
	"claims_in_id_token":   "Whether the claims of the granted scopes stand in the id_token.",
	"vendor_name":          "The name that the texts of the Configuration API bear.",
	"branding":             "How pages for users present the application. The logo is fetched by the server, which shows a copy of its own.",
}

// applicationBody is the schema of a patch, and completes that of the answer.
func (b *builder) applicationBody() *huma.Schema {
	schemaOf[application.View](b)
	registry := b.huma.OpenAPI().Components.Schemas
	view := registry.Map()["Application"]
	body := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Properties: map[string]*huma.Schema{}}
	for name, s := range view.Properties {
		s.Description = settingDocs[name]
		if words := application.Words(name); words != nil {
			for _, w := range words {
				s.Enum = append(s.Enum, w)
			}
		}
		write := *s
		write.ReadOnly = name == "id" || name == "issuer"
		write.Nullable = !write.ReadOnly && write.Ref == ""
		if write.Enum != nil {
			write.Enum = append(append([]any{}, write.Enum...), nil)
		}
		if name == "branding" {
			write = huma.Schema{Type: huma.TypeObject, Nullable: true, Description: s.Description, AdditionalProperties: false, Properties: brandingBody()}
		}
		body.Properties[name] = &write
	}
	registry.Map()["ApplicationPatch"] = body
	return &huma.Schema{Ref: "#/components/schemas/ApplicationPatch"}
}

func brandingBody() map[string]*huma.Schema {
	return map[string]*huma.Schema{
		"name":   {Type: huma.TypeString, Nullable: true, Description: "1 to 60 characters."},
		"logo":   {Type: huma.TypeString, Nullable: true, Description: "An https URL."},
		"colour": {Type: huma.TypeString, Nullable: true, Description: "#rrggbb."},
	}
}

func (a *api) view(app *application.Application) application.View { return app.View(a.issuer(app.ID)) }

func (a *api) listApplications(c *call, in *Paging) (*plainly[list[application.View]], error) {
	after, err := in.place()
	if err != nil {
		return nil, err
	}
	if c.caller != nil && !c.instance {
		return page([]application.View{a.view(c.app)}, ""), nil
	}
	access := c.access
	if c.caller != nil {
		access.Instance = true // an owner of the default application
	}
	found, more, err := a.Instance.Seen(c.Context(), access, after, in.Limit)
	if err != nil {
		return nil, err
	}
	next := ""
	if more {
		next = found[len(found)-1].ID
	}
	views := make([]application.View, len(found))
	for i, app := range found {
		views[i] = a.view(app)
	}
	return page(views, next), nil
}

func (a *api) createApplication(c *call, _ *struct{}) (*made[madeApplication], error) {
	if !c.instance {
		return nil, problem(http.StatusForbidden, "Only an owner client of the default application makes applications, with its secret, and an administrator of the instance.")
	}
	r, err := c.reader()
	if err != nil {
		return nil, err
	}
	draft := instance.Draft{ID: r.named("id"), Preset: r.named("preset")}
	name, _ := r.take("name")
	var refusal *fault.Error
	if draft.Name, refusal = application.CleanName(name); refusal != nil {
		r.problems = append(r.problems, refusal)
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	app, owner, err := a.Instance.Create(c.Context(), c.source(), draft)
	if err != nil {
		return nil, err
	}
	return &made[madeApplication]{
		etag(app.Revision), base + "/applications/" + app.ID,
		madeApplication{a.view(app), owner.ID, owner.Secret},
	}, nil
}

func (a *api) getApplication(c *call, _ *InApplication) (*tagged[application.View], error) {
	return &tagged[application.View]{etag(c.app.Revision), a.view(c.app)}, nil
}

type writeApplication struct {
	InApplication
	IfMatch
}

func (a *api) editApplication(c *call, in *writeApplication) (*tagged[application.View], error) {
	revision, err := in.revision()
	if err != nil {
		return nil, err
	}
	members, err := c.members()
	if err != nil {
		return nil, err
	}
	if err := a.fixedIssuer(c.app.ID, members["issuer"]); err != nil {
		return nil, err
	}
	app, err := a.Settings.Patch(c.Context(), c.source(), c.app.ID, members, revision)
	if err != nil {
		return nil, err
	}
	return &tagged[application.View]{etag(app.Revision), a.view(app)}, nil
}

// fixedIssuer refuses another issuer than the one that is: it follows from the
// id and the server's URL, which the core does not know.
func (a *api) fixedIssuer(applicationID string, sent json.RawMessage) error {
	var issuer string
	if sent == nil || json.Unmarshal(sent, &issuer) == nil && issuer == a.issuer(applicationID) {
		return nil
	}
	return refused(Refusal{"body.issuer", "The issuer follows from the id; leave it out."})
}

func (a *api) deleteApplication(c *call, in *writeApplication) (*nothing, error) {
	revision, err := in.revision()
	if err != nil {
		return nil, err
	}
	return &nothing{}, a.Instance.Delete(c.Context(), c.source(), c.app.ID, revision)
}
