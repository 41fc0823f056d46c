// Package authorization owns what becomes of an authorization request while its
// user signs in and consents: the request travels sealed through the browser, and
// nothing of it is stored. What a request must be like, and what is answered, is
// the authorization endpoint's; who the user is and what was consented to is for
// packages session and consent.
package authorization

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"time"

	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/key"
)

// Lifetime is how long a user may take from the request to its answer.
const Lifetime = time.Hour

// MaxQuery bounds the encoded parameters of a request, in bytes: sealed, it has
// to fit the line of a GET.
const MaxQuery = 8 << 10

// Names of the parameters in which a sealed request travels: to a page for
// users, and back to the authorization endpoint.
const (
	ToPage   = "request"
	FromPage = "continue"
)

// Need is what a request lacks, and why its user is sent to the sign-in page.
type Need string

// The needs.
const (
	SignIn       Need = "sign_in"        // nobody is signed in
	SignInAgain  Need = "sign_in_again"  // prompt=login, or longer ago than max_age
	SecondFactor Need = "second_factor"  // acr "2" is essential to the client
	Choose       Need = "choose_account" // prompt=select_account: this account, or another one
	Agree        Need = "consent"        // on the consent page
)

// Request is an authorization request on its way. The pages change nothing in it
// but Denied, Once, Chosen and Entered.
type Request struct {
	Query       string    `json:"q"` // as it came, encoded; judged anew whenever it comes back
	BegunAt     time.Time `json:"b"` // when it first came
	ClientID    string    `json:"c"` // a client there is
	RedirectURI string    `json:"r"` // one of the client's, as it was sent
	Need        Need      `json:"n,omitempty"`
	Scopes      []string  `json:"s,omitempty"` // what the consent page asks the user for, and Once or the consent has to cover
	LoginHint   string    `json:"l,omitempty"` // an email address to begin with, from login_hint or id_token_hint
	UILocales   string    `json:"u,omitempty"` // ui_locales, as it was sent

	Denied bool   `json:"d,omitempty"` // the user declined
	Once   *Once  `json:"o,omitempty"` // consent that is not remembered
	Chosen string `json:"h,omitempty"` // the sid of the session that was chosen after prompt=select_account

	Entered bool `json:"e,omitempty"` // somebody signed in on a page; a browser that then brings no session may keep no cookies
}

// Once is a consent for this request alone: who gave it, by the sid of the
// session, and to what.
type Once struct {
	SID    string   `json:"i"`
	Scopes []string `json:"s"`
}

// Get gives a parameter of the request as it came, "" where it has none.
func (r *Request) Get(name string) string {
	values, err := url.ParseQuery(r.Query)
	if err != nil {
		return ""
	}
	return values.Get(name)
}

// Desk seals requests and opens them again.
type Desk struct {
	ring *key.Ring
	now  func() time.Time
}

// NewDesk makes one that seals with the ring's keys.
func NewDesk(ring *key.Ring, now func() time.Time) *Desk { return &Desk{ring, now} }

const sealedFor = "authorization request"

// Seal gives a request as a text for a URL. Only Open of the same application
// reads it.
func (d *Desk) Seal(applicationID string, r *Request) (string, error) {
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false) // an & is six bytes otherwise, and a query is full of them
	if err := e.Encode(r); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(d.ring.Seal(plain.Bytes(), sealedFor, applicationID)), nil
}

var (
	errNotOurs = fault.Invalidf(ToPage, "This is not a request that began here; go back to the application and begin again.")
	errTooOld  = fault.Invalidf(ToPage, "This took more than an hour; go back to the application and begin again.")
)

// Open gives the request that was sealed. The error is a fault Invalid where the
// text is not ours, is another application's, or older than Lifetime.
func (d *Desk) Open(applicationID, text string) (*Request, error) {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, errNotOurs
	}
	plain, err := d.ring.Open(sealed, sealedFor, applicationID)
	if err != nil {
		return nil, errNotOurs
	}
	r := &Request{}
	if err := json.Unmarshal(plain, r); err != nil {
		return nil, errNotOurs
	}
	if d.now().Sub(r.BegunAt) > Lifetime {
		return nil, errTooOld
	}
	return r, nil
}
