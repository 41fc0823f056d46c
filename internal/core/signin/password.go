package signin

import (
	"context"
	"errors"
	"strings"
	"time"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/user"
)

// Bounds of what is looked at, in bytes.
const (
	maxEmail    = 320
	maxPassword = 1024
)

// Password proves a user by address and password. Whatever is wrong, an account
// that is not there, has no password or was deactivated, is one and the same
// fault Denied, after the same work: one slow hash. A *SlowError says that there
// were too many attempts, and a fault Unavailable that too many passwords wait.
func (s *Service) Password(ctx context.Context, app *application.Application, email, password string, from From) (*Outcome, error) {
	email = strings.TrimSpace(email)
	u, err := s.byEmail(ctx, app.ID, email)
	if err != nil {
		return nil, err
	}
	account, device := fold(email), ""
	if u != nil {
		device = s.device(app.ID, u, from.Device)
	}
	right, err := s.throttle.try(ctx, s.limits(app.ID, account, device, from), func() (bool, error) { return s.verify(ctx, u, password) })
	switch {
	case err != nil:
		return nil, err
	case !right:
		return nil, s.refused(ctx, app.ID, u, from)
	}
	s.throttle.know(app.ID, account, from)
	u = s.rehash(ctx, u, password)
	second, err := s.hasSecond(ctx, app.ID, u.UUID)
	if err != nil {
		return nil, err
	}
	if second {
		return s.wait(app, u, byPassword)
	}
	return s.done(app, u, session.OneFactor, device, from, byPassword)
}

// byEmail gives the user of an address, nil where there is none.
func (s *Service) byEmail(ctx context.Context, applicationID, email string) (*user.User, error) {
	if email == "" || len(email) > maxEmail {
		return nil, nil //nolint:nilnil // nobody
	}
	u, err := s.Users.ByEmail(ctx, applicationID, email)
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil //nolint:nilnil // nobody
	}
	return u, err
}

// fold gives an address without regard to case, cut to what is remembered.
func fold(email string) string {
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(email[:min(len(email), maxEmail)])))
}

// limits are the buckets of an attempt with a password. A known device has one
// of its own, so that nobody else can empty it; from a known network an account
// does not share in what strangers spend.
func (s *Service) limits(applicationID, account, device string, from From) []limit {
	if device != "" {
		return []limit{{bucketKey{kind: ofDevice, application: applicationID, account: device}, perDevice}}
	}
	where := network(from.Source.Address)
	list := []limit{
		{bucketKey{kind: ofPair, application: applicationID, account: account, network: where}, perPair},
		{bucketKey{kind: ofNetwork, network: where}, perNetwork},
	}
	if !s.throttle.knows(applicationID, account, from) {
		list = append(list, limit{bucketKey{kind: ofAccount, application: applicationID, account: account}, perAccount})
	}
	return list
}

// know remembers that an account signed in from a network.
func (t *throttle) know(applicationID, account string, from From) {
	k := bucketKey{kind: ofPair, application: applicationID, account: account, network: network(from.Source.Address)}
	t.known.Fill(t.known.Ticket(k), k, struct{}{})
}

func (t *throttle) knows(applicationID, account string, from From) bool {
	_, ok := t.known.Get(bucketKey{kind: ofPair, application: applicationID, account: account, network: network(from.Source.Address)})
	return ok
}

// verify reports whether a password is the user's. For nobody, and for who has
// no password, a hash is computed all the same.
func (s *Service) verify(ctx context.Context, u *user.User, password string) (bool, error) {
	if u == nil || u.PasswordHash == "" || password == "" || len(password) > maxPassword {
		return false, s.Keys.VerifyNothing(ctx, password[:min(len(password), maxPassword)])
	}
	right, err := u.HasPassword(ctx, s.Keys, password)
	return right && !u.Inactive, err
}

// done makes the outcome of a user who is signed in.
func (s *Service) done(app *application.Application, u *user.User, acr, device string, from From, amr ...string) (*Outcome, error) {
	out := &Outcome{User: u, AMR: amr, ACR: acr}
	var err error
	out.Device, err = s.keep(app.ID, u, device, from.Device)
	return out, err
}

// errChanged: the record is not as it was when the password was right.
var errChanged = errors.New("signin: the user changed meanwhile")

// rehash replaces a hash made with other parameters, or by another program, now
// that the password is at hand. It is a chance, not a duty: where it fails the
// next sign-in tries again.
func (s *Service) rehash(ctx context.Context, u *user.User, password string) *user.User {
	if key.OwnHash(u.PasswordHash) {
		return u
	}
	hash, err := s.Keys.HashSecret(ctx, user.NormalPassword(password))
	if err != nil {
		return u
	}
	defer s.Users.Void(u.ApplicationID, u.UUID)
	now := s.moment()
	after, err := s.Records.Change(ctx, u.ApplicationID, u.UUID, func(c *user.User) (audit.Event, error) {
		if c.PasswordHash != u.PasswordHash || c.Era != u.Era {
			return audit.Event{}, errChanged
		}
		c.PasswordHash = hash
		return audit.New(audit.System(), u.ApplicationID, "user.password.rehash", object(u.UUID), now), nil
	})
	if err != nil {
		return u
	}
	return after
}

// moment is now, in the microseconds that the databases keep.
func (s *Service) moment() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// object names a user in audit events, as their object and as their actor.
func object(uuid string) string { return "user:" + uuid }
