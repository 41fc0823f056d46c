package api

import (
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/client"
)

// InSecret is the path of one secret.
type InSecret struct {
	InClient
	Secret string `path:"secret" doc:"The id of the secret."`
}

type writeSecret struct {
	InSecret
	IfMatch
}

type secretPage struct {
	InClient
	Paging
}

// NewSecret is the answer to the making of a secret: the only time that it is
// shown.
type NewSecret struct {
	client.SecretView
	Secret string `json:"secret" doc:"The secret, shown this once."`
}

// Revealed is a secret that was looked at.
type Revealed struct {
	Secret string `json:"secret"`
}

func (a *api) secrets(b *builder) {
	const all, one = "/applications/{app}/clients/{id}/secrets", "/applications/{app}/clients/{id}/secrets/{secret}"
	handle(b, operation{
		method: http.MethodGet, path: all, id: "list-secrets", tag: "clients", need: admin.Read,
		summary: "List the secrets of a client, the oldest first", refuses: []int{http.StatusNotFound},
	}, a.listSecrets)
	handle(b, operation{
		method: http.MethodPost, path: all, id: "create-secret", tag: "clients", need: admin.EditOwnClients,
		summary: "Make one more secret; the answer shows it this once", status: http.StatusCreated, loose: true,
		body: newSecretBody(), refuses: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, a.createSecret)
	handle(b, operation{
		method: http.MethodDelete, path: one, id: "delete-secret", tag: "clients", need: admin.EditOwnClients,
		summary: "End a secret at once", status: http.StatusNoContent, refuses: []int{http.StatusNotFound, http.StatusPreconditionFailed},
	}, a.deleteSecret)
	handle(b, operation{
		method: http.MethodPost, path: one + "/reveal", id: "reveal-secret", tag: "clients", need: admin.RevealSecrets,
		summary: "Show a secret again, where it was made under the policy revealable; each look is audited",
		refuses: []int{http.StatusNotFound, http.StatusConflict},
	}, a.revealSecret)
}

func newSecretBody() *huma.Schema {
	least, most := 0.0, float64(client.MaxHoursToLive)
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Properties: map[string]*huma.Schema{
		"label":      {Type: huma.TypeString, Nullable: true, Description: "What it is for."},
		"expires_at": {Type: huma.TypeString, Format: "date-time", Nullable: true, Description: "When it ends; null: never."},
		"retire_others_in_hours": {
			Type: huma.TypeInteger, Format: "int64", Nullable: true, Minimum: &least, Maximum: &most,
			Description: "How long the others still work, in hours; 0: no more; null: they stay as they are.",
		},
	}}
}

func (a *api) listSecrets(c *call, in *secretPage) (*plainly[list[client.SecretView]], error) {
	found, err := a.find(c, in.ID)
	if err != nil {
		return nil, err
	}
	view, err := a.show(c, found)
	if err != nil {
		return nil, err
	}
	return pageOf(&in.Paging, view.Secrets, func(s client.SecretView) string { return s.ID })
}

func (a *api) createSecret(c *call, in *writeClient) (*made[NewSecret], error) {
	revision, err := in.revision()
	if err != nil {
		return nil, err
	}
	r, err := c.reader()
	if err != nil {
		return nil, err
	}
	var fields client.SecretFields
	if label, ok := r.members["label"]; ok && string(label) != "null" {
		text := r.text("label")
		fields.Label = &text
	}
	delete(r.members, "label")
	fields.ExpiresAt = r.instant("expires_at")
	fields.RetireOthersInHours = r.integer("retire_others_in_hours")
	if err := r.end(); err != nil {
		return nil, err
	}
	if _, err := a.find(c, in.ID); err != nil {
		return nil, err
	}
	changed, fresh, text, err := a.operations(c).AddSecret(c.Context(), c.source(), c.app, in.ID, fields, revision)
	if err != nil {
		return nil, err
	}
	views := changed.SecretViews(client.Usage{})
	i := slices.IndexFunc(views, func(v client.SecretView) bool { return v.ID == fresh.ID })
	location := base + "/applications/" + c.app.ID + "/clients/" + in.ID + "/secrets/" + fresh.ID
	return &made[NewSecret]{changed.ETag(), location, NewSecret{views[i], text}}, nil
}

// instant reads a time; nil where there is none.
func (r *reader) instant(name string) *time.Time {
	if raw, ok := r.members[name]; !ok || string(raw) == "null" {
		delete(r.members, name)
		return nil
	}
	text := r.text(name)
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		r.problems.Add(name, "Write a time as 2030-01-31T12:00:00Z (RFC 3339).")
	}
	return &t
}

func (a *api) deleteSecret(c *call, in *writeSecret) (*nothing, error) {
	revision, err := in.revision()
	if err != nil {
		return nil, err
	}
	if _, err := a.find(c, in.ID); err != nil {
		return nil, err
	}
	_, err = a.operations(c).RetireSecret(c.Context(), c.source(), c.app, in.ID, in.Secret, revision)
	return &nothing{}, err
}

func (a *api) revealSecret(c *call, in *InSecret) (*plainly[Revealed], error) {
	if _, err := a.find(c, in.ID); err != nil {
		return nil, err
	}
	text, err := a.operations(c).Reveal(c.Context(), c.source(), c.app, in.ID, in.Secret)
	return &plainly[Revealed]{Revealed{text}}, err
}
