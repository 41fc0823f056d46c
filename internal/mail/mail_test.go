package mail_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	netmail "net/mail"
	"os"
	"strings"
	"sync/atomic"
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
	upgrade        bool // offers STARTTLS, with the certificate that is trusted
	mails          chan received
	told           atomic.Int32 // passwords, right or wrong
}

type received struct {
	from, to, data string
	encrypted      bool
}

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
		c.told.Add(1)
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
	c.mail.data, c.mail.encrypted = string(data), c.encrypted
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
	if s.upgrade {
		served.TLSConfig = &tls.Config{Certificates: []tls.Certificate{trusted}, MinVersion: tls.VersionTLS12}
	}
	if implicit {
		unknown, err := certificate()
		if err != nil {
			t.Fatal(err)
		}
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{unknown}, MinVersion: tls.VersionTLS12})
		s.url = "smtps://" + l.Addr().String()
	}
	done := make(chan struct{})
	go func() { _ = served.Serve(l); close(done) }()
	t.Cleanup(func() { _ = served.Close(); <-done })
	return s
}

// certificate makes one that nobody trusts yet.
func certificate() (tls.Certificate, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, err
}

// trusted is a certificate that this process trusts.
var trusted tls.Certificate

// TestMain has the process trust a certificate, as an operator does who runs a
// mail server of his own.
func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	made, err := certificate()
	if err != nil {
		panic(err)
	}
	file, err := os.CreateTemp("", "ostiary-mail-*.pem")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.Remove(file.Name()) }()
	if err := errors.Join(pem.Encode(file, &pem.Block{Type: "CERTIFICATE", Bytes: made.Certificate[0]}), file.Close(), os.Setenv("SSL_CERT_FILE", file.Name())); err != nil {
		panic(err)
	}
	trusted = made
	return m.Run()
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

// elsewhere is the same server by a name that does not say that it is on this
// machine: names are compared as they are written.
func elsewhere(url string) string { return strings.Replace(url, "127.0.0.1", "LOCALHOST", 1) }

// A server elsewhere has to take the connection over to TLS before it is told
// anything; one on this machine is taken at its word.
func TestSTARTTLS(t *testing.T) {
	t.Parallel()
	s := start(t, &server{user: "ids", password: "p@ss", upgrade: true}, false)
	for _, url := range []string{s.url, elsewhere(s.url)} {
		if err := sender(t, strings.Replace(url, "//", "//ids@", 1), "p@ss").Send(t.Context(), "ann@example.com", "x", "y"); err != nil {
			t.Fatalf("%s: %v", url, err)
		}
		if got := <-s.mails; !got.encrypted {
			t.Errorf("%s: sent in the clear", url)
		}
	}
}

// Somebody in between who takes the offer of TLS out learns nothing: neither the
// mail nor the password.
func TestSTARTTLSTakenOut(t *testing.T) {
	t.Parallel()
	for _, user := range []string{"", "ids"} {
		s := start(t, &server{user: user, password: "p@ss"}, false)
		url := strings.Replace(elsewhere(s.url), "//", "//"+user+"@", 1)
		if err := sender(t, url, "p@ss").Send(t.Context(), "ann@example.com", "x", "y"); err == nil {
			t.Errorf("as %q: sent in the clear", user)
		}
		if n := s.told.Load(); n > 0 || len(s.mails) > 0 {
			t.Errorf("as %q: told a password %d times, and %d mails", user, n, len(s.mails))
		}
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
