package mail_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/ostiary/ostiary/internal/mail"
)

// server is a mail server that keeps what it is handed.
type server struct {
	url            string
	user, password string // "": everybody may
	refuse         error
	mails          chan received
}

type received struct{ from, to, data string }

func (s *server) NewSession(c *smtp.Conn) (smtp.Session, error) {
	_, encrypted := c.TLSConnectionState()
	return &conversation{server: s, encrypted: encrypted}, nil
}

type conversation struct {
	*server
	encrypted, known bool
	mail             received
}

func (c *conversation) AuthMechanisms() []string { return []string{sasl.Plain} }

func (c *conversation) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		c.known = user == c.user && password == c.password
		if !c.known {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}

func (c *conversation) Mail(from string, _ *smtp.MailOptions) error {
	if c.user != "" && !c.known {
		return smtp.ErrAuthRequired
	}
	c.mail.from = from
	return nil
}

func (c *conversation) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.mail.to = to
	return c.refuse
}

func (c *conversation) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	c.mail.data = string(data)
	c.mails <- c.mail
	return err
}
func (c *conversation) Reset()        {}
func (c *conversation) Logout() error { return nil }

// start serves on a loopback address; over TLS where a certificate is given.
func start(t *testing.T, s *server, implicit bool) *server {
	t.Helper()
	s.mails = make(chan received, 10)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := smtp.NewServer(s)
	served.Domain, served.AllowInsecureAuth, served.ReadTimeout, served.WriteTimeout = "localhost", true, 5*time.Second, 5*time.Second
	s.url = "smtp://" + l.Addr().String()
	if implicit {
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate(t)}, MinVersion: tls.VersionTLS12})
		s.url = "smtps://" + l.Addr().String()
	}
	done := make(chan struct{})
	go func() { _ = served.Serve(l); close(done) }()
	t.Cleanup(func() { _ = served.Close(); <-done })
	return s
}

// certificate is one that nobody trusts.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}
}

func sender(t *testing.T, url, password string) *mail.Sender {
	t.Helper()
	s, err := mail.New(url, password, `"Shop" <ids@example.com>`)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSend(t *testing.T) {
	t.Parallel()
	const text = "Grüße:\nhttps://id.example.com/x?token=" + "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789" + "\n.\nEnd"
	s := start(t, &server{}, false)
	if err := sender(t, s.url, "").Send(t.Context(), "ann@example.com", "Ihr Paßwort", text); err != nil {
		t.Fatal(err)
	}
	got := <-s.mails
	if got.from != "ids@example.com" || got.to != "ann@example.com" {
		t.Errorf("from %s to %s", got.from, got.to)
	}
	m, err := netmail.ReadMessage(strings.NewReader(got.data))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"From": `"Shop" <ids@example.com>`, "To": "<ann@example.com>", "Subject": "=?UTF-8?q?Ihr_Pa=C3=9Fwort?=", "Auto-Submitted": "auto-generated",
	} {
		if m.Header.Get(name) != want {
			t.Errorf("%s: %q", name, m.Header.Get(name))
		}
	}
	if m.Header.Get("Message-ID") == "" || m.Header.Get("Date") == "" || !strings.Contains(got.data, "token=3Dabcdef") && !strings.Contains(got.data, "token=abcdef") {
		t.Errorf("%s", got.data)
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	s := start(t, &server{user: "ids", password: "p@ss"}, false)
	with := strings.Replace(s.url, "//", "//ids:p%40ss@", 1)
	if err := sender(t, with, "").Send(t.Context(), "ann@example.com", "x", "y"); err != nil {
		t.Error(err)
	}
	if err := sender(t, strings.Replace(s.url, "//", "//ids@", 1), "p@ss").Send(t.Context(), "ann@example.com", "x", "y"); err != nil {
		t.Error(err)
	}
	for _, url := range []string{s.url, strings.Replace(s.url, "//", "//ids:hush@", 1)} {
		err := sender(t, url, "").Send(t.Context(), "ann@example.com", "x", "y")
		if err == nil || strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "ann@") {
			t.Errorf("%v", err)
		}
	}
}

// A server with a certificate that nobody trusts is told nothing.
func TestUntrusted(t *testing.T) {
	t.Parallel()
	s := start(t, &server{}, true)
	err := sender(t, s.url, "").Send(t.Context(), "ann@example.com", "x", "y")
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
		t.Errorf("%v", err)
	}
}

// What a server says of a recipient is not for the log.
func TestErrorsRepeatNoAddress(t *testing.T) {
	t.Parallel()
	s := start(t, &server{refuse: &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "ann@example.com is unknown"}}, false)
	err := sender(t, s.url, "").Send(t.Context(), "ann@example.com", "x", "y")
	if err == nil || strings.Contains(err.Error(), "ann@") || !strings.Contains(err.Error(), "550") {
		t.Errorf("%v", err)
	}
	if err := sender(t, s.url, "").Send(t.Context(), "ann@\r\nBcc: x", "x", "y"); err == nil || strings.Contains(err.Error(), "Bcc") {
		t.Errorf("%v", err)
	}
}

func TestRefusedServers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ url, from string }{
		{"smtp://", "a@example.com"},
		{"smtp://mail.example.com", "nobody"},
		{"smtp://mail.example.com:99999", "a@example.com"},
	} {
		if _, err := mail.New(c.url, "", c.from); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}
