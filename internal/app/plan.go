package app

import (
	"errors"
	"fmt"
	"net/mail"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/user"
)

// plan is what a first start will make, as far as the operator chose it. It is
// checked before anything is opened, so that a mistake leaves nothing behind.
type plan struct {
	applicationID string // "": made
	settings      application.Settings
	ownerID       string // "": made
	ownerSecret   string // "": made
	email         string
	password      string // "": made
}

const (
	minSecret   = 24 // characters of a given client secret
	minPassword = 8  // characters (NIST SP 800-63B §5.1.1.2)
	maxGiven    = 1024
)

// planFounding checks the choices of a first start. Its errors are of type
// *config.Error.
func planFounding(f *config.Founding) (*plan, error) {
	p, err := readPlan(f)
	if err != nil {
		return nil, &config.Error{Err: err}
	}
	return p, nil
}

func readPlan(f *config.Founding) (*plan, error) {
	p := &plan{applicationID: f.ApplicationID, ownerID: f.OwnerClientID}
	if p.applicationID != "" {
		if err := application.ValidateID(p.applicationID); err != nil {
			return nil, said("--application-id", err)
		}
	}
	if text := client.IDRefusal(p.ownerID); p.ownerID != "" && text != "" {
		return nil, errors.New("--owner-client-id: " + text)
	}
	var err error
	if p.settings, err = foundingSettings(f); err != nil {
		return nil, err
	}
	if p.email, err = parseEmail(f.AdminEmail); err != nil {
		return nil, err
	}
	if p.ownerSecret, err = readGiven("--owner-client-secret-file", f.OwnerClientSecretFile, minSecret); err != nil {
		return nil, err
	}
	// RFC 6749 appendix A.2: client-secret = *VSCHAR, %x20-7E.
	if strings.ContainsFunc(p.ownerSecret, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
		return nil, errors.New("--owner-client-secret-file: a client secret is of printable ASCII characters (RFC 6749 appendix A.2)")
	}
	given, err := readGiven("--admin-password-file", f.AdminPasswordFile, minPassword)
	if err != nil || given == "" {
		return p, err
	}
	if p.password, err = user.BoundedPassword(given); err != nil {
		return nil, said("--admin-password-file", err)
	}
	return p, nil
}

// said gives a fault's text for the caller after the flag that it is about.
func said(flag string, err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return fmt.Errorf("%s: %s", flag, f.Message)
	}
	return fmt.Errorf("%s: %w", flag, err)
}

func foundingSettings(f *config.Founding) (application.Settings, error) {
	settings, err := application.Preset(f.Preset)
	if err != nil {
		return settings, said("--preset "+f.Preset, err)
	}
	for _, s := range f.Settings {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return settings, fmt.Errorf("--set %s: write SETTING=VALUE, as in secret_policy=revealable", s)
		}
		name = strings.TrimSpace(name)
		if err := settings.Set(name, strings.TrimSpace(value)); err != nil {
			return settings, said("--set "+name, err)
		}
	}
	return settings, nil
}

// parseEmail takes a plain address. That of a fresh server need not be one that
// mail reaches: admin@localhost is the default.
func parseEmail(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || len(s) > 254 {
		return "", errors.New("--admin-email: write a plain address, as admin@example.com")
	}
	return s, nil
}

// readGiven reads a secret from a file, without the newline at its end; "" for
// no file. Errors never repeat what is in it.
func readGiven(flag, path string, least int) (string, error) {
	if path == "" {
		return "", nil
	}
	content, err := os.ReadFile(path) //nolint:gosec // the operator names it
	if err != nil {
		return "", fmt.Errorf("%s: %w", flag, err)
	}
	secret := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	switch n := utf8.RuneCountInString(secret); {
	case !utf8.ValidString(secret) || strings.ContainsFunc(secret, unicode.IsControl):
		return "", fmt.Errorf("%s: %s is not one line of text", flag, path)
	case n < least:
		return "", fmt.Errorf("%s: what is in %s has %d characters; at least %d are needed", flag, path, n, least)
	case n > maxGiven:
		return "", fmt.Errorf("%s: what is in %s has %d characters; at most %d are taken", flag, path, n, maxGiven)
	}
	return secret, nil
}
