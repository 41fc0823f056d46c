package signin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/user"
)

// tokenBytes is the entropy of the token in a link.
const tokenBytes = 32

// administratorsLink is how long a link is good that an administrator makes, who
// has to bring it to its user.
const administratorsLink = 24 * time.Hour

var (
	errLink    = fault.NotFoundf("This link is no longer good; ask for a new one.")
	errNoEmail = fault.Conflictf("The user has no e-mail address.")
)

// newToken makes the token of a link, and what is kept of it.
func newToken() (token string, digest [32]byte) {
	var b [tokenBytes]byte
	_, _ = rand.Read(b[:])
	token = base64.RawURLEncoding.EncodeToString(b[:])
	return token, sha256.Sum256([]byte(token))
}

// digestOf gives what would be kept of a token; false where it is no token, which
// costs no look at the database.
func digestOf(token string) ([32]byte, bool) {
	if len(token) != base64.RawURLEncoding.EncodedLen(tokenBytes) {
		return [32]byte{}, false
	}
	// The decoder skips line breaks, and then gives fewer bytes.
	if raw, err := base64.RawURLEncoding.Strict().DecodeString(token); err != nil || len(raw) != tokenBytes {
		return [32]byte{}, false
	}
	return sha256.Sum256([]byte(token)), true
}

// link stores a link and gives its token.
func (s *Service) link(ctx context.Context, l Link, good time.Duration, event *audit.Event) (string, error) {
	token, digest := newToken()
	l.Digest, l.ExpiresAt = digest, s.moment().Add(good)
	return token, s.Links.Put(ctx, &l, event)
}

// Link gives the link that a token is of, while it is good; a fault NotFound
// where it is not, or no longer. It is not used up.
func (s *Service) Link(ctx context.Context, app *application.Application, token string) (*Link, error) {
	digest, ok := digestOf(token)
	if !ok {
		return nil, errLink
	}
	return s.Links.Get(ctx, app.ID, digest, s.Now())
}

// ResetLink makes, for an administrator, the token of a link by which a user
// chooses a password.
func (s *Service) ResetLink(ctx context.Context, source audit.Source, app *application.Application, u *user.User) (token string, expires time.Time, err error) {
	if u.Inactive {
		return "", time.Time{}, fault.Conflictf("The user is not active.")
	}
	event := audit.New(source, app.ID, "user.reset_link", object(u.UUID), s.moment())
	token, err = s.link(ctx, Link{ApplicationID: app.ID, Purpose: ForReset, UserID: u.UUID, UserEra: u.Era}, administratorsLink, &event)
	return token, s.moment().Add(administratorsLink), err
}

// of gives a link of a purpose.
func (s *Service) of(ctx context.Context, app *application.Application, token string, purpose Purpose) (*Link, error) {
	l, err := s.Link(ctx, app, token)
	if err == nil && l.Purpose != purpose {
		err = errLink
	}
	return l, err
}

// Reset uses a link up to give its user another password, and ends all that was
// given to whoever knew the old one. A password that will not do is a fault
// Invalid, and leaves the link as it was.
func (s *Service) Reset(ctx context.Context, source audit.Source, app *application.Application, token, password string) (*user.User, error) {
	l, err := s.of(ctx, app, token, ForReset)
	if err != nil {
		return nil, err
	}
	hash, err := s.newPassword(ctx, app.ID, l.UserID, password)
	if err != nil {
		return nil, err
	}
	source.Actor = object(l.UserID)
	now, era := s.moment(), user.NewEra()
	defer s.Users.Void(app.ID, l.UserID)
	u, err := s.Links.Redeem(ctx, app.ID, l.Digest, now, func(u *user.User) (audit.Event, error) {
		u.PasswordHash, u.Era, u.UpdatedAt = hash, era, now
		if l.Email != "" && l.Email == u.Email && u.EmailVerifiedAt.IsZero() {
			u.EmailVerifiedAt = now // who has the link reads the mail
		}
		return audit.New(source, app.ID, "user.password", object(u.UUID), now), nil
	})
	if err != nil {
		return nil, err
	}
	s.Sessions.Ended()
	return u, nil
}

// newPassword judges a password that a user chooses, and gives its hash.
func (s *Service) newPassword(ctx context.Context, applicationID, uuid, password string) (string, error) {
	u, err := s.Users.Get(ctx, applicationID, uuid)
	if err != nil {
		return "", err
	}
	if err := user.CheckPassword(password, u.Email); err != nil {
		return "", err
	}
	return s.Keys.HashSecret(ctx, user.NormalPassword(password))
}

// Verify uses a link up to note that its user reads what is sent to his address.
func (s *Service) Verify(ctx context.Context, source audit.Source, app *application.Application, token string) (*user.User, error) {
	l, err := s.of(ctx, app, token, ForVerify)
	if err != nil {
		return nil, err
	}
	source.Actor = object(l.UserID)
	now := s.moment()
	defer s.Users.Void(app.ID, l.UserID)
	return s.Links.Redeem(ctx, app.ID, l.Digest, now, func(u *user.User) (audit.Event, error) {
		if u.Email != l.Email {
			return audit.Event{}, errLink
		}
		if u.EmailVerifiedAt.IsZero() {
			u.EmailVerifiedAt, u.UpdatedAt = now, now
		}
		return audit.New(source, app.ID, "user.email.verify", object(u.UUID), now), nil
	})
}

// ChangePassword gives a user, who knows the one he has, another password. All
// his other sessions end; this one goes on under another cookie. A wrong password
// is a fault Denied, one that will not do Invalid; a *SlowError says that there
// were too many attempts.
func (s *Service) ChangePassword(ctx context.Context, app *application.Application, in *session.Session, u *user.User, old, password string, from From) (*session.Session, string, error) {
	if err := s.Confirm(ctx, app, u, old, from); err != nil {
		return nil, "", err
	}
	hash, err := s.newPassword(ctx, app.ID, u.UUID, password)
	if err != nil {
		return nil, "", err
	}
	source := from.Source
	source.Actor = object(u.UUID)
	now, era := s.moment(), user.NewEra()
	defer s.Users.Void(app.ID, u.UUID)
	return s.Sessions.Rekey(in, func(after *session.Session) error {
		after.UserEra = era
		_, err := s.Links.ChangePassword(ctx, in.ID, after, func(c *user.User) (audit.Event, error) {
			if c.Era != u.Era || c.Inactive {
				return audit.Event{}, errRefused
			}
			c.PasswordHash, c.Era, c.UpdatedAt = hash, era, now
			return audit.New(source, app.ID, "user.password", object(u.UUID), now), nil
		})
		return err
	})
}

// Confirm proves once more, by the password, a user who is signed in. The errors
// are those of Password.
func (s *Service) Confirm(ctx context.Context, app *application.Application, u *user.User, password string, from From) error {
	account := fold(u.Email)
	if account == "" {
		account = u.UUID
	}
	limits := s.limits(app.ID, account, s.device(app.ID, u, from.Device), from)
	right, err := s.throttle.try(ctx, limits, func() (bool, error) { return s.verify(ctx, u, password) })
	if err == nil && !right {
		return s.refused(ctx, app.ID, u, from)
	}
	return err
}
