// Package config owns what an operator can configure: one table of settings,
// from which the flags, the environment variables, the keys of the file and the
// help text follow, and one validated struct that they end in. A flag beats the
// environment, the environment beats the file. Nothing else in the program
// reads the environment. It opens no store and makes no keys: it reads the
// configuration file and nothing more.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// Config is what was configured, validated. Each field is described beside its
// setting in the table.
type Config struct {
	Listen     string
	OpsListen  string
	PublicURL  string // "" where none was given: see DerivedPublicURL
	ConsoleURL string // "": the console is at the public URL
	Data       string
	Database   string // "": SQLite in Data
	File       string // the configuration file; "": none

	Strangers []string // variables that begin with OSTIARY_ and are no setting, nor nearly one

	TrustedProxies  []netip.Prefix
	ForwardedHeader string

	DefaultApplication string
	RootApplication    string

	MasterKey        string // from the environment; secret
	CollectorSet     bool   // GOGC or GOMEMLIMIT, the Go runtime's own variables, are set
	MasterKeyFile    string
	MasterKeyCommand string

	LogLevel  slog.Level
	LogFormat string // text or json

	DrainDelay time.Duration

	FailedAuthenticationsPerSecond float64
	FailedAuthenticationsBurst     int

	SigningKeyPeriod       time.Duration
	SigningKeyPublishAhead time.Duration

	TLSCert string
	TLSKey  string

	SMTPURL          string // "": no mail is sent; may hold a password
	SMTPPasswordFile string
	MailFrom         string
	OutboundAllow    []netip.Prefix

	Founding Founding
	Caller   Caller
}

// Founding is what the first start makes. It is looked at on an empty store
// only.
type Founding struct {
	ApplicationID         string
	OwnerClientID         string
	OwnerClientSecretFile string
	AdminEmail            string
	AdminPasswordFile     string
	Preset                string
	Settings              []string // NAME=VALUE each
}

// Error says that what the operator wrote is wrong: nothing was begun.
type Error struct{ Err error }

// Error says what is wrong, where, and what to write instead.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Load reads the file, the environment and the flags that Bind has made, and
// validates what they come to. Its errors are of type *Error.
func Load(flags *pflag.FlagSet) (*Config, error) { return LoadFrom(flags, os.Environ()) }

// LoadFrom is Load with an environment as os.Environ gives it.
func LoadFrom(flags *pflag.FlagSet, environ []string) (*Config, error) {
	c, err := load(flags, environ)
	if err == nil {
		err = c.validate()
	}
	if err != nil {
		return nil, &Error{err}
	}
	return c, nil
}

func load(flags *pflag.FlagSet, environ []string) (*Config, error) {
	fromFlags := flagValues(flags)
	fromEnvironment, strangers, err := environmentValues(environ)
	if err != nil {
		return nil, err
	}
	file := first(fromFlags["config"], fromEnvironment["config"])
	fromFile, err := fileValues(file)
	if err != nil {
		return nil, err
	}
	c := &Config{}
	for i := range table {
		if err := table[i].load(c, fromFlags, fromEnvironment, fromFile); err != nil {
			return nil, err
		}
	}
	c.File, c.Strangers = file, strangers
	c.CollectorSet = slices.ContainsFunc(environ, func(v string) bool {
		return strings.HasPrefix(v, "GOGC=") || strings.HasPrefix(v, "GOMEMLIMIT=")
	})
	return c, nil
}

func first(lists ...[]string) string {
	for _, l := range lists {
		if len(l) > 0 {
			return l[len(l)-1]
		}
	}
	return ""
}

// load takes a setting's value from the strongest source that has one.
func (s *setting) load(c *Config, flags, environment, file values) error {
	sources := []struct {
		name   string
		values values
	}{{"--" + s.name, flags}, {s.variable(), environment}, {"the key " + s.key() + " of the configuration file", file}}
	for _, source := range sources {
		given, ok := source.values[s.name]
		if !ok {
			continue
		}
		if err := s.set(c, given); err != nil {
			return fmt.Errorf("%s: %w", source.name, err)
		}
		return nil
	}
	if s.initial == "" {
		return nil
	}
	return s.set(c, []string{s.initial})
}

// validate checks what no setting can check alone.
func (c *Config) validate() error {
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key belong together: say both or neither")
	}
	if c.Data == "" {
		return errors.New("--data is empty: name a directory, or leave it out")
	}
	given := slices.DeleteFunc([]string{c.MasterKey, c.MasterKeyFile, c.MasterKeyCommand}, func(s string) bool { return s == "" })
	if len(given) > 1 {
		return errors.New("the master key is given more than once: say one of OSTIARY_MASTER_KEY, --master-key-file and --master-key-command")
	}
	_, port, err := net.SplitHostPort(c.Listen)
	if err == nil && port == "0" && c.PublicURL == "" {
		return errors.New("--listen leaves the choice of the port to the system, so the public URL cannot follow from it: say --public-url too")
	}
	if c.Listen == c.OpsListen && port != "0" {
		return errors.New("--listen and --ops-listen are the same address: operations need a listener of their own")
	}
	if (c.SMTPURL == "") != (c.MailFrom == "") {
		return errors.New("--smtp-url and --mail-from belong together: say both or neither")
	}
	if c.SigningKeyPublishAhead >= c.SigningKeyPeriod {
		return errors.New("--signing-key-publish-ahead must be shorter than --signing-key-period")
	}
	return nil
}

// DerivedPublicURL is the public URL of a server that was told none: where it
// listens. A listener on all addresses is reached as localhost.
func (c *Config) DerivedPublicURL() string {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return ""
	}
	if a, err := netip.ParseAddr(host); host == "" || (err == nil && a.IsUnspecified()) {
		host = "localhost"
	}
	scheme := "http"
	if c.TLSCert != "" {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(strings.ToLower(host), port)
}

// ParsePublicURL gives the normal form of a public URL: scheme and host and
// nothing after them.
func ParsePublicURL(text string) (string, error) {
	const form = "a public URL is scheme and host with nothing after them, as https://id.example.com"
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "", errors.New(form)
	case u.Scheme != "http" && u.Scheme != "https":
		return "", errors.New(form + "; the scheme is http or https")
	case u.Hostname() == "" || u.User != nil:
		return "", errors.New(form)
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		return "", errors.New(form + "; leave out path, query and fragment")
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}
