package client

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client/rule/ratelimit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/key"
)

// Record is a client as it moves from one instance, or product, to another: what
// an import takes and an export gives.
type Record struct {
	Fields

	// SecretHash is a hash of the client's secret in a form that key.CheckHash
	// takes. It is remade when the secret is first used.
	SecretHash *string `json:"secret_hash,omitempty"`
	// CreatedAt is kept, so that the client is as old as it was; nil: now.
	CreatedAt *time.Time `json:"created_at,omitempty"`
}

// ParseRecord reads a record as ParseFields reads fields. What is read only,
// save created_at, is ignored.
func ParseRecord(document []byte) (Record, error) {
	members, err := parseMembers(document)
	if err != nil {
		return Record{}, err
	}
	var r Record
	var problems fault.Problems
	if raw := members["secret_hash"]; raw != nil {
		if json.Unmarshal(raw, &r.SecretHash) != nil || r.SecretHash != nil && key.CheckHash(*r.SecretHash) != nil {
			problems.Add("secret_hash", "%s", hashRefusal)
		}
		delete(members, "secret_hash")
	}
	if raw := members["created_at"]; raw != nil && json.Unmarshal(raw, &r.CreatedAt) != nil {
		problems.Add("created_at", "Write a time as RFC 3339 has it, such as 2026-01-31T12:00:00Z.")
	}
	problems = append(r.read(members), problems...)
	return r, inOrder(problems).OrNil()
}

const hashRefusal = "Write a hash that can be checked here: " + key.HashForms + "."

// Record gives the client as an export writes it, without its secrets. What
// follows from something else is left out, so that it goes on following.
func (c *Client) Record(app *application.Application) Record {
	v := c.View(app, "", Usage{})
	s := &c.Settings
	limits, created := AddressList(v.AllowedIPs), v.CreatedAt
	r := Record{CreatedAt: &created, Fields: Fields{
		ID: &v.ID, Name: &v.Name, Version: &v.Version, Description: &v.Description, Kind: &v.Kind, Type: &v.Type,
		TokenEndpointAuthMethod: &v.TokenEndpointAuthMethod,
		RedirectURIs:            &v.RedirectURIs, PostLogoutRedirectURIs: &v.PostLogoutRedirectURIs, AllowedOrigins: &v.AllowedOrigins,
		BackchannelLogoutURI: v.BackchannelLogoutURI, BackchannelLogoutSessionRequired: &v.BackchannelLogoutSessionRequired,
		Scopes: &v.Scopes, RequireRequestedScopes: &v.RequireRequestedScopes, RequirePKCE: &v.RequirePKCE,
		AllowedIPs: &limits, Features: &v.Features,
		AccessTokenLifetime:   &v.AccessTokenLifetime,
		RefreshFamilyLifetime: &v.RefreshFamilyLifetime, RefreshLimit: &v.RefreshLimit, RefreshRotation: &v.RefreshRotation,
		Active: &v.Active, Tags: &v.Tags, Contacts: &v.Contacts, IssueSecret: &v.IssueSecret,
	}}
	if s.GrantTypes != nil {
		r.GrantTypes = &v.GrantTypes
	}
	if s.AccessToken.Format != "" {
		r.AccessTokenFormat = &v.AccessTokenFormat
	}
	if s.Refresh.Seconds != 0 {
		r.RefreshTokenLifetime = &v.RefreshTokenLifetime
	}
	if s.RateLimit != (ratelimit.Setting{}) {
		r.RateLimit = v.RateLimit
	}
	return r
}

// same reports whether a client is what another would be, but for its secrets
// and for who made it when.
func (c *Client) same(other *Client) bool {
	a, b := c.Settings, other.Settings
	a.OwnedBy, b.OwnedBy = "", ""
	return c.Name == other.Name && c.Version == other.Version && c.Kind == other.Kind && c.Public == other.Public &&
		c.Inactive == other.Inactive && slices.Equal(mustJSON(&a), mustJSON(&b))
}
