package config_test

import (
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/pflag"

	"github.com/ostiary/ostiary/internal/config"
)

// load reads a configuration from all three sources; file is the text of the
// file, "" for none.
func load(t *testing.T, file string, environ []string, args ...string) (*config.Config, error) {
	t.Helper()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.Bind(flags, config.Serve)
	if file != "" {
		path := filepath.Join(t.TempDir(), "ostiary.yaml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", path)
	}
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return config.LoadFrom(flags, environ)
}

func TestDefaults(t *testing.T) {
	got, err := load(t, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &config.Config{
		Listen: "127.0.0.1:8080", OpsListen: "127.0.0.1:9090", Data: "./ostiary-data", ForwardedHeader: "X-Forwarded-For",
		LogLevel: slog.LevelInfo, LogFormat: "text", DrainDelay: time.Second,
		FailedAuthenticationsPerSecond: 20, FailedAuthenticationsBurst: 500,
		SigningKeyPeriod: 90 * 24 * time.Hour, SigningKeyPublishAhead: 24 * time.Hour,
		Founding: config.Founding{AdminEmail: "admin@localhost"},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

// TestFlagBeatsEnvironmentBeatsFile gives the same setting in all sources, and
// takes away the strongest one after the other.
func TestFlagBeatsEnvironmentBeatsFile(t *testing.T) {
	file, environ, flag := "listen: 127.0.0.1:1", []string{"OSTIARY_LISTEN=127.0.0.1:2"}, "--listen=127.0.0.1:3"
	for _, c := range []struct {
		file    string
		environ []string
		args    []string
		want    string
	}{
		{file, environ, []string{flag}, "127.0.0.1:3"},
		{file, environ, nil, "127.0.0.1:2"},
		{file, nil, nil, "127.0.0.1:1"},
		{"", nil, nil, "127.0.0.1:8080"},
		{file, []string{"OSTIARY_LISTEN="}, nil, "127.0.0.1:1"},
		{"", nil, []string{"--listen=:1", "--listen=:2"}, ":2"},
	} {
		got, err := load(t, c.file, c.environ, c.args...)
		if err != nil {
			t.Fatal(err)
		}
		if got.Listen != c.want {
			t.Errorf("file %q, environment %q, flags %q: got %s, want %s", c.file, c.environ, c.args, got.Listen, c.want)
		}
	}
}

// TestEveryFlagHasAVariableAndAKey sets each flag to its default by the other
// two ways.
func TestEveryFlagHasAVariableAndAKey(t *testing.T) {
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.Bind(flags, config.Serve)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name == "config" {
			return
		}
		key := strings.ReplaceAll(f.Name, "-", "_")
		if _, err := load(t, "", []string{"OSTIARY_" + strings.ToUpper(key) + "=" + f.DefValue}); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		for _, key := range []string{key, f.Name} {
			if _, err := load(t, key+": '"+f.DefValue+"'", nil); err != nil {
				t.Errorf("%s: %v", key, err)
			}
		}
	})
}

func TestLists(t *testing.T) {
	want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::1/128")}
	for _, c := range []struct {
		name    string
		file    string
		environ []string
		args    []string
	}{
		{"file, list", "trusted_proxies: [10.1.2.3/8, '2001:db8::1']", nil, nil},
		{"file, text", "trusted-proxies: 10.0.0.0/8, 2001:db8::1", nil, nil},
		{"environment", "", []string{"OSTIARY_TRUSTED_PROXIES=10.0.0.0/8,2001:db8::1"}, nil},
		{"one flag", "", nil, []string{"--trusted-proxies=10.0.0.0/8,2001:db8::1"}},
		{"two flags", "", nil, []string{"--trusted-proxies=10.0.0.0/8", "--trusted-proxies=2001:db8::1"}},
	} {
		got, err := load(t, c.file, c.environ, c.args...)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(want, got.TrustedProxies, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	got, err := load(t, "set: [vendor_name=Example, secret_policy=once]", nil, "--set=vendor_name=Example, Inc.")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"vendor_name=Example, Inc."}, got.Founding.Settings, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		file    string
		environ []string
		args    []string
		says    []string
	}{
		{"unknown key", "\nlisen: :1", nil, nil, []string{"ostiary.yaml:2", "unknown key lisen", "did you mean listen?"}},
		{"unknown key with hyphens", "publik-url: x", nil, nil, []string{"unknown key publik-url", "did you mean public_url?"}},
		{"the file cannot name a file", "config: x", nil, nil, []string{"unknown key config"}},
		{"the file holds no key", "master_key: x", nil, nil, []string{"unknown key master_key", "master_key_file"}},
		{"key twice", "listen: :1\nlisten: :2", nil, nil, []string{"the key listen is there twice"}},
		{"key twice in two spellings", "ops_listen: :1\nops-listen: :2", nil, nil, []string{"ops-listen is there twice"}},
		{"a mapping for a value", "listen: {a: b}", nil, nil, []string{"listen takes a plain value"}},
		{"a list for a value", "listen: [a]", nil, nil, []string{"listen takes a plain value"}},
		{"a list of lists", "set: [[a]]", nil, nil, []string{"set takes a list of plain values"}},
		{"not a mapping", "- a", nil, nil, []string{"ostiary.yaml:1", "mapping of keys to values"}},
		{"two documents", "listen: :1\n---\nops_listen: :2", nil, nil, []string{"more than one YAML document"}},
		{"not YAML", "a: [", nil, nil, []string{"not YAML"}},
		{"no file", "", []string{"OSTIARY_CONFIG=/nonexistent/ostiary.yaml"}, nil, []string{"cannot be read", "/nonexistent/ostiary.yaml"}},
		{"unknown variable", "", []string{"OSTIARY_PUBLC_URL=x"}, nil, []string{"unknown environment variable OSTIARY_PUBLC_URL", "did you mean OSTIARY_PUBLIC_URL?"}},
		{"which source", "drain_delay: 1", nil, nil, []string{"the key drain_delay of the configuration file", `"1" is no duration`, "with its unit"}},
		{"which variable", "", []string{"OSTIARY_DRAIN_DELAY=x"}, nil, []string{"OSTIARY_DRAIN_DELAY", "30s"}},
		{"duration out of range", "", nil, []string{"--drain-delay=2h"}, []string{"--drain-delay", "at most 1h"}},
		{"negative duration", "", nil, []string{"--drain-delay=-1s"}, []string{"--drain-delay", "at least 0s"}},
		{"address", "", nil, []string{"--listen=8080"}, []string{"--listen", "host:port"}},
		{"port", "", nil, []string{"--listen=:66000"}, []string{"host:port"}},
		{"port left open", "", nil, []string{"--listen=:0"}, []string{"say --public-url too"}},
		{"one address twice", "", nil, []string{"--listen=:1", "--ops-listen=:1"}, []string{"listener of their own"}},
		{"level", "", nil, []string{"--log-level=loud"}, []string{"debug, info, warn, error"}},
		{"format", "", nil, []string{"--log-format=xml"}, []string{"text, json"}},
		{"range", "", nil, []string{"--trusted-proxies=10.0.0.0/33"}, []string{"write CIDR"}},
		{"header", "", nil, []string{"--forwarded-header=a b"}, []string{"no name of a header"}},
		{"RFC 7239", "", nil, []string{"--forwarded-header=forwarded"}, []string{"X-Forwarded-For"}},
		{"number", "", nil, []string{"--failed-authentications-per-second=NaN"}, []string{"no number from 0"}},
		{"whole number", "", nil, []string{"--failed-authentications-burst=0"}, []string{"no whole number from 1"}},
		{"half of TLS", "", nil, []string{"--tls-cert=x"}, []string{"--tls-key"}},
		{"two master keys", "master_key_file: x", []string{"OSTIARY_MASTER_KEY=y"}, nil, []string{"more than once"}},
		{"ahead of its period", "", nil, []string{"--signing-key-period=1h"}, []string{"must be shorter"}},
		{"no data directory", "", nil, []string{"--data="}, []string{"--data is empty"}},
	} {
		_, err := load(t, c.file, c.environ, c.args...)
		if _, ok := errors.AsType[*config.Error](err); !ok {
			t.Errorf("%s: got %v, want a config.Error", c.name, err)
			continue
		}
		for _, say := range c.says {
			if !strings.Contains(err.Error(), say) {
				t.Errorf("%s: got %q, want it to say %q", c.name, err, say)
			}
		}
	}
}

// TestErrorsRepeatNoSecrets: a database URL has a password in it.
func TestErrorsRepeatNoSecrets(t *testing.T) {
	for _, url := range []string{"mysql://user:hunter2@host/db", "postgres://user:hunter2@ho st:x/db", "hunter2"} {
		_, err := load(t, "", []string{"OSTIARY_DATABASE=" + url})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v", url, err)
		}
	}
}

// TestStrangers: whoever starts the program may use the prefix for himself, but a
// slip of the keyboard is told from that.
func TestStrangers(t *testing.T) {
	got, err := load(t, "", []string{"OSTIARY_BIN=/bin/x", "OSTIARY_ADMIN_PASSWORD=x", "OSTIARY_LISTEN=127.0.0.1:1"})
	if err != nil || !slices.Equal(got.Strangers, []string{"OSTIARY_BIN", "OSTIARY_ADMIN_PASSWORD"}) || got.Listen != "127.0.0.1:1" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, slip := range []string{"OSTIARY_LISTN", "OSTIARY_DATE", "OSTIARY_PUBLICURL", "OSTIARY_DATABASE_URL", "OSTIARY_OWNER_CLIENT_SECRET"} {
		if _, err := load(t, "", []string{slip + "=x"}); err == nil || !strings.Contains(err.Error(), "did you mean OSTIARY_") {
			t.Errorf("%s: %v", slip, err)
		}
	}
}

// TestKubernetesVariables: a Service of the name ostiary puts these into every
// container.
func TestKubernetesVariables(t *testing.T) {
	for _, v := range []string{
		"OSTIARY_SERVICE_HOST=10.0.0.1", "OSTIARY_SERVICE_PORT=80", "OSTIARY_SERVICE_PORT_HTTP=80", "OSTIARY_PORT=tcp://10.0.0.1:80",
		"OSTIARY_PORT_80_TCP=tcp://10.0.0.1:80", "OSTIARY_PORT_80_TCP_PROTO=tcp", "OSTIARY_PORT_80_TCP_PORT=80", "OSTIARY_PORT_80_TCP_ADDR=10.0.0.1",
	} {
		if _, err := load(t, "", []string{v}); err != nil {
			t.Errorf("%s: %v", v, err)
		}
	}
}

func TestPublicURL(t *testing.T) {
	for given, want := range map[string]string{
		"https://id.example.com":      "https://id.example.com",
		"HTTPS://ID.example.com/":     "https://id.example.com",
		"http://127.0.0.1:8080":       "http://127.0.0.1:8080",
		"http://[::1]:8080":           "http://[::1]:8080",
		"https://id.example.com/auth": "", "https://id.example.com?x": "", "https://id.example.com/?": "",
		"https://id.example.com#x": "", "https://id.example.com#": "", "https://user@id.example.com": "",
		"id.example.com": "", "//id.example.com": "", "ftp://id.example.com": "", "https://": "", "https://:8080": "", "https://a b": "",
	} {
		got, err := config.ParsePublicURL(given)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: got %q, %v; want %q", given, got, err, want)
		}
	}
}

func TestDerivedPublicURL(t *testing.T) {
	for listen, want := range map[string]string{
		"127.0.0.1:8080": "http://127.0.0.1:8080",
		":8080":          "http://localhost:8080",
		"0.0.0.0:80":     "http://localhost:80",
		"[::]:80":        "http://localhost:80",
		"[::1]:80":       "http://[::1]:80",
		"Example:80":     "http://example:80",
	} {
		c := config.Config{Listen: listen}
		if got := c.DerivedPublicURL(); got != want {
			t.Errorf("%s: got %s, want %s", listen, got, want)
		}
	}
	c := config.Config{Listen: ":8443", TLSCert: "cert.pem", TLSKey: "key.pem"}
	if got := c.DerivedPublicURL(); got != "https://localhost:8443" {
		t.Errorf("with a certificate: got %s", got)
	}
}

func TestNearestFlag(t *testing.T) {
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.Bind(flags, config.Init)
	for typed, want := range map[string]string{"lisen": "listen", "publicurl": "public-url", "admin-mail": "admin-email", "admin": "admin-email", "kind": "", "x": ""} {
		if got := config.NearestFlag(flags, typed); got != want {
			t.Errorf("%s: got %s, want %s", typed, got, want)
		}
	}
}
