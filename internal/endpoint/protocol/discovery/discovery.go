// Package discovery publishes what others need to know of an application: its
// metadata (RFC 8414, OpenID Connect Discovery 1.0) and its public keys (RFC
// 7517). It announces what works and nothing else.
package discovery

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/endpoint/protocol"
	"github.com/ostiary/ostiary/internal/web"
)

const (
	openIDPath = "/{app}" + oauth.DiscoveryPath
	oauthPath  = "/.well-known/oauth-authorization-server/{app}" // RFC 8414 §3.1: the issuer's path comes last
	behindPath = "/{app}/.well-known/oauth-authorization-server" // where programs look that put it behind, as OpenID Connect does
)

// longest is how long an answer is cached at most: a signing key that had to be
// dropped is trusted no longer by anybody.
const longest = 15 * time.Minute

// Header values that all answers here share.
var (
	anyOrigin    = []string{"*"}
	exposed      = []string{"ETag"}
	methods      = []string{"GET, HEAD, OPTIONS"}
	fields       = []string{"*"}    // no credentials are taken here, so any header may be sent
	preflightAge = []string{"7200"} // seconds; no browser keeps one longer
)

type endpoint struct {
	*protocol.Parts
	offer        Offer
	cacheControl []string
	// made holds the metadata of each application that was asked for, by its id;
	// applications are made by operators.
	made sync.Map // application id -> *described
}

type document struct {
	body []byte
	etag string
	// The values of header fields, as net/http wants them.
	tags, length []string
}

func newDocument(body []byte, etag string) document {
	return document{body, etag, []string{etag}, []string{strconv.Itoa(len(body))}}
}

// described is the metadata with what it was made for.
type described struct {
	document
	basis
}

// basis is what the metadata of an application depends on, beside its id.
type basis struct {
	scopes    *scope.Published
	profile   application.SecurityProfile
	algorithm string
}

// Offer is what the server has, whatever an application's settings are.
type Offer struct {
	GrantTypes []oauth.GrantType // of the token endpoint
	Languages  []string          // of the pages for users
}

// Routes of metadata and keys. They take any origin, without credentials.
func Routes(p *protocol.Parts, offer Offer) []web.Route {
	// Well below PublishAhead, so that every verifier has a key before it signs.
	age := min(longest, p.PublishAhead/4)
	e := &endpoint{Parts: p, offer: offer, cacheControl: []string{fmt.Sprintf("public, max-age=%d", int(age.Seconds()))}}
	var routes []web.Route
	for _, mount := range []struct {
		path   string
		handle web.Handler
	}{
		{openIDPath, e.metadata},
		{oauthPath, e.metadata},
		{behindPath, e.metadata},
		{"/{app}" + protocol.JWKSPath, e.keys},
	} {
		routes = append(
			routes,
			web.Route{Method: http.MethodGet, Path: mount.path, Handle: mount.handle},
			web.Route{Method: http.MethodHead, Path: mount.path, Handle: mount.handle},
			web.Route{Method: http.MethodOptions, Path: mount.path, Handle: preflight},
		)
	}
	return routes
}

func preflight(w http.ResponseWriter, _ *http.Request) error {
	h := w.Header()
	h["Access-Control-Allow-Origin"] = anyOrigin
	h["Access-Control-Allow-Methods"] = methods
	h["Access-Control-Allow-Headers"] = fields
	h["Access-Control-Max-Age"] = preflightAge
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (e *endpoint) metadata(w http.ResponseWriter, r *http.Request) error {
	w.Header()["Access-Control-Allow-Origin"] = anyOrigin
	app, err := e.Application(r.Context(), r.PathValue("app"))
	if err != nil {
		return missing(err)
	}
	scopes, err := e.Scopes.Published(r.Context(), app.ID, e.offer.GrantTypes)
	if err != nil {
		return err
	}
	now := basis{scopes, app.Settings.Profile(), app.Settings.Algorithm()}
	if made, ok := e.made.Load(app.ID); ok {
		if d := made.(*described); d.basis == now { //nolint:forcetypeassert // nothing else is stored
			e.write(w, r, &d.document)
			return nil
		}
	}
	d, err := e.make(app.ID, now)
	if err != nil {
		return err
	}
	e.made.Store(app.ID, d)
	e.write(w, r, &d.document)
	return nil
}

func (e *endpoint) keys(w http.ResponseWriter, r *http.Request) error {
	w.Header()["Access-Control-Allow-Origin"] = anyOrigin
	app, err := e.Application(r.Context(), r.PathValue("app"))
	if err != nil {
		return missing(err)
	}
	body, etag, err := e.Signers.JWKS(r.Context(), app.ID)
	if err != nil {
		return err
	}
	d := newDocument(body, etag)
	e.write(w, r, &d)
	return nil
}

func missing(err error) error {
	if fault.KindOf(err) == fault.NotFound {
		return oauth.NotFound("There is no such application; check the path.")
	}
	return err
}

// write answers with a document, or with 304 to who has it already (RFC 9110
// §13.1.2).
func (e *endpoint) write(w http.ResponseWriter, r *http.Request, d *document) {
	h := w.Header()
	h["Etag"] = d.tags
	h["Cache-Control"] = e.cacheControl
	h["Access-Control-Expose-Headers"] = exposed
	if known(r.Header["If-None-Match"], d.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h["Content-Length"] = d.length
	protocol.WriteJSON(w, http.StatusOK, d.body)
}

// known compares weakly (RFC 9110 §8.8.3.2). Our tags have no comma.
func known(lines []string, etag string) bool {
	for _, line := range lines {
		for tag := range strings.SplitSeq(line, ",") {
			tag = strings.TrimSpace(tag)
			if tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
				return true
			}
		}
	}
	return false
}
