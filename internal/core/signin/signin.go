// Package signin owns how users prove who they are: passwords, one-time codes,
// recovery codes, passkeys, and the links that are sent by mail. It slows down
// who guesses, without shutting out whose account it is. What a session is, who
// may be told what, and how a page looks is not decided here.
package signin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/user"
)

// Service proves who users are. It is safe for concurrent use.
type Service struct {
	Deps
	throttle *throttle
	passkeys *passkeys
	failures failures
	tasks    chan func(context.Context) error
	writer   Writer
}

// Deps is what the service stands on.
type Deps struct {
	Credentials Credentials
	Links       Links
	Users       *user.Registry
	Records     user.Store
	People      *user.Operations
	Sessions    *session.Service
	Keys        *key.Ring
	Audit       audit.Store
	PublicURL   string // of the instance; passkeys are bound to its host
	Mailer      Mailer // nil: no mail is sent
	Now         func() time.Time
}

// NewService puts it together.
func NewService(d Deps) (*Service, error) {
	passkeys, err := newPasskeys(d.PublicURL, d.Now())
	if err != nil {
		return nil, err
	}
	return &Service{Deps: d, throttle: newThrottle(d.Now), passkeys: passkeys, tasks: make(chan func(context.Context) error, maxLater)}, nil
}

// From is where an attempt comes from. The actor of the source is not asked:
// who acts is what is to be found out.
type From struct {
	Source audit.Source
	Device string // what the device was given after an earlier sign-in (Outcome.Device); "" where it has nothing
}

// Outcome is what came of an attempt that did not fail.
type Outcome struct {
	User *user.User
	AMR  []string // RFC 8176
	ACR  string   // session.OneFactor or session.TwoFactors
	// Pending, where it is not "", says that a second factor is wanted before the
	// user is signed in. It is to be given to Code or Recovery, within Patience.
	Pending string
	// Device, where it is not "", is to be kept by the user's device for DeviceKept,
	// unseen by scripts, and to be brought along with the next attempt: whoever
	// guesses at the account from elsewhere slows it down no more.
	Device string
}

// Done reports whether the user is signed in.
func (o *Outcome) Done() bool { return o.Pending == "" }

// Patience is how long the second factor may take after the first.
const Patience = 5 * time.Minute

// Authentication methods (RFC 8176).
const (
	byPassword = "pwd"
	byCode     = "otp"
	byHardware = "hwk"
	bySoftware = "swk"
	byPresence = "user"
	byMany     = "mfa"
)

// errRefused is the answer to every attempt that fails, whatever the reason.
var errRefused = fault.Deniedf("The e-mail address or the password is wrong.")

// SlowError says that there were too many attempts.
type SlowError struct{ Wait time.Duration }

func (e *SlowError) Error() string { return "too many attempts" }

// pending is what a sealed Outcome.Pending holds: the first factor was right.
type pending struct {
	User string   `json:"u"`
	Era  int64    `json:"e"`
	At   int64    `json:"t"` // seconds since 1970
	AMR  []string `json:"m"`
}

const pendingFor = "second factor"

// seal gives a value as a text that only open of the same purpose and
// application reads.
func (s *Service) seal(purpose, applicationID string, v any) (string, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(s.Keys.Seal(plain, purpose, applicationID)), nil
}

// maxSealed bounds what is read back, in bytes.
const maxSealed = 4 << 10

// open reads what seal gave; false where it did not.
func (s *Service) open(purpose, applicationID, text string, v any) bool {
	if len(text) > maxSealed {
		return false
	}
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return false
	}
	plain, err := s.Keys.Open(sealed, purpose, applicationID)
	return err == nil && json.Unmarshal(plain, v) == nil
}

// wait makes the outcome of a first factor that a second one must follow.
func (s *Service) wait(app *application.Application, u *user.User, amr ...string) (*Outcome, error) {
	text, err := s.seal(pendingFor, app.ID, pending{u.UUID, u.Era, s.Now().Unix(), amr})
	return &Outcome{User: u, AMR: amr, ACR: session.OneFactor, Pending: text}, err
}
