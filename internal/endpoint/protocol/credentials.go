package protocol

import (
	"encoding/base64"
	"strings"

	"github.com/ostiary/ostiary/internal/core/oauth"
)

// credentials are how a client said who it is. Without a secret the method is
// `none`. Sent is what the secret may be instead: it as it stands in the header,
// "" where that is no other.
type credentials struct{ id, secret, sent string }

// readCredentials takes them from the Authorization lines of the request, or
// from the form: client_secret_basic, client_secret_post or none (RFC 6749
// §2.3.1), never two at once. The error is an *oauth.Error.
func readCredentials(authorization []string, form *Form) (credentials, error) {
	posted := credentials{id: form.Get("client_id"), secret: form.Get("client_secret")}
	if len(authorization) == 0 {
		if posted.id == "" {
			return credentials{}, oauth.InvalidClient("Authenticate the client: HTTP Basic, or the parameters client_id and client_secret.")
		}
		return posted, nil
	}
	basic, ok := credentials{}, len(authorization) == 1
	if ok {
		basic, ok = parseBasic(authorization[0])
	}
	switch {
	case !ok:
		return credentials{}, oauth.InvalidClient("The Authorization header is not well-formed HTTP Basic with form-encoded id and secret; send one such.")
	case posted.secret != "":
		return credentials{}, oauth.InvalidRequest("The client authenticates in two ways at once; leave the parameter client_secret out.")
	case posted.id != "" && posted.id != basic.id:
		return credentials{}, oauth.InvalidRequest("The parameter client_id names another client than the Authorization header; leave it out.")
	default:
		return basic, nil
	}
}

// parseBasic reads one Authorization line (RFC 7617 §2). Id and secret are
// form-encoded in it (RFC 6749 §2.3.1), but most programs, curl among them, send
// them as they are. That makes a difference where a secret has a + or a %: secrets
// that other products made are often base64.
func parseBasic(line string) (credentials, bool) {
	scheme, encoded, ok := strings.Cut(line, " ")
	if !ok || !strings.EqualFold(scheme, "Basic") {
		return credentials{}, false
	}
	plain, err := base64.StdEncoding.DecodeString(strings.TrimLeft(encoded, " "))
	if err != nil {
		return credentials{}, false
	}
	id, sent, ok := strings.Cut(string(plain), ":")
	if !ok || !isText(sent) {
		return credentials{}, false
	}
	id, ok = decode(id)
	secret, decoded := decode(sent)
	if !decoded {
		secret = sent
	}
	if secret == sent {
		sent = ""
	}
	return credentials{id, secret, sent}, ok && id != ""
}

// plausible reports whether an id can be a client's at all: what cannot is not
// asked of the database.
func plausible(id string) bool {
	if len(id) == 0 || len(id) > 128 {
		return false
	}
	for i := range len(id) {
		switch b := id[i]; {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '.', b == '_', b == '~', b == '-':
		default:
			return false
		}
	}
	return true
}
