// Package admin says what people who administer an application may do: their
// roles, and one table of what each permits. It keeps nobody's account.
package admin

import (
	"slices"

	"github.com/ostiary/ostiary/internal/core/fault"
)

// Role is what somebody is in an application. The zero value is nobody, who may
// do nothing.
type Role string

// The roles. A program with the feature `owner`, or with a token of the scope
// ostiary:admin, acts as Owner.
const (
	Owner     Role = "owner"
	Manager   Role = "manager"
	Developer Role = "developer"
	Viewer    Role = "viewer"
)

// Permission is something that a role may do, in words.
type Permission string

// The permissions.
const (
	Read               Permission = "read"         // all but secrets
	EditOwnClients     Permission = "edit clients" // those that he made, and their secrets and tokens
	EditClients        Permission = "edit clients that others made"
	EditGuardedClients Permission = "make or edit clients with features or ostiary:* scopes"
	GiveSecrets        Permission = "choose a client's secret"
	RevealSecrets      Permission = "reveal secrets"
	EditScopes         Permission = "edit scopes and resources"
	EditUsers          Permission = "edit users"
	RevokeTokens       Permission = "revoke tokens"
	EditApplication    Permission = "change the application: its settings, keys and roles"
)

// permissions of each role; each has those of the roles below it.
var permissions = map[Role][]Permission{
	Viewer:    {Read},
	Developer: {Read, EditOwnClients},
	Manager:   {Read, EditOwnClients, EditClients, EditScopes, EditUsers, RevokeTokens},
	Owner: {
		Read, EditOwnClients, EditClients, EditGuardedClients, GiveSecrets, RevealSecrets,
		EditScopes, EditUsers, RevokeTokens, EditApplication,
	},
}

// May reports whether the role has the permission.
func (r Role) May(p Permission) bool { return slices.Contains(permissions[r], p) }

// Require refuses, with a fault Denied, what the role may not do.
func (r Role) Require(p Permission) error {
	if r.May(p) {
		return nil
	}
	for _, least := range []Role{Viewer, Developer, Manager} {
		if least.May(p) {
			return fault.Deniedf("You need the role %s, or a higher one, to %s.", least, p)
		}
	}
	return fault.Deniedf("You need the role %s to %s.", Owner, p)
}
