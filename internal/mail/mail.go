// Package mail hands mail over to the server that delivers it, by SMTP. What is
// written, to whom and when again is not decided here.
package mail

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/wneessen/go-mail"
)

// sendTime bounds the handing over of a mail.
const sendTime = 20 * time.Second

// Sender sends mail. It is safe for concurrent use: each mail has a connection
// of its own.
type Sender struct {
	from    string
	host    string
	options []mail.Option
}

// New makes a sender from the URL of a mail server: smtp://user:password@host,
// port 587 where it names none, or smtps:// with TLS from the start, port 465. A
// password that is given takes the place of the URL's. STARTTLS is required of
// smtp://, save on this machine.
func New(server, password, from string) (*Sender, error) {
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("the URL of the mail server is malformed")
	}
	s := &Sender{from: from, host: u.Hostname(), options: []mail.Option{mail.WithTimeout(sendTime)}}
	port, auth := 587, mail.SMTPAuthAutoDiscover
	switch {
	case u.Scheme == "smtps":
		port = 465
		s.options = append(s.options, mail.WithSSL())
	case loopback(u.Hostname()):
		s.options = append(s.options, mail.WithTLSPolicy(mail.TLSOpportunistic))
		auth = mail.SMTPAuthPlainNoEnc // nobody listens in between
	default:
		s.options = append(s.options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if u.Port() != "" {
		if port, err = strconv.Atoi(u.Port()); err != nil {
			return nil, errors.New("the port of the mail server is malformed")
		}
	}
	s.options = append(s.options, mail.WithPort(port))
	if user := u.User.Username(); user != "" {
		if password == "" {
			password, _ = u.User.Password()
		}
		s.options = append(s.options, mail.WithSMTPAuth(auth), mail.WithUsername(user), mail.WithPassword(password))
	}
	// What is wrong with the options shows now rather than with the first mail.
	if _, err := mail.NewClient(s.host, s.options...); err != nil {
		return nil, fmt.Errorf("mail through %s: %w", s.host, err)
	}
	if err := mail.NewMsg().From(from); err != nil {
		return nil, errors.New("the sender of mail is no address")
	}
	return s, nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// Send hands over a mail of plain text. The error does not repeat the address.
func (s *Sender) Send(ctx context.Context, to, subject, text string) error {
	m := mail.NewMsg()
	if err := errors.Join(m.From(s.from), m.To(to)); err != nil {
		return errors.New("the address is none that mail can be sent to")
	}
	m.Subject(subject)
	m.SetBodyString(mail.TypeTextPlain, text)
	m.SetDate()
	m.SetMessageID()
	// Automatic answers are not wanted (RFC 3834 §5).
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	client, err := mail.NewClient(s.host, s.options...)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	if err := client.DialAndSendWithContext(ctx, m); err != nil {
		return fmt.Errorf("the mail server %s did not take a mail: %w", s.host, withoutAddress(err))
	}
	return nil
}

// withoutAddress gives what went wrong, without the recipient that a server may
// repeat in its answer.
func withoutAddress(err error) error {
	if e, ok := errors.AsType[*mail.SendError](err); ok {
		return fmt.Errorf("%s, code %d", e.Reason, e.ErrorCode())
	}
	return err
}
