package client

import (
	"github.com/ostiary/ostiary/internal/core/client/rule/granttype"
	"github.com/ostiary/ostiary/internal/core/client/rule/ipallow"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/client/rule/pkce"
	"github.com/ostiary/ostiary/internal/core/client/rule/ratelimit"
	"github.com/ostiary/ostiary/internal/core/client/rule/redirect"
	"github.com/ostiary/ostiary/internal/core/client/rule/refresh"
	"github.com/ostiary/ostiary/internal/core/client/rule/scopepolicy"
)

// Settings are what an operator says of a client beyond its name and kind: one
// JSON column, one field a rule. The zero value of each field is the default
// and the strictest choice, so an old row never gains a right by a new field.
type Settings struct {
	Description string              `json:"description,omitempty"`
	Features    Features            `json:"features,omitempty"`
	AuthMethod  string              `json:"auth_method,omitempty"`  // client_secret_post; "": by type
	IssueSecret bool                `json:"issue_secret,omitempty"` // kind native: it has a secret although public
	GrantTypes  granttype.Setting   `json:"grant_types,omitzero"`   // nil: derived from kind and features
	Scopes      scopepolicy.Setting `json:"scopes,omitzero"`
	AllowedIPs  ipallow.Setting     `json:"allowed_ips,omitempty"` // empty: everyone
	AccessToken lifetime.Setting    `json:"access_token,omitzero"`
	Refresh     refresh.Setting     `json:"refresh,omitzero"`
	Redirect    redirect.Setting    `json:"redirect,omitzero"`
	PKCE        pkce.Setting        `json:"pkce,omitzero"`
	RateLimit   ratelimit.Setting   `json:"rate_limit,omitzero"`
	Tags        []string            `json:"tags,omitempty"`
	Contacts    []string            `json:"contacts,omitempty"`
	OwnedBy     string              `json:"owned_by,omitempty"` // the administrator who made it; "": a program did
}
