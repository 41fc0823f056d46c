package protocol

import (
	"context"
	"net/http"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/web"
)

// Authenticate gives the call that a request is, once it is known whose: the
// client is known, proved who it is, is active, and calls from an address on
// its list.
func (p *Parts) Authenticate(r *http.Request, form *Form) (*Call, error) {
	info := web.InfoOf(r)
	if wait := p.Throttle.Wait(info.Address); wait > 0 {
		return nil, oauth.SlowDown(wait, "Too many authentications failed from this address; wait, then send the right credentials.")
	}
	creds, err := readCredentials(r.Header["Authorization"], form)
	if err != nil {
		return nil, err
	}
	app, c, err := p.identify(r.Context(), r.PathValue("app"), creds)
	switch {
	case err == nil:
	case fault.KindOf(err) == fault.Denied, fault.KindOf(err) == fault.NotFound:
		p.Throttle.Failed(info.Address)
		return nil, oauth.InvalidClient("The client is unknown, or its secret is wrong or expired; check id, secret and the application in the path.")
	default:
		return nil, err
	}
	if c.Inactive {
		return nil, oauth.InvalidClient("The client is inactive; ask the operator to activate it.")
	}
	if !c.AllowsAddress(info.Address) {
		return nil, oauth.AccessDenied("This address is not on the client's allow list; ask the operator to add it.")
	}
	return &Call{Application: app, Client: c, Form: form, Address: info.Address, RequestID: info.ID}, nil
}

var errPublicOnly = fault.Deniedf("A client without a secret must be a public one.")

// identify gives the application and the client whose credentials these are.
// An unknown application is one where nobody is known: a fault NotFound or
// Denied alike.
func (p *Parts) identify(ctx context.Context, applicationID string, creds credentials) (*application.Application, *client.Client, error) {
	app, err := p.Application(ctx, applicationID)
	if err != nil {
		return nil, nil, err
	}
	if !creds.plausible() {
		return nil, nil, errClient
	}
	if creds.secret != "" {
		c, err := p.Clients.Authenticate(ctx, app.ID, creds.id, creds.secret)
		return app, c, err
	}
	c, err := p.Clients.Get(ctx, app.ID, creds.id)
	if err == nil && !c.Public {
		err = errPublicOnly
	}
	return app, c, err
}

var (
	errClient      = fault.NotFoundf("There is no such client.")
	errApplication = fault.NotFoundf("There is no such application.")
)

// Application gives the application of a path; a fault NotFound where there is
// none. What cannot be an id is not asked of the database.
func (p *Parts) Application(ctx context.Context, id string) (*application.Application, error) {
	if len(id) < 3 || len(id) > 40 {
		return nil, errApplication
	}
	for i := range len(id) {
		if c := id[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return nil, errApplication
		}
	}
	return p.Applications.Get(ctx, id)
}
