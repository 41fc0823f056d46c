package protocol

import (
	"context"
	"net/http"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// authenticate makes sure whose a call is: the client is known, proved who it
// is, is active, calls from an address on its list, and within its rate.
func (p *Parts) authenticate(r *http.Request, call *Call) error {
	if wait := p.Throttle.Wait(call.Address); wait > 0 {
		return oauth.SlowDown(wait, "Too many authentications failed from this address; wait, then send the right credentials.")
	}
	creds, err := readCredentials(r.Header["Authorization"], call.Form)
	if err != nil {
		return err
	}
	err = p.identify(r.Context(), r.PathValue("app"), creds, call)
	switch {
	case err == nil:
	case fault.KindOf(err) == fault.Denied, fault.KindOf(err) == fault.NotFound:
		p.Throttle.Failed(call.Address)
		return oauth.InvalidClient("The client is unknown, or its secret is wrong or expired; check id, secret and the application in the path.")
	default:
		return err
	}
	if call.Client.Inactive {
		return oauth.InvalidClient("The client is inactive; ask the operator to activate it.")
	}
	if !call.Client.AllowsAddress(call.Address) {
		return oauth.AccessDenied("This address is not on the client's allow list; ask the operator to add it.")
	}
	wait, err := p.Limits.Admit(r.Context(), call.Client.Sequence, call.Client.Settings.RateLimit)
	if wait > 0 {
		return oauth.SlowDown(wait, "The client has made as many requests as it may; wait as long as Retry-After says.")
	}
	return err
}

var errPublicOnly = fault.Deniedf("A client without a secret must be a public one.")

// identify finds the application and the client whose credentials these are. An
// unknown application is one where nobody is known: a fault NotFound or Denied
// alike.
func (p *Parts) identify(ctx context.Context, applicationID string, creds credentials, call *Call) (err error) {
	if call.Application, err = p.Application(ctx, applicationID); err != nil {
		return err
	}
	if !plausible(creds.id) {
		return errClient
	}
	if creds.secret != "" {
		call.Client, err = p.Clients.Authenticate(ctx, call.Application.ID, creds.id, creds.secret)
		if creds.sent != "" && fault.KindOf(err) == fault.Denied {
			call.Client, err = p.Clients.Authenticate(ctx, call.Application.ID, creds.id, creds.sent)
		}
		return err
	}
	call.Client, err = p.Clients.Get(ctx, call.Application.ID, creds.id)
	if err == nil && !call.Client.Public {
		err = errPublicOnly
	}
	return err
}

// Client gives the client of an id; a fault NotFound where there is none. What
// cannot be an id is not asked of the database.
func (p *Parts) Client(ctx context.Context, applicationID, id string) (*client.Client, error) {
	if !plausible(id) {
		return nil, errClient
	}
	return p.Clients.Get(ctx, applicationID, id)
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
