package client

import (
	"github.com/ostiary/ostiary/internal/core/client/rule/granttype"
	"github.com/ostiary/ostiary/internal/core/client/rule/ipallow"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/client/rule/scopepolicy"
)

// Settings are what an operator says of a client beyond its name and kind: one
// JSON column, one field a rule. The zero value of each field is the default
// and the strictest choice, so an old row never gains a right by a new field.
type Settings struct {
	Description string              `json:"description,omitempty"`
	Features    Features            `json:"features,omitempty"`
	GrantTypes  granttype.Setting   `json:"grant_types,omitzero"` // nil: derived from kind and features
	Scopes      scopepolicy.Setting `json:"scopes,omitzero"`
	AllowedIPs  ipallow.Setting     `json:"allowed_ips,omitempty"` // empty: everyone
	AccessToken lifetime.Setting    `json:"access_token,omitzero"`
}
