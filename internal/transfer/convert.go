package transfer

import (
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/scope"
)

// Entry is a client of another product, in our terms.
type Entry struct {
	Number  int // its place in the file, from 1
	Name    string
	Record  client.Record
	Refused []Refusal // why it cannot be taken over at all; then there is no record
	Notes   []Refusal // what of it has no counterpart here, and what became of that
}

// Source is a product whose clients can be read.
type Source struct {
	Name    string
	members []string
	convert func(raw json.RawMessage, e *Entry)
}

// Sources gives the products.
func Sources() []Source {
	return []Source{
		{"akamai", nil, fromAkamai},
		{"hydra", []string{"items", "clients"}, fromHydra},
		{"keycloak", []string{"clients"}, fromKeycloak},
	}
}

// SourceOf gives the product of a name; ok is false where there is none.
func SourceOf(name string) (s Source, ok bool) {
	for _, s := range Sources() {
		if s.Name == name {
			return s, true
		}
	}
	return Source{}, false
}

// Convert gives the clients of a file of the product, in their order.
func (s Source) Convert(in io.Reader, visit func(*Entry) error) error {
	number, seen := 0, map[string]bool{}
	return objects(in, s.members, func(raw json.RawMessage) error {
		number++
		e := &Entry{Number: number}
		s.convert(raw, e)
		if len(e.Refused) == 0 {
			e.distinguish(seen)
		}
		return visit(e)
	})
}

// distinguish gives a client whose name another one of the file has a version,
// since name and version together are unique here: its id.
func (e *Entry) distinguish(seen map[string]bool) {
	r := &e.Record
	if r.Name == nil || r.ID == nil {
		return
	}
	const longest = 40
	if key := strings.ToLower(strings.TrimSpace(*r.Name)); !seen[key] {
		seen[key] = true
		return
	}
	version := *r.ID
	if len(version) > longest {
		version = version[len(version)-longest:]
	}
	r.Version = &version
	e.note("version", "Another client has the same name, so this one got a version, made from its id.")
}

func (e *Entry) refuse(field, text string) {
	e.Refused = append(e.Refused, Refusal{field, text})
}

func (e *Entry) note(field, format string, args ...any) {
	e.Notes = append(e.Notes, Refusal{field, fmt.Sprintf(format, args...)})
}

// read decodes an entry whose members may be of other types than expected.
func (e *Entry) read(raw json.RawMessage, into any) bool {
	if !utf8.Valid(raw) {
		e.refuse("", notUTF8)
		return false
	}
	if json.Unmarshal(raw, into) != nil {
		e.refuse("", "This is no client as the product writes it.")
		return false
	}
	return true
}

// given gives a pointer to a value that is not the zero one, else nil.
func given[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// listed gives a pointer to a list that is not empty, else nil.
func listed(values []string) *[]string {
	if len(values) == 0 {
		return nil
	}
	return &values
}

// grant names, for the choice of a kind.
const (
	code        = string(oauth.AuthorizationCode)
	refreshing  = string(oauth.RefreshToken)
	credentials = string(oauth.ClientCredentials)
	password    = string(oauth.Password)
	implicit    = string(oauth.Implicit)
)

// kindOf chooses the narrowest kind that has room for a client.
func kindOf(public bool, grants, redirects []string) client.Kind {
	within := func(allowed ...string) bool {
		return !slices.ContainsFunc(grants, func(g string) bool { return !slices.Contains(allowed, g) })
	}
	switch {
	case public && slices.ContainsFunc(redirects, native) && slices.Contains(grants, code) && within(code, refreshing):
		return client.Native
	case public && within(code, refreshing, implicit) && len(grants) > 0:
		return client.SPA
	case !public && len(grants) == 1 && grants[0] == credentials:
		return client.Service
	case !public && within(code, refreshing, password) && len(grants) > 0:
		return client.Web
	default:
		return client.Other
	}
}

// native reports whether a redirect URI leads to an application on the user's
// own machine: a scheme of its own, or a loopback address.
func native(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil {
		return false
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		return true
	}
	address, err := netip.ParseAddr(u.Hostname())
	return err == nil && address.IsLoopback()
}

// settle completes a record by its grants, redirect URIs and type.
func (e *Entry) settle(public bool, grants, redirects []string) {
	r := &e.Record
	kind := kindOf(public, grants, redirects)
	r.Kind, r.GrantTypes, r.RedirectURIs = &kind, &grants, listed(redirects)
	if kind == client.Other {
		r.Type = new(client.Confidential)
		if public {
			r.Type = new(client.PublicType)
		}
	}
}

// withoutUser leaves out the scopes of OpenID Connect where there is no user:
// they say nothing there, and other products let such a client have them.
func (e *Entry) withoutUser(scopes []string) []string {
	if *e.Record.Kind != client.Service {
		return scopes
	}
	return slices.DeleteFunc(scopes, scope.IsOpenID)
}
