package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// parsed sets a text after it went through parse.
func parsed(field func(*Config) *string, parse func(string) (string, error)) func(*Config, []string) error {
	return func(c *Config, values []string) error {
		if values[0] == "" {
			*field(c) = ""
			return nil
		}
		v, err := parse(values[0])
		*field(c) = v
		return err
	}
}

func text(field func(*Config) *string) func(*Config, []string) error {
	return parsed(field, func(s string) (string, error) { return s, nil })
}

func address(field func(*Config) *string) func(*Config, []string) error {
	return func(c *Config, values []string) error {
		_, port, err := net.SplitHostPort(values[0])
		if n, numeric := strconv.ParseUint(port, 10, 16); err != nil || numeric != nil || n > 65535 {
			return fmt.Errorf("%q is no address to listen on: write host:port, as 127.0.0.1:8080 or :8080", values[0])
		}
		*field(c) = values[0]
		return nil
	}
}

func oneOf(words ...string) func(string) (string, error) {
	return func(s string) (string, error) {
		if !slices.Contains(words, s) {
			return "", fmt.Errorf("%q is not one of %s", s, strings.Join(words, ", "))
		}
		return s, nil
	}
}

// parseDatabase does not repeat the URL in its errors: passwords stand there.
func parseDatabase(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return "", errors.New("write a PostgreSQL URL, as postgres://user@host/database, or leave it out for SQLite in --data")
	}
	return s, nil
}

// parseSMTP does not repeat the URL in its errors: a password may stand there.
func parseSMTP(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "smtp" && u.Scheme != "smtps") || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("write the URL of a mail server, as smtp://user@mail.example.com:587 or smtps://user@mail.example.com:465")
	}
	return s, nil
}

func parseMailbox(s string) (string, error) {
	a, err := mail.ParseAddress(s)
	if err != nil {
		return "", fmt.Errorf("%q is no sender: write an address, as ids@example.com or \"Example <ids@example.com>\"", s)
	}
	return a.String(), nil
}

// fieldName is a token of RFC 9110 §5.6.2.
var fieldName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

func parseHeader(s string) (string, error) {
	if !fieldName.MatchString(s) {
		return "", fmt.Errorf("%q is no name of a header field", s)
	}
	if http.CanonicalHeaderKey(s) == "Forwarded" {
		return "", errors.New("the header Forwarded (RFC 7239) is not understood: have the proxies write X-Forwarded-For or another header that is a list of addresses")
	}
	return http.CanonicalHeaderKey(s), nil
}

func prefixes(field func(*Config) *[]netip.Prefix) func(*Config, []string) error {
	return func(c *Config, values []string) error {
		var list []netip.Prefix
		for _, v := range values {
			if v == "" {
				continue
			}
			p, err := parsePrefix(v)
			if err != nil {
				return fmt.Errorf("%q is no address range: write CIDR, as 10.0.0.0/8 or 2001:db8::/32", v)
			}
			list = append(list, p)
		}
		*field(c) = list
		return nil
	}
}

// parsePrefix takes a bare address for a range of one.
func parsePrefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Unmap().Prefix(a.Unmap().BitLen())
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}

func level(field func(*Config) *slog.Level) func(*Config, []string) error {
	return func(c *Config, values []string) error {
		word, err := oneOf("debug", "info", "warn", "error")(values[0])
		if err != nil {
			return err
		}
		return field(c).UnmarshalText([]byte(word))
	}
}

func duration(field func(*Config) *time.Duration, low, high time.Duration) func(*Config, []string) error {
	return func(c *Config, values []string) error {
		d, err := parseDuration(values[0])
		if err != nil {
			return err
		}
		if d < low || d > high {
			return fmt.Errorf("%q is out of range: at least %s and at most %s", values[0], low, high)
		}
		*field(c) = d
		return nil
	}
}

// parseDuration takes whole days too ("90d"), which time.ParseDuration does not.
func parseDuration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return time.Duration(n) * day, nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is no duration: write a number with its unit, as 500ms, 30s, 24h or 90d", s)
	}
	return d, nil
}

func number(field func(*Config) *float64, low, high float64) func(*Config, []string) error {
	return func(c *Config, values []string) error {
		n, err := strconv.ParseFloat(values[0], 64)
		if err != nil || !(n >= low && n <= high) {
			return fmt.Errorf("%q is no number from %g to %g", values[0], low, high)
		}
		*field(c) = n
		return nil
	}
}

func integer(field func(*Config) *int, low, high int) func(*Config, []string) error {
	return func(c *Config, values []string) error {
		n, err := strconv.Atoi(values[0])
		if err != nil || n < low || n > high {
			return fmt.Errorf("%q is no whole number from %d to %d", values[0], low, high)
		}
		*field(c) = n
		return nil
	}
}
