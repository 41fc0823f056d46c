package signin

import (
	"context"
	"strings"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/user"
)

// Asked is what somebody asks to be sent by mail.
type Asked struct {
	Email   string
	Locale  string // of the page on which it was asked
	Request string // what goes on afterwards, for the link to bring back; "": nothing
}

var (
	errNoMail     = fault.Conflictf("This server sends no mail; ask whoever runs it.")
	errNoAccounts = fault.Conflictf("This application does not let people make accounts by themselves.")
	errEmail      = fault.Invalidf("email", "Enter an e-mail address, such as name@example.com.")
)

// maxRequest bounds what a link brings back, in bytes.
const maxRequest = 16 << 10

// admit judges what is asked, and whether so much may be sent.
func (s *Service) admit(app *application.Application, asked *Asked, from From) error {
	if !s.CanMail() {
		return errNoMail
	}
	var err error
	if asked.Email, err = user.CleanEmail(asked.Email); err != nil || asked.Email == "" {
		return errEmail
	}
	if len(asked.Request) > maxRequest || strings.ContainsRune(asked.Request, 0) {
		asked.Request = ""
	}
	_, err = s.throttle.try(context.Background(), []limit{
		{bucketKey{kind: ofSender, network: network(from.Source.Address)}, perSender},
		{bucketKey{kind: ofMailbox, application: app.ID, account: fold(asked.Email)}, perMailbox},
	}, func() (bool, error) { return false, nil }) // each mail counts
	return err
}

// Forgotten sends a link by which a password can be chosen to an address, where
// there is an account with it. The answer does not tell whether there is, nor
// does the time it takes: all of it is done later. An address that is none is a
// fault Invalid, a server without mail Conflict; a *SlowError says that too much
// was asked for.
func (s *Service) Forgotten(app *application.Application, asked Asked, from From) error {
	if err := s.admit(app, &asked, from); err != nil {
		return err
	}
	s.later(func(ctx context.Context) error {
		u, err := s.byEmail(ctx, app.ID, asked.Email)
		if err != nil || u == nil || u.Inactive {
			return err
		}
		return s.mail(ctx, app, asked, ForReset, u)
	})
	return nil
}

// SendVerification sends a user a link by which he shows that his address is his.
func (s *Service) SendVerification(app *application.Application, u *user.User, locale string, from From) error {
	if u.Email == "" {
		return errNoEmail
	}
	asked := Asked{Email: u.Email, Locale: locale}
	if err := s.admit(app, &asked, from); err != nil {
		return err
	}
	asked.Email = u.Email
	s.later(func(ctx context.Context) error { return s.mail(ctx, app, asked, ForVerify, u) })
	return nil
}

// Register sends a link by which an account can be made to an address, where the
// application lets people do so. Whether there is an account with it already is
// told in the mail alone. The password is chosen behind the link: nobody makes an
// account with a password of his own for the address of somebody else. The errors
// are those of Forgotten.
func (s *Service) Register(app *application.Application, asked Asked, from From) error {
	if !app.Settings.Registration {
		return errNoAccounts
	}
	if err := s.admit(app, &asked, from); err != nil {
		return err
	}
	s.later(func(ctx context.Context) error {
		u, err := s.byEmail(ctx, app.ID, asked.Email)
		if err != nil {
			return err
		}
		if u != nil {
			return s.send(ctx, &Letter{Application: app, Known: true, Purpose: ForRegister, To: u.Email, Locale: asked.Locale, Request: asked.Request})
		}
		return s.mail(ctx, app, asked, ForRegister, nil)
	})
	return nil
}

// mail stores a link and sends it; u is nil where the link is to make an account.
func (s *Service) mail(ctx context.Context, app *application.Application, asked Asked, purpose Purpose, u *user.User) error {
	l := Link{ApplicationID: app.ID, Purpose: purpose, Email: asked.Email, Request: asked.Request}
	if u != nil {
		l.UserID, l.UserEra, l.Email = u.UUID, u.Era, u.Email
	}
	token, err := s.link(ctx, l, purpose.lifetime(), nil)
	if err != nil {
		return err
	}
	return s.send(ctx, &Letter{Application: app, Purpose: purpose, To: l.Email, Locale: asked.Locale, Token: token, Request: asked.Request})
}

// Registered uses a link up to make the account that it is for. attributes are
// what its user says of himself. What will not do is a fault Invalid or
// fault.Problems, and leaves the link as it was; an address that got an account
// meanwhile is a Conflict.
func (s *Service) Registered(ctx context.Context, app *application.Application, token, password string, attributes map[string]any, from From) (*Outcome, error) {
	l, err := s.of(ctx, app, token, ForRegister)
	if err != nil {
		return nil, err
	}
	if !app.Settings.Registration {
		return nil, errNoAccounts
	}
	if err := user.CheckPassword(password, l.Email); err != nil {
		return nil, err
	}
	u, event, err := s.People.Made(ctx, from.Source, app.ID, user.Fields{Email: l.Email, EmailVerified: true, Attributes: attributes, Password: &password})
	if err != nil {
		return nil, err
	}
	event.Actor = object(u.UUID)
	defer s.Users.Void(app.ID, u.UUID)
	if err := s.Links.Register(ctx, l.Digest, s.Now(), u, event); err != nil {
		return nil, err
	}
	s.throttle.know(app.ID, fold(u.Email), from)
	return s.done(app, u, session.OneFactor, "", from, byPassword)
}
