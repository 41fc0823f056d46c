package api

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/key"
)

// Key is a signing key as it is answered: its public half.
type Key struct {
	ID        string          `json:"id" doc:"The kid of its tokens."`
	Algorithm string          `json:"algorithm" enum:"ES256,RS256,EdDSA"`
	State     string          `json:"state" enum:"published,active,retired" doc:"published: it will sign from active_at on; active: it signs; retired: it signs no more, and what it signed may still live."`
	CreatedAt time.Time       `json:"created_at" doc:"Since when it is in the JWK set."`
	ActiveAt  time.Time       `json:"active_at" doc:"From when on it signs."`
	RetiredAt *time.Time      `json:"retired_at" doc:"From when on it signs no more; null: that is not planned yet."`
	JWK       json.RawMessage `json:"jwk" doc:"The public key (RFC 7517)."`
}

func (a *api) keys(b *builder) {
	const all = "/applications/{app}/keys"
	handle(b, operation{
		method: http.MethodGet, path: all, id: "list-keys", tag: "keys", need: admin.Read,
		summary: "List the signing keys, the oldest first",
	}, a.listKeys)
	handle(b, operation{
		method: http.MethodPost, path: all + "/rotate", id: "rotate-keys", tag: "keys", need: admin.EditApplication,
		summary: "Begin with the next signing key ahead of its schedule", loose: true, refuses: []int{http.StatusConflict},
		body: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Properties: map[string]*huma.Schema{
			"immediately": {
				Type: huma.TypeBoolean, Nullable: true, Default: false,
				Description: "false: the new key is published now and signs once everybody has had the time to learn of it. true: it signs at once, for a key that leaked; whoever has remembered the JWK set refuses its tokens until they fetch it again.",
			},
		}},
	}, a.rotateKeys)
	handle(b, operation{
		method: http.MethodDelete, path: all + "/{key}", id: "withdraw-key", tag: "keys", need: admin.EditApplication,
		summary: "Take a retired signing key, which leaked, out of the JWK set at once: what it signed is refused from now on",
		status:  http.StatusNoContent, refuses: []int{http.StatusNotFound, http.StatusConflict},
	}, a.withdrawKey)
}

type inKey struct {
	InApplication
	Key string `path:"key" doc:"The id of the key."`
}

func (a *api) keyViews(found []key.SigningKey) []Key {
	now := a.Now()
	items := make([]Key, len(found))
	for i, k := range found {
		items[i] = Key{ID: k.ID, Algorithm: k.Algorithm, State: k.State(now), CreatedAt: k.CreatedAt, ActiveAt: k.ActiveAt, JWK: k.Public}
		if !k.RetiredAt.IsZero() {
			items[i].RetiredAt = &k.RetiredAt
		}
	}
	return items
}

type keyPage struct {
	InApplication
	Paging
}

func (a *api) listKeys(c *call, in *keyPage) (*plainly[list[Key]], error) {
	found, err := a.Signers.Keys(c.Context(), c.app.ID)
	if err != nil {
		return nil, err
	}
	return pageOf(&in.Paging, a.keyViews(found), func(k Key) string { return k.ID })
}

func (a *api) rotateKeys(c *call, _ *InApplication) (*plainly[list[Key]], error) {
	r, err := c.reader()
	if err != nil {
		return nil, err
	}
	immediately := r.truth("immediately")
	if err := r.end(); err != nil {
		return nil, err
	}
	found, err := a.Signers.Rotate(c.Context(), c.source(), c.app.ID, c.app.Settings.Algorithm(), immediately)
	if err != nil {
		return nil, err
	}
	return page(a.keyViews(found), ""), nil
}

func (a *api) withdrawKey(c *call, in *inKey) (*struct{}, error) {
	return nil, a.Signers.Withdraw(c.Context(), c.source(), c.app.ID, in.Key)
}
