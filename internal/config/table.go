package config

import (
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Command says which commands show a setting among their flags.
type Command uint8

// The commands, as bits.
const (
	Serve Command = 1 << iota
	Init
	Database // what works on the database while no server runs
	Keys     // and needs the master key for it
	Remote   // what talks to a server over its management API
)

const (
	found = Serve | Init            // what founds an instance
	keys  = found | Keys            // what opens what is sealed
	store = found | Database | Keys // what opens the store, and reads the file
)

// setting is one thing that can be configured.
type setting struct {
	name     string  // of the flag; variable and key follow from it
	commands Command // that have the flag; 0: the environment only
	usage    string  // help text; the word in back quotes stands for the value
	initial  string  // what is set where nothing is given; "": nothing
	split    bool    // a value is a list, separated by commas
	repeat   bool    // several values may be given
	set      func(*Config, []string) error
}

// key is the setting's name in the file.
func (s *setting) key() string { return strings.ReplaceAll(s.name, "-", "_") }

// variable is the setting's name in the environment.
func (s *setting) variable() string { return "OSTIARY_" + strings.ToUpper(s.key()) }

// table is everything that can be configured, in the order of the help text.
var table = []setting{
	{
		name: "config", commands: store, usage: "read the configuration `file` (YAML) too",
		set: text(func(c *Config) *string { return &c.File }),
	},
	{
		name: "listen", commands: found, initial: "127.0.0.1:8080", usage: "serve on this `address`, host:port",
		set: address(func(c *Config) *string { return &c.Listen }),
	},
	{
		name: "ops-listen", commands: Serve, initial: "127.0.0.1:9090", usage: "serve /livez, /readyz and /metrics on this `address`",
		set: address(func(c *Config) *string { return &c.OpsListen }),
	},
	{
		name: "public-url", commands: found, usage: "the `URL` under which clients reach the server; the issuers begin with it (default: what was said at the first start, else where --listen is)",
		set: parsed(func(c *Config) *string { return &c.PublicURL }, ParsePublicURL),
	},
	{
		name: "console-url", commands: Serve, usage: "the `URL` under which administrators reach the console, if that is a host of its own (default: the public URL)",
		set: parsed(func(c *Config) *string { return &c.ConsoleURL }, ParsePublicURL),
	},
	{
		name: "data", commands: store, initial: "./ostiary-data", usage: "keep database, master key and lock in this `directory`",
		set: text(func(c *Config) *string { return &c.Data }),
	},
	{
		name: "database", commands: store, usage: "keep the data in PostgreSQL at this `URL` (postgres://…) rather than in SQLite",
		set: parsed(func(c *Config) *string { return &c.Database }, parseDatabase),
	},
	{
		name: "trusted-proxies", commands: Serve, repeat: true, split: true, usage: "believe these `peers` (CIDRs) what they say of a client's address",
		set: prefixes(func(c *Config) *[]netip.Prefix { return &c.TrustedProxies }),
	},
	{
		name: "forwarded-header", commands: Serve, initial: "x-forwarded-for", usage: "the `header` in which trusted proxies pass on a client's address",
		set: parsed(func(c *Config) *string { return &c.ForwardedHeader }, parseHeader),
	},
	{
		name: "default-application", commands: Serve, usage: "the default application's `id` (default: the first application made)",
		set: text(func(c *Config) *string { return &c.DefaultApplication }),
	},
	{
		name: "root-application", commands: found, usage: "serve the application of this `id` at the root too and make the public URL its issuer; it stands, and cannot change once tokens were issued",
		set: text(func(c *Config) *string { return &c.RootApplication }),
	},
	{
		name: "tls-cert", commands: Serve, usage: "serve HTTPS with the certificate chain in this PEM `file`",
		set: text(func(c *Config) *string { return &c.TLSCert }),
	},
	{
		name: "tls-key", commands: Serve, usage: "the private key of --tls-cert, a PEM `file`",
		set: text(func(c *Config) *string { return &c.TLSKey }),
	},
	{
		name: "master-key", usage: "the master key: 32 bytes in base64 or hexadecimal",
		set: text(func(c *Config) *string { return &c.MasterKey }),
	},
	{
		name: "master-key-file", commands: keys, usage: "read the master key from this `file` (default: master.key in --data, made at the first start); OSTIARY_MASTER_KEY gives the key itself",
		set: text(func(c *Config) *string { return &c.MasterKeyFile }),
	},
	{
		name: "master-key-command", commands: keys, usage: "run this shell `command`, which prints the master key",
		set: text(func(c *Config) *string { return &c.MasterKeyCommand }),
	},
	{
		name: "log-level", commands: store, initial: "info", usage: "log from this `level` on: debug (every request), info, warn or error",
		set: level(func(c *Config) *slog.Level { return &c.LogLevel }),
	},
	{
		name: "log-format", commands: store, initial: "text", usage: "log in this `format`: text or json",
		set: parsed(func(c *Config) *string { return &c.LogFormat }, oneOf("text", "json")),
	},
	{
		name: "drain-delay", commands: Serve, initial: "1s", usage: "when told to stop, go on taking requests for this `duration`, so that load balancers and clients on open connections can leave",
		set: duration(func(c *Config) *time.Duration { return &c.DrainDelay }, 0, time.Hour),
	},
	{
		name: "failed-authentications-per-second", commands: Serve, initial: "20", usage: "failed authentications that an address is let off, a `number` per second; 0: no limit",
		set: number(func(c *Config) *float64 { return &c.FailedAuthenticationsPerSecond }, 0, 1e6),
	},
	{
		name: "failed-authentications-burst", commands: Serve, initial: "500", usage: "and this `number` at once",
		set: integer(func(c *Config) *int { return &c.FailedAuthenticationsBurst }, 1, 1e9),
	},
	{
		name: "signing-key-period", commands: Serve, initial: "90d", usage: "replace signing keys after this `duration`",
		set: duration(func(c *Config) *time.Duration { return &c.SigningKeyPeriod }, time.Minute, 3650*day),
	},
	{
		name: "signing-key-publish-ahead", commands: Serve, initial: "24h", usage: "publish a new signing key this `duration` before it signs, so that those who cache JWKS know it by then",
		set: duration(func(c *Config) *time.Duration { return &c.SigningKeyPublishAhead }, 0, 365*day),
	},
	{
		name: "smtp-url", commands: Serve, usage: "send mail through this server, a `URL`: smtp://user@host:587, or smtps://user@host:465 for TLS from the start (default: no mail is sent)",
		set: parsed(func(c *Config) *string { return &c.SMTPURL }, parseSMTP),
	},
	{
		name: "smtp-password-file", commands: Serve, usage: "read the password of --smtp-url from this `file`",
		set: text(func(c *Config) *string { return &c.SMTPPasswordFile }),
	},
	{
		name: "mail-from", commands: Serve, usage: "the sender of mail, an `address` as ids@example.com or \"Example <ids@example.com>\"",
		set: parsed(func(c *Config) *string { return &c.MailFrom }, parseMailbox),
	},
	{
		name: "outbound-allow", commands: Serve, repeat: true, split: true, usage: "where logout tokens go and logos come from, let these `networks` (CIDRs) be reached although they are private or of this machine",
		set: prefixes(func(c *Config) *[]netip.Prefix { return &c.OutboundAllow }),
	},
	{
		name: "application-id", commands: found, usage: "first start: the application's `id` (default: made)",
		set: text(func(c *Config) *string { return &c.Founding.ApplicationID }),
	},
	{
		name: "owner-client-id", commands: found, usage: "first start: the owner client's `id` (default: made)",
		set: text(func(c *Config) *string { return &c.Founding.OwnerClientID }),
	},
	{
		name: "owner-client-secret-file", commands: found, usage: "first start: read the owner client's secret, of 24 characters or more, from this `file` (default: made)",
		set: text(func(c *Config) *string { return &c.Founding.OwnerClientSecretFile }),
	},
	{
		name: "admin-email", commands: found, initial: "admin@localhost", usage: "first start: the instance administrator's `address`",
		set: text(func(c *Config) *string { return &c.Founding.AdminEmail }),
	},
	{
		name: "admin-password-file", commands: found, usage: "first start: read the administrator's password from this `file` (default: made)",
		set: text(func(c *Config) *string { return &c.Founding.AdminPasswordFile }),
	},
	{
		name: "preset", commands: found, usage: "first start: set the application up as those expect who come from `product` akamai, appdirect or webmethods",
		set: text(func(c *Config) *string { return &c.Founding.Preset }),
	},
	{
		name: "set", commands: found, repeat: true, usage: "first start: an application setting, `SETTING=VALUE`; may be repeated",
		set: func(c *Config, values []string) error { c.Founding.Settings = slices.Clone(values); return nil },
	},
	{
		name: "server", commands: Remote, usage: "the `URL` of the server (default: that of --credentials, else http://127.0.0.1:8080)",
		set: parsed(func(c *Config) *string { return &c.Caller.Server }, ParsePublicURL),
	},
	{
		name: "application", commands: Remote, usage: "the application's `id` (default: that of --credentials, else the one that the caller may see)",
		set: text(func(c *Config) *string { return &c.Caller.Application }),
	},
	{
		name: "client-id", commands: Remote, usage: "call as this client, which has the feature owner: its `id`",
		set: text(func(c *Config) *string { return &c.Caller.ClientID }),
	},
	{
		name: "client-secret-file", commands: Remote, usage: "read the secret of --client-id from this `file`; OSTIARY_CLIENT_SECRET gives the secret itself",
		set: text(func(c *Config) *string { return &c.Caller.ClientSecretFile }),
	},
	{
		name: "client-secret", usage: "the secret of --client-id",
		set: text(func(c *Config) *string { return &c.Caller.ClientSecret }),
	},
	{
		name: "credentials", commands: Remote, usage: "take server, application, client and secret, as far as they are not given, from this `file`: what ostiary init --json printed, or first-start.json of a data directory",
		set: text(func(c *Config) *string { return &c.Caller.Credentials }),
	},
}

// lookup finds a setting by the name of its flag.
func lookup(name string) *setting {
	i := slices.IndexFunc(table, func(s setting) bool { return s.name == name })
	if i < 0 {
		return nil
	}
	return &table[i]
}

// names gives the name of each setting in one of its forms.
func names(form func(*setting) string, commands Command) []string {
	var list []string
	for i := range table {
		if commands == 0 || table[i].commands&commands != 0 {
			list = append(list, form(&table[i]))
		}
	}
	return list
}

// Default gives what a setting is where nothing is given.
func Default(name string) string { return lookup(name).initial }
