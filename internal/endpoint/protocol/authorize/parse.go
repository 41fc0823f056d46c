package authorize

import (
	"github.com/ostiary/ostiary/internal/core/authorization"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/endpoint/protocol"
)

// parse reads the parameters (RFC 6749 §3.1). Where `continue` is among them the
// request is the one that is sealed in it, and nothing else is looked at.
func (f *flow) parse() (err error) {
	f.app, err = f.Application(f.ctx, f.r.PathValue("app"))
	if fault.KindOf(err) == fault.NotFound {
		return oauth.NotFound("There is no such application; check the path of the authorization endpoint.")
	}
	if err != nil {
		return err
	}
	if f.query, err = protocol.Parameters(f.w, f.r); err != nil {
		return err
	}
	if f.form, err = protocol.ParseParameters(f.query); err != nil {
		return err
	}
	if sealed := f.form.Get(authorization.FromPage); sealed != "" {
		return f.resume(sealed)
	}
	if len(f.query) > authorization.MaxQuery {
		return oauth.InvalidRequest("The request is too long; send at most 8,192 characters of parameters.")
	}
	return nil
}

// resume takes up the request that a page sends back.
func (f *flow) resume(sealed string) (err error) {
	f.back, err = f.Desk.Open(f.app.ID, sealed)
	if e, ok := faultOf(err); ok {
		return oauth.InvalidRequest(e)
	}
	if err != nil {
		return err
	}
	f.query = f.back.Query
	f.form, err = protocol.ParseParameters(f.query)
	return err
}

// checkOnce refuses what is repeated (RFC 6749 §3.1), and the parameters that
// hold a request or a client of their own (OpenID Connect Core 1.0 §3.1.2.6).
func (f *flow) checkOnce() error {
	if len(f.form.Repeated()) > 0 {
		return oauth.InvalidRequest("A parameter is repeated; send each once.")
	}
	for _, name := range []string{"request", "request_uri", "registration"} {
		if f.form.Get(name) != "" {
			return oauth.NotSupported(name, "This server does not take the parameter "+name+"; send the parameters one by one.")
		}
	}
	return nil
}
