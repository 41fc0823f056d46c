// Package console is the pages in which administrators work: applications and
// their clients, tokens, users, scopes, keys, audit events and settings. It knows
// how things are shown and what a form sends; what may be done, and by whom, is
// decided in the core, by the same services as under the management API. Signing
// in and the administrator's own account are package signin's pages.
package console

import (
	"embed"
	"io/fs"
	"time"

	"github.com/ostiary/ostiary/internal/core/administrator"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/inventory"
	"github.com/ostiary/ostiary/internal/core/consent"
	"github.com/ostiary/ostiary/internal/core/instance"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/core/resource"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/core/usage"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/endpoint/page"
	"github.com/ostiary/ostiary/internal/logo"
	"github.com/ostiary/ostiary/internal/web"
)

//go:embed templates messages
var files embed.FS

// Deps is what the pages ask.
type Deps struct {
	Administrators *administrator.Operations
	Applications   *application.Registry
	Settings       *application.Operations
	Instance       *instance.Operations
	Clients        *client.Registry
	Operations     *client.Operations
	Inventory      *inventory.Inventory
	Usage          *usage.Meter
	Scopes         *scope.Operations
	Resources      *resource.Operations
	Users          *user.Operations
	People         *user.Registry
	Sessions       *session.Service
	SignIn         *signin.Service // of the applications' users
	OwnSignIn      *signin.Service // of administrators
	Consents       *consent.Service
	Tokens         *token.Service
	Signers        *key.Signers
	Audit          audit.Reader
	Issuers        func() application.Issuers
	URL            string     // under which browsers reach the console's host, without a slash at the end
	Cookie         web.Cookie // of administrators' sessions
	Now            func() time.Time
	Static         *web.Static // of package page

	// Logos gives the logo at a URL, and why it could not be fetched: logo.ErrNotYet
	// where it was not tried yet.
	Logos func(url string) (*logo.Image, error)
}

// Console makes the pages. It is safe for concurrent use.
type Console struct {
	Deps
	set  *page.Set
	self *application.Application // what administrators sign in to

	uploads *uploads
}

// New reads the templates.
func New(d Deps) (*Console, error) {
	templates, err := fs.Sub(files, "templates")
	if err != nil {
		return nil, err
	}
	messages, err := fs.Sub(files, "messages")
	if err != nil {
		return nil, err
	}
	set, err := page.NewSet(d.Static, templates, messages, functions)
	if err != nil {
		return nil, err
	}
	return &Console{Deps: d, set: set, self: administrator.Application(), uploads: newUploads()}, nil
}

// Close ends what goes on beside requests, before the store is closed.
func (c *Console) Close() { c.uploads.end() }
