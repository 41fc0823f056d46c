package signin

import (
	"time"

	"github.com/ostiary/ostiary/internal/endpoint/page"
)

// What the templates of this package show, a type each.

type signInData struct {
	Request   string // sealed; "" where nothing goes on afterwards
	Action    string
	Client    string // the name of the client that asks; "": nobody
	Again     bool   // who is signed in proves it once more
	Notice    *page.Text
	Email     page.Field
	Password  page.Field
	Passkey   *passkeyForm
	Forgotten string
	Register  string // "": not offered
	Cancel    string // path to decline at; "": nothing to decline
}

// passkeyForm is sent with what an authenticator says.
type passkeyForm struct {
	Kind    string // create or get
	Action  string
	Options string // path that gives the options
	Request string
	Name    *page.Field
	Label   string
	Class   string
}

type chooseData struct {
	Request, Action, Client, Account, Other string
}

type totpData struct {
	Request, Action string
	Recovery        bool
	Code            page.Field
	Other, Back     string
}

type registerData struct {
	Request, Action, Client, Back string
	Fields                        []page.Field
}

// formData is a page of one form.
type formData struct {
	Title           string
	Intro           *page.Text
	Request, Action string
	Account         string // for password managers: whose password it is
	Fields          []page.Field
	Button          string
	Back, BackLabel string
}

// scopeText is a scope in words: a key of the catalogue, or what its operator
// wrote.
type scopeText struct{ Key, Text string }

type scopeList struct {
	Class  string
	Scopes []scopeText
}

type consentData struct {
	Request, Action string
	Client          string
	Description     string
	List            scopeList
	Account         string
	Destination     string
	Other           string
}

type accountData struct {
	Path          string // of the account
	Notice        *page.Text
	Email         string
	Verified      bool
	HasPassword   bool
	TOTP          bool
	RecoveryCodes int
	Passkeys      []passkeyRow
	Clients       []clientRow
	Sessions      []sessionRow
}

type passkeyRow struct {
	ID, Name          string
	CreatedAt, UsedAt time.Time
}

type clientRow struct {
	ID, Name  string
	List      scopeList
	GrantedAt time.Time
}

type sessionRow struct {
	SID               string
	Here              bool // the one that looks
	Browser           page.Text
	Address           string
	SeenAt, CreatedAt time.Time
}

type enrolData struct {
	Size    int    // of the QR code with its margin, in modules
	Modules string // the dark ones, as SVG path data
	Secret  string
	Action  string
	Code    page.Field
	Back    string
}

type codesData struct {
	Codes []string
	Back  string
}

type passkeyData struct {
	Passkey *passkeyForm
	Back    string
}
