package cli

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/ostiary/ostiary/apiclient"
	"github.com/ostiary/ostiary/internal/config"
)

// remote is a server as its caller sees it, through the management API.
type remote struct {
	api         *apiclient.API
	server      string
	application string // "": not said

	clientID, clientSecret string // of the caller
}

const (
	requestTimeout = time.Minute // deleting an application with a million clients is one request
	maxAnswer      = 64 << 20    // bytes; a page has 200 items at most
)

// dial makes the client that a command's flags and the environment describe.
func dial(c *cobra.Command) (*remote, error) {
	caller, err := config.LoadCaller(c.Flags())
	if err != nil {
		return nil, err
	}
	return dialAs(caller.Server, caller.Application, caller.ClientID, caller.ClientSecret)
}

func dialAs(server, application, id, secret string) (*remote, error) {
	api, err := apiclient.NewClient(server,
		apiclient.WithHTTPClient(&http.Client{Timeout: requestTimeout}),
		apiclient.WithBasic(id, secret))
	if err != nil {
		return nil, fmt.Errorf("make a client of %s: %w", server, err)
	}
	return &remote{api: api, server: server, application: application, clientID: id, clientSecret: secret}, nil
}

// app gives the application that is meant: the one that was said, or the only
// one that the caller may see.
func (r *remote) app(ctx context.Context) (string, error) {
	if r.application != "" {
		return r.application, nil
	}
	page, err := r.take(r.api.ListApplications(ctx, nil, query("limit", "2")))
	if err != nil {
		return "", err
	}
	items, err := page.items("items")
	if err != nil {
		return "", err
	}
	if len(items) != 1 {
		return "", &config.Error{Err: errors.New("there are several applications: say which with --application; ostiary application list shows them")}
	}
	r.application = items[0].text("id")
	return r.application, nil
}

// take reads an answer: a record, or the error that it stands for.
func (r *remote) take(answer *http.Response, err error) (*record, error) {
	if err != nil {
		if in, ok := errors.AsType[*url.Error](err); ok {
			err = in.Err // the URL is said already
		}
		next := "is the server running, and is this its address? --server says another"
		if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
			next = "the variable SSL_CERT_FILE names a file of certificates to trust"
		}
		return nil, fmt.Errorf("%s does not answer: %w; %s", r.server, err, next)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("the answer of %s broke off: %w", r.server, err)
	}
	if answer.StatusCode >= http.StatusBadRequest {
		return nil, apiclient.ReadError(answer, body)
	}
	if answer.StatusCode == http.StatusNoContent || len(bytes.TrimSpace(body)) == 0 {
		return &record{}, nil
	}
	found, err := parseRecord(body)
	if err != nil {
		return nil, fmt.Errorf("%s gives no JSON object (status %d): is it an Ostiary server? %w", r.server, answer.StatusCode, err)
	}
	found.etag = answer.Header.Get("ETag")
	return found, nil
}

// query sets parameters of the query string: names and values in turn. One
// whose value is empty is left out.
func query(pairs ...string) apiclient.RequestEditorFn {
	return func(_ context.Context, r *http.Request) error {
		q := r.URL.Query()
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i+1] != "" {
				q.Set(pairs[i], pairs[i+1])
			}
		}
		r.URL.RawQuery = q.Encode()
		return nil
	}
}

// ifMatch makes a write conditional; with "" it is not.
func ifMatch(etag string) apiclient.RequestEditorFn {
	return func(_ context.Context, r *http.Request) error {
		if etag != "" {
			r.Header.Set("If-Match", etag)
		}
		return nil
	}
}

// Content types of what is sent.
const (
	plainJSON  = "application/json"
	mergePatch = "application/merge-patch+json"
)

// body makes a request's body of a document.
func body(document map[string]json.RawMessage) (io.Reader, error) {
	text, err := json.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("write the document: %w", err)
	}
	return bytes.NewReader(text), nil
}
