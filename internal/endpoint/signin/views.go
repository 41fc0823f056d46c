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
	AgainFor  string // and goes on to this page of the account; "": to none
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
	Again   string
	Name    *page.Field
	Label   string
	Class   string
}

type chooseData struct {
	Request, Action, Client, Account, Other string
}

type totpData struct {
	Request, Again, Action string
	Recovery               bool
	Code                   page.Field
	Other, Back            string
}

type registerData struct {
	Request, Action, Client string
	Intro                   page.Text
	Account                 string // for password managers: whose password it is; "": none yet
	Fields                  []page.Field
	Button                  string
	Back                    string // "": nowhere
}

// formData is a page of one form.
type formData struct {
	Title           string
	Intro           *page.Text
	Request, Action string
	Account         string // for password managers: whose password it is
	Fields          []page.Field
	Values          []hidden // sent beside them
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
	SID             string // of the session whose user is asked
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
	CanPasskeys   bool // whether passkeys are to be had here
	CanMail       bool // whether mail is sent
	RecoveryCodes int
	Passkeys      []passkeyRow
	HasClients    bool // whether there are any to connect
	Clients       []clientRow
	MoreClients   bool // whether there may be others
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
	State   string // of the enrolment, sealed
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
