package protocol

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/web"
)

const (
	formType      = "application/x-www-form-urlencoded"
	maxForm       = 64 << 10 // bytes
	maxParameters = 50       // each is compared with all others
)

// Form holds the parameters of a request, each once, `resource` excepted, which
// may be there several times (RFC 8707 §2). Parameters of the query string are not
// among them (RFC 6749 §2.3.1, §3.2), unless the application says so.
type Form struct {
	pairs    []pair
	few      [12]pair // room for what a request usually has
	repeated []string
}

type pair struct{ name, value string }

// Get gives a parameter; "" where it is absent or empty, which is the same (RFC
// 6749 §3.1).
func (f *Form) Get(name string) string {
	for i := range f.pairs {
		if f.pairs[i].name == name {
			return f.pairs[i].value
		}
	}
	return ""
}

// Has reports whether a parameter is there at all, empty or not.
func (f *Form) Has(name string) bool {
	return slices.ContainsFunc(f.pairs, func(p pair) bool { return p.name == name })
}

// All gives the values of a parameter that are not empty.
func (f *Form) All(name string) []string {
	var values []string
	for i := range f.pairs {
		if f.pairs[i].name == name && f.pairs[i].value != "" {
			values = append(values, f.pairs[i].value)
		}
	}
	return values
}

// Repeated gives the names of the parameters that were sent more than once; the
// first value of each counts.
func (f *Form) Repeated() []string { return f.repeated }

// ReadForm reads the parameters from the body of a request and from more, which
// is encoded as a body is; beside it there need not be a body. The error is an
// *oauth.Error.
func ReadForm(w http.ResponseWriter, r *http.Request, more string) (*Form, error) {
	if more != "" && r.ContentLength == 0 {
		return ParseForm(more)
	}
	body, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	if more != "" {
		body += "&" + more
	}
	return ParseForm(body)
}

func readBody(w http.ResponseWriter, r *http.Request) (string, error) {
	if !HasForm(r) {
		return "", oauth.InvalidRequest("Send the parameters in the body, as Content-Type: " + formType + ".")
	}
	body, err := web.ReadBody(w, r, maxForm)
	if errors.Is(err, web.ErrTooLarge) {
		return "", oauth.InvalidRequest("The body is too large; send at most 64 KiB.")
	}
	if err != nil {
		return "", oauth.InvalidRequest("The body could not be read to its end; send it again.")
	}
	return string(body), nil
}

// Parameters gives those of an endpoint that browsers come to, encoded as they
// were sent: in the query, or with POST in the body (OpenID Connect Core 1.0
// §3.1.2.1). The error is an *oauth.Error.
func Parameters(w http.ResponseWriter, r *http.Request) (string, error) {
	if r.Method == http.MethodPost {
		return readBody(w, r)
	}
	return r.URL.RawQuery, nil
}

// HasForm reports whether the body of a request is a form.
func HasForm(r *http.Request) bool {
	contentType := r.Header.Get("Content-Type")
	if contentType == formType {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && media == formType
}

// ParseForm reads parameters in the form application/x-www-form-urlencoded. A
// parameter must not be repeated (RFC 6749 §3.2), save `resource`.
func ParseForm(body string) (*Form, error) {
	f, err := ParseParameters(body)
	if err == nil && f.repeated != nil {
		return nil, oauth.InvalidRequest("A parameter is repeated; send each once.")
	}
	return f, err
}

// ParseParameters is ParseForm for a caller that refuses what is repeated by
// itself: where the answer is sent depends on the parameters.
func ParseParameters(body string) (*Form, error) {
	f := &Form{}
	f.pairs = f.few[:0]
	for field := range strings.SplitSeq(body, "&") {
		if field == "" {
			continue
		}
		name, value, _ := strings.Cut(field, "=")
		name, okName := decode(name)
		value, okValue := decode(value)
		if !okName || !okValue {
			return nil, oauth.InvalidRequest("A parameter is not well encoded; percent-encode UTF-8 without the character NUL.")
		}
		if len(f.pairs) == maxParameters {
			return nil, oauth.InvalidRequest("There are too many parameters; send at most 50.")
		}
		f.add(name, value)
	}
	return f, nil
}

func (f *Form) add(name, value string) {
	for i := range f.pairs {
		if f.pairs[i].name == name && name != "resource" {
			f.repeated = append(f.repeated, name)
			return
		}
	}
	f.pairs = append(f.pairs, pair{name, value})
}

// decode undoes form encoding; false where what comes out is no text.
func decode(s string) (string, bool) {
	if strings.IndexByte(s, '%') >= 0 || strings.IndexByte(s, '+') >= 0 {
		plain, err := url.QueryUnescape(s)
		if err != nil {
			return "", false
		}
		s = plain
	}
	return s, isText(s)
}

// isText reports whether s is text that every database can hold.
func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
