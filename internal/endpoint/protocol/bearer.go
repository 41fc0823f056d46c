package protocol

import (
	"net/http"
	"strings"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/web"
)

// Bearer is an access token that a request presents, and the application in the
// path. Of a request that was refused those members are set that were known by
// then.
type Bearer struct {
	Application *application.Application
	Token       token.Token
}

// Bearer reads the access token in the Authorization header (RFC 6750 §2.1) and
// sees that it is one of the application in the path, alive, and presented from
// an address that its client may be used from. The caller asks Lease before it
// answers.
func (p *Parts) Bearer(r *http.Request) (b Bearer, err error) {
	text, err := bearerText(r.Header["Authorization"])
	if err != nil {
		return b, err
	}
	return p.Present(r, text)
}

// Present is Bearer for a token that was sent in another place.
func (p *Parts) Present(r *http.Request, text string) (b Bearer, err error) {
	b.Application, err = p.Application(r.Context(), r.PathValue("app"))
	alive := false
	if err == nil {
		b.Token, alive, err = p.Tokens.Find(r.Context(), b.Application, text)
	}
	switch {
	case err != nil && fault.KindOf(err) != fault.NotFound:
		return b, err // not known: neither alive nor dead
	case !alive:
		return b, oauth.InvalidToken("The access token is expired, was revoked, or is none of this application; get another one.")
	case !b.Token.Client.AllowsAddress(web.InfoOf(r).Address):
		return b, oauth.AccessDenied("This address is not on the allow list of the token's client; ask the operator to add it.")
	}
	return b, nil
}

// bearerText gives the token in the Authorization lines of a request.
func bearerText(authorization []string) (string, error) {
	if len(authorization) == 0 {
		return "", oauth.TokenRequired("Send an access token: Authorization: Bearer and the token.")
	}
	scheme, text, _ := strings.Cut(authorization[0], " ")
	text = strings.Trim(text, " ")
	switch {
	case len(authorization) > 1:
		return "", oauth.InvalidToken("There are several Authorization headers; send one.")
	case !strings.EqualFold(scheme, "Bearer"):
		return "", oauth.TokenRequired("The Authorization header is of another scheme; send Bearer and an access token.")
	case text == "" || strings.IndexByte(text, ' ') >= 0:
		return "", oauth.InvalidToken("The Authorization header is malformed; send Bearer, a space and the access token.")
	default:
		return text, nil
	}
}
