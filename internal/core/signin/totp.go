package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/user"
)

// One-time codes are those of RFC 6238 that every authenticator app makes:
// HMAC-SHA-1, six digits, steps of 30 seconds. The step before and the one after
// are good too (§5.2), each once.
const (
	totpStep    = 30 // seconds
	totpSkew    = 1  // steps
	secretBytes = 20
	// enrolmentTime is how long the first code may take after the secret was shown.
	enrolmentTime = 15 * time.Minute
)

var totpOptions = totp.ValidateOpts{Period: totpStep, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}

// Enrolment is what a user's authenticator app is to be told.
type Enrolment struct {
	Secret string // base32, to be typed in
	URL    string // otpauth://…, to be shown as a QR code
	State  string // to be brought along with the first code
}

// enrolment is what a sealed Enrolment.State holds.
type enrolment struct {
	User   string `json:"u"`
	Secret []byte `json:"s"`
	At     int64  `json:"t"` // seconds since 1970
}

const (
	enrolmentFor = "totp enrolment"
	secretFor    = "totp secret"
)

var (
	errCode    = fault.Invalidf("code", "This code is not right, or no longer good; enter the one that is shown now.")
	errLate    = fault.Invalidf("code", "That took too long; begin again.")
	errLabel   = fault.Invalidf("label", "Write 1 to %d characters, none of them control characters.", MaxLabel)
	errPending = fault.Deniedf("That took too long; begin again.")
)

// BeginTOTP makes a secret. Nothing is stored until the first code is right.
func (s *Service) BeginTOTP(app *application.Application, u *user.User) (*Enrolment, error) {
	secret := make([]byte, secretBytes)
	_, _ = rand.Read(secret)
	state, err := s.seal(enrolmentFor, app.ID, enrolment{u.UUID, secret, s.Now().Unix()})
	if err != nil {
		return nil, err
	}
	return newEnrolment(app, u, secret, state)
}

// ResumeTOTP gives what BeginTOTP gave with a state, to be shown again after a
// wrong code; a new secret where the state is no longer good.
func (s *Service) ResumeTOTP(app *application.Application, u *user.User, state string) (*Enrolment, error) {
	e, ok := s.openEnrolment(app, u, state)
	if !ok {
		return s.BeginTOTP(app, u)
	}
	return newEnrolment(app, u, e.Secret, state)
}

func (s *Service) openEnrolment(app *application.Application, u *user.User, state string) (e enrolment, ok bool) {
	ok = s.open(enrolmentFor, app.ID, state, &e) && e.User == u.UUID && s.Now().Sub(time.Unix(e.At, 0)) <= enrolmentTime
	return e, ok
}

func newEnrolment(app *application.Application, u *user.User, secret []byte, state string) (*Enrolment, error) {
	name := app.Name
	if app.Settings.Branding.Name != "" {
		name = app.Settings.Branding.Name
	}
	account := u.Email
	if account == "" {
		account = u.UUID
	}
	made, err := totp.Generate(totp.GenerateOpts{
		Issuer: strings.ReplaceAll(name, ":", " "), AccountName: account, Secret: secret, // a colon parts the two in the URL
	})
	if err != nil {
		return nil, fmt.Errorf("make a TOTP secret: %w", err)
	}
	return &Enrolment{made.Secret(), made.URL(), state}, nil
}

// ConfirmTOTP stores a secret whose first code is right. With a user's first one
// come recovery codes, to be shown this once; else codes is nil. A wrong code, and
// a wrong label, is a fault Invalid.
func (s *Service) ConfirmTOTP(ctx context.Context, source audit.Source, app *application.Application, u *user.User, state, code, label string) (codes []string, err error) {
	e, ok := s.openEnrolment(app, u, state)
	if !ok {
		return nil, errLate
	}
	if label, ok = cleanLabel(label); !ok {
		return nil, errLabel
	}
	step, ok := s.step(e.Secret, code)
	if !ok {
		return nil, errCode
	}
	now := s.moment()
	c := &Credential{ID: ident.Record(), ApplicationID: app.ID, UserID: u.UUID, Kind: TOTP, Label: label, Counter: step, CreatedAt: now}
	c.Data = s.Keys.Seal(e.Secret, secretFor, app.ID, u.UUID, c.ID)
	have, err := s.hasSecond(ctx, app.ID, u.UUID)
	if err != nil {
		return nil, err
	}
	var digests []RecoveryDigest
	if !have {
		codes, digests = s.newRecovery(app.ID, u.UUID)
	}
	event, err := c.event(source, "user.credential.add", now)
	if err != nil {
		return nil, err
	}
	return codes, s.Credentials.Add(ctx, c, digests, event)
}

// cleanLabel trims a label and reports whether it will do.
func cleanLabel(label string) (string, bool) {
	label = strings.TrimSpace(label)
	return label, label != "" && utf8.ValidString(label) && utf8.RuneCountInString(label) <= MaxLabel && !strings.ContainsFunc(label, unicode.IsControl)
}

// step gives the step whose code this is, of those that are good now.
func (s *Service) step(secret []byte, code string) (int64, bool) {
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	now, found := s.Now().Unix()/totpStep, int64(-1)
	for step := now - totpSkew; step <= now+totpSkew; step++ {
		want, err := totp.GenerateCodeCustom(text, time.Unix(step*totpStep, 0), totpOptions)
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			found = step
		}
	}
	return found, found >= 0
}

// Code proves a user, whose first factor was right, by a one-time code. A wrong
// one, or one that was used before, is a fault Invalid; Denied says that the user
// has to begin again; a *SlowError that there were too many attempts.
func (s *Service) Code(ctx context.Context, app *application.Application, pending, code string, from From) (*Outcome, error) {
	return s.second(ctx, app, pending, from, errCode, func(u *user.User) (bool, error) {
		list, err := s.Credentials.List(ctx, app.ID, u.UUID)
		if err != nil {
			return false, err
		}
		for _, c := range list {
			if c.Kind != TOTP {
				continue
			}
			secret, err := s.Keys.Open(c.Data, secretFor, app.ID, u.UUID, c.ID)
			if err != nil {
				return false, fmt.Errorf("open a TOTP secret of user %s: %w", u.UUID, err)
			}
			if step, ok := s.step(secret, code); ok {
				if used, err := s.Credentials.Use(ctx, app.ID, c.ID, step, c.Data, s.moment()); used || err != nil {
					return used, err
				}
			}
		}
		return false, nil
	})
}

// second proves a user by a second factor.
func (s *Service) second(ctx context.Context, app *application.Application, text string, from From, wrong error, prove func(*user.User) (bool, error)) (*Outcome, error) {
	var p pending
	if !s.open(pendingFor, app.ID, text, &p) || s.Now().Sub(time.Unix(p.At, 0)) > Patience {
		return nil, errPending
	}
	u, err := s.Users.Get(ctx, app.ID, p.User)
	if fault.KindOf(err) == fault.NotFound || err == nil && (u.Inactive || u.Era != p.Era) {
		return nil, errPending
	}
	if err != nil {
		return nil, err
	}
	device := s.device(app.ID, u, from.Device)
	limits := []limit{{bucketKey{kind: ofSecond, application: app.ID, account: u.UUID + " " + device}, perSecond}}
	right, err := s.throttle.try(ctx, limits, func() (bool, error) { return prove(u) })
	switch {
	case err != nil:
		return nil, err
	case !right:
		_ = s.refused(ctx, app.ID, u, from)
		return nil, wrong
	}
	amr := append(slices.Clone(p.AMR), byCode, byMany)
	slices.Sort(amr)
	return s.done(app, u, session.TwoFactors, device, from, slices.Compact(amr)...)
}

// StepUp gives, for a user who is signed in by one factor, what Code and Recovery
// take as pending; false where the user has no second factor.
func (s *Service) StepUp(ctx context.Context, app *application.Application, u *user.User, amr []string) (pending string, ok bool, err error) {
	if ok, err = s.hasSecond(ctx, app.ID, u.UUID); !ok || err != nil {
		return "", false, err
	}
	out, err := s.wait(app, u, amr...)
	if err != nil {
		return "", false, err
	}
	return out.Pending, true, nil
}
