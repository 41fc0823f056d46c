// Package check is the gateway check: a reverse proxy asks, for each request that
// comes to it, whether the access token in it is good for what is requested. It
// owns how the original request is read, and the headers of the answer. What is
// alive is package token's, what a scope opens is package scope's.
package check

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/scope"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/core/usage"
	"github.com/ostiary/ostiary/internal/endpoint/protocol"
	"github.com/ostiary/ostiary/internal/web"
)

// Routes of the gateway check. What is asked stands in headers, or, behind the
// second path, in the request itself.
func Routes(p *protocol.Parts) []web.Route {
	return []web.Route{
		{Path: "/{app}" + protocol.CheckPath, Handle: handler(p, fromHeaders)},
		{Path: "/{app}" + protocol.CheckPath + "/{rest...}", Handle: handler(p, fromPath)},
	}
}

// asked is what a gateway wants to know.
type asked struct {
	target    scope.Target // zero: the gateway did not say
	resources []string     // that are behind the gateway; none: tokens are for the issuer
}

// Headers by which a gateway says what it was asked for. Where one of the second
// pair is there, so must be no other: a client may have sent what the gateway
// does not overwrite.
const (
	originalMethod = "X-Original-Method"
	originalURI    = "X-Original-Uri" // a path with its query
	originalURL    = "X-Original-Url" // with scheme and host before it
)

var errUnproxied = oauth.AccessDenied("What was requested is believed from trusted proxies only; the operator names them with --trusted-proxies.")

// fromHeaders reads what nginx and its like say of the original request. Where
// nothing is said the token alone is asked about.
func fromHeaders(r *http.Request) (asked, error) {
	lines := slices.Concat(r.Header[originalURI], r.Header[originalURL])
	methods := r.Header[originalMethod]
	if len(lines)+len(methods) > 0 && !web.InfoOf(r).Proxied {
		return asked{}, errUnproxied
	}
	if len(lines) > 1 || len(lines) == 0 && len(methods) > 0 {
		return asked{}, oauth.AccessDenied("The gateway must say once what was requested: X-Original-URI or X-Original-URL.")
	}
	if len(methods) > 1 {
		return asked{}, oauth.AccessDenied("The gateway must say once by which method: X-Original-Method.")
	}
	var target scope.Target
	if len(lines) == 1 {
		var err error
		if target, err = scope.ParseTarget(r.Header.Get(originalMethod), lines[0]); err != nil {
			return asked{}, err
		}
	}
	form, err := protocol.ParseForm(r.URL.RawQuery)
	if err != nil {
		return asked{}, oauth.AccessDenied("The query of the gateway check is malformed.")
	}
	return asked{target, form.All("resource")}, nil
}

// fromPath reads the original request where it came as it was, with a path before
// its own. Its query is the client's: nothing is taken from it.
func fromPath(r *http.Request) (asked, error) {
	target, err := scope.ParseTarget(r.Method, "/"+r.PathValue("rest"))
	return asked{target: target}, err
}

func handler(p *protocol.Parts, read func(*http.Request) (asked, error)) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		b, err := check(p, r, read)
		if err != nil {
			p.Count(b.Application, b.Token.Client, usage.Check, err)
			return err
		}
		answer(w, &b.Token)
		return nil
	}
}

// check is the rule: the token is alive and used from where it may be, what was
// requested is known for sure, the token is for what is behind the gateway, and
// one of its scopes opens the path.
func check(p *protocol.Parts, r *http.Request, read func(*http.Request) (asked, error)) (protocol.Bearer, error) {
	b, err := p.Bearer(r)
	if err != nil {
		return b, err
	}
	a, err := read(r)
	if err != nil {
		return b, err
	}
	if !isFor(&b.Token, p.Issuer(b.Application.ID), a.resources) {
		return b, oauth.InvalidToken("The access token is for another resource; get one for this.")
	}
	opens, err := p.Scopes.Opens(r.Context(), b.Application.ID, b.Token.Scopes, &a.target)
	switch {
	case err != nil:
		return b, err
	case !opens && a.target.Path == "":
		return b, oauth.AccessDenied("Scopes of this application open paths, and the gateway does not say which was requested: X-Original-URI or X-Original-URL.")
	case !opens:
		return b, oauth.InsufficientScope("None of the scopes of the access token opens this path; ask for another scope.")
	}
	return b, p.Lease()
}

// isFor reports whether a token is for one of the resources; where there are
// none, whether it is for the issuer.
func isFor(t *token.Token, issuer string, resources []string) bool {
	if len(resources) == 0 {
		return len(t.Audience) == 0 || slices.Contains(t.Audience, issuer)
	}
	return slices.ContainsFunc(resources, func(r string) bool { return slices.Contains(t.Audience, r) })
}

// answer lets the request through, and says who is behind it. A header that says
// nothing is left out; gateways take it away where the client sent one.
func answer(w http.ResponseWriter, t *token.Token) {
	h := w.Header()
	subject := t.Family.ClientID
	if t.User != nil {
		subject = t.User.UUID
		h["X-Ostiary-User"] = []string{subject}
	}
	h["X-Ostiary-Subject"] = []string{subject}
	h["X-Ostiary-Client"] = []string{t.Family.ClientID}
	h["X-Ostiary-Token-Id"] = []string{t.ID}
	if len(t.Scopes) > 0 {
		h["X-Ostiary-Scope"] = []string{strings.Join(t.Scopes, " ")}
	}
	protocol.WriteEmpty(w)
}
