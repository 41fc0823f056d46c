package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/ostiary/ostiary/test/process"
)

// goProgram acts for users with golang.org/x/oauth2 and go-oidc.
type goProgram struct {
	conf     oauth2.Config
	provider *oidc.Provider
	verifier string // of PKCE
	state    string
	nonce    string
}

// serveGo serves such a program at its redirect URI until the test ends.
func serveGo(t *testing.T, issuer, id, secret, redirectURI string) {
	t.Helper()
	provider, err := oidc.NewProvider(t.Context(), issuer)
	if err != nil {
		t.Fatal(err)
	}
	p := &goProgram{
		conf: oauth2.Config{
			ClientID: id, ClientSecret: secret, RedirectURL: redirectURI, Endpoint: provider.Endpoint(),
			Scopes: []string{oidc.ScopeOpenID, "profile", "email", "orders"},
		},
		provider: provider, verifier: oauth2.GenerateVerifier(), state: oauth2.GenerateVerifier(), nonce: oauth2.GenerateVerifier(),
	}
	address, err := url.Parse(redirectURI)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address.Host)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, p.conf.AuthCodeURL(p.state, oauth2.S256ChallengeOption(p.verifier), oidc.Nonce(p.nonce)), http.StatusSeeOther)
	})
	mux.HandleFunc("GET "+address.Path, func(w http.ResponseWriter, r *http.Request) {
		shown, err := p.returned(r.Context(), r.URL.Query())
		if err != nil {
			shown = &outcome{Error: err.Error()}
		}
		text, err := json.Marshal(shown)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, `<!doctype html><title>Program</title><pre id="result">%s</pre>`, html.EscapeString(string(text)))
	})
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: mux}} //nolint:gosec // loopback, one test
	server.Start()
	t.Cleanup(server.Close)
}

// returned takes what the browser brings back.
func (p *goProgram) returned(ctx context.Context, answer url.Values) (*outcome, error) {
	if answer.Get("state") != p.state || answer.Get("iss") == "" {
		return nil, fmt.Errorf("an answer to another request: %v", answer)
	}
	token, err := p.conf.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(p.verifier))
	if err != nil {
		return nil, err
	}
	raw, _ := token.Extra("id_token").(string)
	shown := &outcome{Tokens: tokens{token.AccessToken, token.RefreshToken, raw}}
	id, err := p.provider.Verifier(&oidc.Config{ClientID: p.conf.ClientID}).Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	if id.Nonce != p.nonce {
		return nil, errors.New("the id_token has another nonce")
	}
	expired := &oauth2.Token{RefreshToken: token.RefreshToken} // without an access token: to be refreshed
	refreshed, err := p.conf.TokenSource(ctx, expired).Token()
	if err != nil {
		return nil, err
	}
	shown.Refreshed = tokens{Access: refreshed.AccessToken, Refresh: refreshed.RefreshToken}
	who, err := p.provider.UserInfo(ctx, oauth2.StaticTokenSource(refreshed))
	if err != nil {
		return nil, err
	}
	return shown, errors.Join(id.VerifyAccessToken(token.AccessToken), id.Claims(&shown.Claims), who.Claims(&shown.UserInfo))
}

// TestGoPassword runs golang.org/x/oauth2's password grant, where the security
// profile has one.
func TestGoPassword(t *testing.T) {
	onEach(t, func(t *testing.T, cluster *process.Cluster) {
		f := withUser(t, cluster.Database(), "--set", "security_profile=oauth2")
		id, secret, _ := f.register(t, "Password", map[string]any{"kind": "web", "grant_types": []string{"authorization_code", "refresh_token", "password"}})
		conf := oauth2.Config{
			ClientID: id, ClientSecret: secret, Scopes: []string{"profile", "orders"},
			Endpoint: oauth2.Endpoint{TokenURL: f.server.Issuer + "/oauth2/token"},
		}
		token, err := conf.PasswordCredentialsToken(t.Context(), adaEmail, adaPassword)
		if err != nil {
			t.Fatal(err)
		}
		if !active(t, f.owner, token.AccessToken) || token.RefreshToken != "" {
			t.Errorf("an access token alone, and one that is active, was to be given; with a refresh token: %v", token.RefreshToken != "")
		}
		for email, password := range map[string]string{adaEmail: "wrong", "nobody@example.com": adaPassword} {
			_, err := conf.PasswordCredentialsToken(t.Context(), email, password)
			if refusal, ok := errors.AsType[*oauth2.RetrieveError](err); !ok || refusal.ErrorCode != "invalid_grant" {
				t.Errorf("%s: %v; want invalid_grant", email, err)
			}
		}
	})
}
