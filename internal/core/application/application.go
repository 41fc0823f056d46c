// Package application owns the boundary around clients, users, scopes and
// tokens: an application is an OAuth issuer with settings of its own. It does
// not know what is inside the boundary.
package application

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// Application is one application as stored. Values handed out by a Registry are
// shared: they must not be changed.
type Application struct {
	ID        string
	Name      string
	Settings  Settings
	Revision  int64 // grows with every change
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Store keeps applications. Every method is one transaction.
type Store interface {
	// Get gives an application; a fault NotFound where there is none.
	Get(ctx context.Context, id string) (*Application, error)
	// Change reads the application, lets change alter its settings and name,
	// and stores it with the audit event that change gives back, all in one
	// transaction. change may run more than once. NotFound as Get; an error of
	// change is handed on and nothing is stored.
	Change(ctx context.Context, id string, change func(*Application) (audit.Event, error)) (*Application, error)
}

// validID is the form of an id that an operator may choose (the made ones have
// it too).
var validID = regexp.MustCompile(`^[a-z0-9-]{3,40}$`)

// ValidateID refuses an id that is malformed or a reserved path segment.
func ValidateID(id string) error {
	if !validID.MatchString(id) {
		return fault.Invalidf("id", "An application id has 3 to 40 characters of a-z, 0-9 and -.")
	}
	if Reserved(id) {
		return fault.Invalidf("id", "This word is reserved for a path of the server; choose another id.")
	}
	return nil
}

// reserved are the first path segments that belong to the server. The router
// and ValidateID both ask Reserved; there is no second table.
var reserved = map[string]bool{
	"config": true, "api": true, "console": true, "entity": true, "entityType": true,
	"clients": true, "settings": true, "access": true, "oauth": true, "oauth2": true,
	"integration": true, "signin": true, "consent": true, "account": true, "device": true,
	"static": true, "livez": true, "readyz": true, "metrics": true, ".well-known": true,
}

// Reserved reports whether a first path segment belongs to the server itself
// rather than to an application.
func Reserved(segment string) bool {
	return reserved[segment] || strings.HasPrefix(segment, "entity.") || strings.HasPrefix(segment, "entityType.")
}
