// Package caller says to a server over HTTP what its users say: Configuration
// API and OAuth requests with the credentials of one client, and what a browser
// sends. It gives answers as they came and judges none; it knows nothing of
// processes or databases.
package caller

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Caller is one client of one application.
type Caller struct {
	Base        string // the public URL
	Application string
	ID          string
	Secret      string
	HTTP        *http.Client
}

// Answer is an answer, read to its end.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Client is a client object of the Configuration API.
type Client struct {
	Self        string   `json:"_self"`
	Name        string   `json:"name"`
	Settings    string   `json:"_settings"`
	IPWhitelist []string `json:"ipWhitelist"`
	Secret      string   `json:"_secret"` // "" for null
	ID          string   `json:"_id"`
	Features    []string `json:"features"`
}

// Token is a successful answer of the token endpoint.
type Token struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
	RefreshToken string `json:"refresh_token"`
	IDToken      string `json:"id_token"`
}

// NewHTTP gives a client that keeps up to 64 connections open and gives up a
// request after 30 seconds: longer than anything here takes.
func NewHTTP() *http.Client {
	return &http.Client{
		Timeout:       30 * time.Second,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// As gives a caller with other credentials, over the same connections.
func (c *Caller) As(id, secret string) *Caller {
	other := *c
	other.ID, other.Secret = id, secret
	return &other
}

// Do sends a request with the caller's credentials as they are, which is how
// the Configuration API takes them. An error means that there was no whole
// answer: what became of the request is not known.
func (c *Caller) Do(ctx context.Context, method, path, contentType string, body []byte) (*Answer, error) {
	return c.send(ctx, method, path, contentType, body, c.ID, c.Secret)
}

// Browse sends a request as a browser does: with cookies and without credentials,
// to a path below the application's; a form that is not nil is posted.
func (c *Caller) Browse(ctx context.Context, path string, form url.Values, cookies ...*http.Cookie) (*Answer, error) {
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(ctx, method, c.Base+"/"+c.Application+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, cookie := range cookies {
		request.AddCookie(cookie)
	}
	return c.read(request)
}

func (c *Caller) send(ctx context.Context, method, path, contentType string, body []byte, user, password string) (*Answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.Base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.SetBasicAuth(user, password)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	return c.read(request)
}

// read sends a request and reads the answer to its end.
func (c *Caller) read(request *http.Request) (*Answer, error) {
	response, err := c.HTTP.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer := &Answer{Status: response.StatusCode, Header: response.Header}
	if answer.Body, err = io.ReadAll(response.Body); err != nil {
		return nil, fmt.Errorf("the answer %d was cut: %w", response.StatusCode, err)
	}
	return answer, nil
}

// Config sends a request to the Configuration API; path is below
// /config/{application}. A nil document sends no body.
func (c *Caller) Config(ctx context.Context, method, path string, document any) (*Answer, error) {
	var body []byte
	contentType := ""
	if document != nil {
		var err error
		if body, err = json.Marshal(document); err != nil {
			return nil, err
		}
		contentType = "application/json"
	}
	return c.Do(ctx, method, "/config/"+c.Application+path, contentType, body)
}

// OAuth posts a form to an endpoint of the application; the credentials are
// form-encoded inside of the header (RFC 6749 §2.3.1).
func (c *Caller) OAuth(ctx context.Context, endpoint string, form url.Values) (*Answer, error) {
	return c.send(ctx, http.MethodPost, "/"+c.Application+"/oauth2/"+endpoint, "application/x-www-form-urlencoded",
		[]byte(form.Encode()), url.QueryEscape(c.ID), url.QueryEscape(c.Secret))
}

// Token asks for a token of the caller's own.
func (c *Caller) Token(ctx context.Context) (*Answer, error) {
	return c.OAuth(ctx, "token", url.Values{"grant_type": {"client_credentials"}})
}

// Introspect asks about a token.
func (c *Caller) Introspect(ctx context.Context, token string) (*Answer, error) {
	return c.OAuth(ctx, "introspect", url.Values{"token": {token}})
}

// Redeem exchanges a code.
func (c *Caller) Redeem(ctx context.Context, code, redirectURI, verifier string) (*Answer, error) {
	return c.OAuth(ctx, "token", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirectURI}, "code_verifier": {verifier},
	})
}

// Refresh exchanges a refresh token.
func (c *Caller) Refresh(ctx context.Context, token string) (*Answer, error) {
	return c.OAuth(ctx, "token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// Revoke takes a token back.
func (c *Caller) Revoke(ctx context.Context, token string) (*Answer, error) {
	return c.OAuth(ctx, "revoke", url.Values{"token": {token}})
}

// Into reads the body as JSON; an answer of another status than the one wanted
// is an error that shows what it says.
func (a *Answer) Into(status int, v any) error {
	if a.Status != status {
		return fmt.Errorf("answered %d rather than %d: %s", a.Status, status, a.Body)
	}
	if v == nil {
		return nil
	}
	if err := json.Unmarshal(a.Body, v); err != nil {
		return fmt.Errorf("the body of the answer %d is not what it should be: %w: %s", a.Status, err, a.Body)
	}
	return nil
}

// Active reads an introspection's answer.
func (a *Answer) Active() (bool, error) {
	var document struct {
		Active *bool `json:"active"`
	}
	if err := a.Into(http.StatusOK, &document); err != nil {
		return false, err
	}
	if document.Active == nil {
		return false, fmt.Errorf("an introspection without `active`: %s", a.Body)
	}
	return *document.Active, nil
}

// IsJSON reports whether a body is one JSON document and said to be.
func (a *Answer) IsJSON() bool {
	media, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";")
	return media == "application/json" && json.Valid(a.Body)
}
