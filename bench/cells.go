//go:build linux

package main

import (
	"context"
	"fmt"

	"github.com/ostiary/ostiary/bench/load"
)

// inspected is how many tokens are inspected over and over.
const inspected = 500

// known inspects tokens that the server has seen before, over and over.
func known(t *target, tokenPath, path string, c credentials) func(int) (load.Work, error) {
	var requests [][]byte
	return func(connections int) (load.Work, error) {
		if connections == everywhere[0] || requests == nil {
			tokens, err := mint(t, tokenPath, c, inspected)
			if err != nil {
				return load.Work{}, err
			}
			requests = introspections(path, c, tokens)
		}
		// The first look at each is not what is measured.
		if err := once(t, load.Work{Requests: requests, Status: 200, Contains: `"active":true`}); err != nil {
			return load.Work{}, err
		}
		return load.Work{Requests: requests, Status: 200, Contains: `"active":true`}, nil
	}
}

// passing asks as a gateway does, about requests that are let through.
func passing(t *target, s *site) func(int) (load.Work, error) {
	var requests [][]byte
	return func(int) (load.Work, error) {
		if requests == nil {
			tokens, err := mint(t, s.path("/oauth2/token"), s.guest, inspected)
			if err != nil {
				return load.Work{}, err
			}
			for _, token := range tokens {
				requests = append(requests, asked(s.path("/oauth2/check"), token))
			}
		}
		// The first look at each is not what is measured.
		work := load.Work{Requests: requests, Status: 200}
		return work, once(t, work)
	}
}

// once sends each request once.
func once(t *target, work load.Work) error {
	connections, err := load.Dial(t.address(), 16)
	if err != nil {
		return err
	}
	defer connections.Close()
	work.Once = true
	_, err = connections.Run(work)
	return err
}

// fresh is how many tokens are inspected the first time in a run: enough for
// the CPU clock's ticks not to matter.
const fresh = 15000

// siteCells is everything asked of the server.
func (b *bench) siteCells(ctx context.Context, s *site, t *target) []cell {
	token, introspect := s.path("/oauth2/token"), s.path("/oauth2/introspect")
	cold := &pool{site: s, target: t}
	created := 0
	return []cell{
		{t, "discovery", everywhere, always(200, `"issuer"`, get(s.path("/.well-known/openid-configuration")))},
		{t, "jwks", everywhere, always(200, `"keys"`, get(s.path("/oauth2/jwks")))},
		{t, "check", everywhere, passing(t, s)},
		{t, "userinfo", everywhere, s.telling(t)},
		{t, "cc_opaque", everywhere, always(200, tokenKey, form(token, s.opaque, grant))},
		{t, "cc_jwt", everywhere, always(200, tokenKey, form(token, s.jwt, grant))},
		{t, "refresh", everywhere, s.refreshing(t)},
		{t, "code_flow", everywhere, s.flowing},
		{t, "introspect_opaque", everywhere, known(t, token, introspect, s.opaque)},
		{t, "introspect_jwt", everywhere, known(t, token, introspect, s.jwt)},
		{t, "forged_opaque", everywhere, forged(t, s, s.opaque, forgeOpaque)},
		{t, "forged_jwt", everywhere, forged(t, s, s.jwt, forgeJWT)},
		{t, "introspect_opaque_cold", []int{16}, func(int) (load.Work, error) {
			tokens, err := cold.take(ctx)
			return load.Work{Requests: introspections(introspect, s.opaque, tokens), Once: true, Status: 200, Contains: `"active":true`}, err
		}},
		{t, "introspect_jwt_first", []int{16}, func(int) (load.Work, error) {
			tokens, err := mint(t, token, s.jwt, fresh)
			return load.Work{Requests: introspections(introspect, s.jwt, tokens), Once: true, Status: 200, Contains: `"active":true`}, err
		}},
		{t, "config_create", []int{16, 64}, func(connections int) (load.Work, error) {
			requests := make([][]byte, 40*connections+2000)
			for i := range requests {
				created++
				requests[i] = post("/config/"+s.application+"/clients", s.owner, "application/json", fmt.Sprintf(`{"name":"made %d","features":["direct_access"]}`, created))
			}
			return load.Work{Requests: requests, Once: true, Status: 201, Contains: `"_secret"`}, nil
		}},
	}
}

func forged(t *target, s *site, c credentials, forge func([]string) ([]string, error)) func(int) (load.Work, error) {
	return func(int) (load.Work, error) {
		tokens, err := mint(t, s.path("/oauth2/token"), c, inspected)
		if err != nil {
			return load.Work{}, err
		}
		tokens, err = forge(tokens)
		return load.Work{Requests: introspections(s.path("/oauth2/introspect"), c, tokens), Status: 200, Contains: `"active":false`}, err
	}
}

// pool is tokens that the server has on disk but not in its memory.
type pool struct {
	site   *site
	target *target
	tokens []string
}

// take gives the tokens after the server was started anew.
func (p *pool) take(ctx context.Context) ([]string, error) {
	if p.tokens == nil {
		var err error
		if p.tokens, err = mint(p.target, p.site.path("/oauth2/token"), p.site.opaque, fresh); err != nil {
			return nil, err
		}
	}
	if err := p.site.restart(ctx); err != nil {
		return nil, err
	}
	// The server's first requests fill what has nothing to do with tokens.
	return p.tokens, once(p.target, load.Work{
		Requests: introspections(p.site.path("/oauth2/introspect"), p.site.opaque, make([]string, 200)), Status: 400,
	})
}
