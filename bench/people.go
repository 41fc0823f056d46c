//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/ostiary/ostiary/bench/load"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/scopepolicy"
	"github.com/ostiary/ostiary/internal/core/consent"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/store"
)

// people is how many users there are, each with one browser.
const people = 100

// What a web client of users sends. The verifier of PKCE and its challenge are
// those of RFC 7636, appendix B.
const (
	redirectURI = "https://app.example/signed-in"
	verifier    = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge   = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	signedIn    = "openid profile email"
)

// addPeople makes the users, has each agree to all that the web client may ask
// for, and signs each in.
func (s *site) addPeople(ctx context.Context, db *store.DB, ring *key.Ring) error {
	const memory = 1 << 20 // bytes; what is remembered here is of no use
	app, err := application.NewRegistry(db.Applications(), memory).Get(ctx, s.application)
	if err != nil {
		return err
	}
	users := user.NewRegistry(db.Users(), memory)
	accounts := user.NewOperations(db.Users(), users, ring, time.Now)
	sessions := session.NewService(db.Sessions(), users, time.Now, memory)
	consents := consent.NewService(db.Consents(), users, client.NewRegistry(db.Clients(), ring, time.Now, memory), nil, time.Now, memory)
	for i := range people {
		u, err := accounts.Create(ctx, audit.System(), s.application, user.Fields{
			Email: fmt.Sprintf("person%d@example.com", i), EmailVerified: true,
			Attributes: map[string]any{"givenName": "Ada", "familyName": "Lovelace"},
		})
		if err != nil {
			return err
		}
		if _, err := consents.Grant(ctx, audit.System(), s.application, u.UUID, s.web.id, webScopes().Allowed); err != nil {
			return err
		}
		_, cookie, err := sessions.Begin(ctx, audit.System(), app, u, session.SignIn{AMR: []string{"pwd"}, ACR: session.OneFactor, UserAgent: "bench"})
		if err != nil {
			return err
		}
		s.cookies = append(s.cookies, cookie)
	}
	return nil
}

// webScopes are what the web client may ask for.
func webScopes() scopepolicy.Setting {
	return scopepolicy.Setting{Allowed: []string{"openid", "profile", "email", guests}}
}

// signing is the code flow of signed-in users, from the authorization endpoint
// to the tokens: one piece of work.
func (s *site) signing(scope string, done func(a load.Answer)) load.Work {
	work := load.Work{Status: 200, Contains: refreshKey}
	if scope == signedIn {
		work.Contains = idKey
	}
	query := url.Values{
		"response_type": {"code"}, "client_id": {s.web.id}, "redirect_uri": {redirectURI}, "scope": {scope}, "state": {"af0ifjsldkj"},
		"nonce": {"n-0S6_WzA2Mj"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	for _, cookie := range s.cookies {
		work.Requests = append(work.Requests, fmt.Appendf(nil, "GET %s?%s HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: ostiary=%s\r\n\r\n",
			s.path("/oauth2/authorize"), query.Encode(), cookie))
	}
	work.Then = func(_ int, a load.Answer) []byte {
		_, after, found := bytes.Cut(a.Head, []byte("?code="))
		if !found {
			done(a)
			return nil
		}
		code, _, _ := bytes.Cut(after, []byte("&"))
		return form(s.path("/oauth2/token"), s.web, "grant_type=authorization_code&code="+string(code)+
			"&redirect_uri="+url.QueryEscape(redirectURI)+"&code_verifier="+verifier)
	}
	return work
}

// granted goes through the code flow n times, and gives a member of each answer.
func (s *site) granted(t *target, n int, scope, key string) (texts []string, err error) {
	work := s.signing(scope, func(a load.Answer) { texts = append(texts, member(a.Body, key)) })
	for len(work.Requests) < n {
		work.Requests = append(work.Requests, work.Requests...)
	}
	work.Requests = work.Requests[:n]
	return texts, once(t, work)
}

// held is how many token families are refreshed, by turns.
const held = 2000

// refreshed refreshes families by turns. A refresh token is sent once: the next
// time the one that it was answered with is. So there must be more families than
// connections.
func refreshed(path string, c credentials, tokens []string) load.Work {
	request := func(token string) []byte { return form(path, c, "grant_type=refresh_token&refresh_token="+token) }
	requests := make([][]byte, len(tokens))
	for i, token := range tokens {
		requests[i] = request(token)
	}
	return load.Work{Requests: requests, Status: 200, Contains: refreshKey, Then: func(begun int, a load.Answer) []byte {
		if next := member(a.Body, refreshKey); next != "" {
			requests[begun] = request(next)
		}
		return nil
	}}
}

// refreshing refreshes families of this server's users, the same in each round.
func (s *site) refreshing(t *target) func(int) (load.Work, error) {
	var work load.Work
	return func(int) (load.Work, error) {
		if work.Requests != nil {
			return work, nil
		}
		tokens, err := s.granted(t, held, guests, refreshKey)
		work = refreshed(s.path("/oauth2/token"), s.web, tokens)
		return work, err
	}
}

// flowing is the whole code flow, over and over.
func (s *site) flowing(int) (load.Work, error) {
	return s.signing(signedIn, func(load.Answer) {}), nil
}

// telling asks who the users are that tokens speak for.
func (s *site) telling(t *target) func(int) (load.Work, error) {
	var requests [][]byte
	return func(int) (load.Work, error) {
		if requests == nil {
			tokens, err := s.granted(t, inspected, signedIn, tokenKey)
			if err != nil {
				return load.Work{}, err
			}
			for _, token := range tokens {
				requests = append(requests, fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n\r\n", s.path("/oauth2/userinfo"), token))
			}
		}
		// The first look at each is not what is measured.
		work := load.Work{Requests: requests, Status: 200, Contains: `"given_name"`}
		return work, once(t, work)
	}
}
