package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"
)

// Caller is who calls a server from the command line, and which server.
type Caller struct {
	Server           string
	Application      string // "": not said
	ClientID         string
	ClientSecretFile string
	ClientSecret     string // secret
	Credentials      string // the file that the rest was completed from
}

// DefaultServer is where a server is that was started without flags.
const DefaultServer = "http://127.0.0.1:8080"

// LoadCaller reads the flags that Bind made for Remote, the environment and the
// files that they name. Its errors are of type *Error.
func LoadCaller(flags *pflag.FlagSet) (*Caller, error) {
	return LoadCallerFrom(flags, os.Environ())
}

// LoadCallerFrom is LoadCaller with an environment as os.Environ gives it.
func LoadCallerFrom(flags *pflag.FlagSet, environ []string) (*Caller, error) {
	conf, err := load(flags, environ)
	if err == nil {
		err = conf.Caller.complete()
	}
	if err != nil {
		return nil, &Error{err}
	}
	return &conf.Caller, nil
}

func (c *Caller) complete() error {
	if c.ClientSecret != "" && c.ClientSecretFile != "" {
		return errors.New("the client's secret is given twice: say one of OSTIARY_CLIENT_SECRET and --client-secret-file")
	}
	if c.ClientSecretFile != "" {
		secret, err := SecretFromFile(c.ClientSecretFile)
		if err != nil {
			return fmt.Errorf("--client-secret-file: %w", err)
		}
		c.ClientSecret = secret
	}
	if c.Credentials != "" {
		if err := c.completeFromFile(); err != nil {
			return fmt.Errorf("--credentials: %w", err)
		}
	}
	if c.Server == "" {
		c.Server = DefaultServer
	}
	switch {
	case c.ClientID == "":
		return errors.New("say who calls: --credentials with the first-start.json of the data directory, or --client-id and --client-secret-file")
	case c.ClientSecret == "":
		return errors.New("the secret of --client-id is missing: name a file with --client-secret-file, or set OSTIARY_CLIENT_SECRET")
	}
	return nil
}

// completeFromFile takes what was not given from what the first start wrote. A
// client that was named takes no secret of another from it.
func (c *Caller) completeFromFile() error {
	content, err := os.ReadFile(c.Credentials)
	if err != nil {
		return fmt.Errorf("the file cannot be read: %w", err)
	}
	var first struct {
		ApplicationID     string `json:"application_id"`
		Issuer            string `json:"issuer"`
		OwnerClientID     string `json:"owner_client_id"`
		OwnerClientSecret string `json:"owner_client_secret"`
	}
	if json.Unmarshal(content, &first) != nil || first.OwnerClientID == "" {
		return fmt.Errorf("%s is not what ostiary init --json prints", c.Credentials)
	}
	if c.Server == "" {
		server, err := ParsePublicURL(strings.TrimSuffix(first.Issuer, "/"+first.ApplicationID))
		if err != nil {
			return fmt.Errorf("the issuer in %s: %w", c.Credentials, err)
		}
		c.Server = server
	}
	if c.Application == "" {
		c.Application = first.ApplicationID
	}
	if c.ClientID == "" {
		c.ClientID = first.OwnerClientID
	}
	if c.ClientSecret == "" && c.ClientID == first.OwnerClientID {
		c.ClientSecret = first.OwnerClientSecret
	}
	return nil
}

// SecretFromFile reads a secret that stands alone in a file; the line break at
// its end is none of it.
func SecretFromFile(path string) (string, error) {
	content, err := os.ReadFile(path) //nolint:gosec // the operator names it
	if err != nil {
		return "", fmt.Errorf("the file cannot be read: %w", err)
	}
	secret := strings.TrimRight(string(content), "\r\n")
	if secret == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return secret, nil
}

// SecretFromEnvironment gives the secret that a document refers to by the name
// of a variable.
func SecretFromEnvironment(variable string) (string, error) {
	secret := os.Getenv(variable)
	if secret == "" {
		return "", fmt.Errorf("the variable %s is not set", variable)
	}
	return secret, nil
}
