package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/ostiary/ostiary/internal/config"
)

func TestCaller(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	first := write("first.json", `{"application_id":"shop","issuer":"https://id.example.com/shop","owner_client_id":"boss","owner_client_secret":"sesame"}`)
	secret := write("secret", "from the file\n")
	for _, test := range []struct {
		name    string
		args    []string
		environ []string
		want    config.Caller
		refused string
	}{
		{
			name: "all of it from the credentials", args: []string{"--credentials", first},
			want: config.Caller{Server: "https://id.example.com", Application: "shop", ClientID: "boss", ClientSecret: "sesame", Credentials: first},
		},
		{
			name: "what is said is stronger", args: []string{"--credentials", first, "--server", "http://127.0.0.1:9", "--application", "other"},
			want: config.Caller{Server: "http://127.0.0.1:9", Application: "other", ClientID: "boss", ClientSecret: "sesame", Credentials: first},
		},
		{
			name: "a flag beats the environment", args: []string{"--client-id", "a"}, environ: []string{"OSTIARY_CLIENT_ID=b", "OSTIARY_CLIENT_SECRET=s"},
			want: config.Caller{Server: config.DefaultServer, ClientID: "a", ClientSecret: "s"},
		},
		{
			name: "a secret in a file", args: []string{"--client-id", "a", "--client-secret-file", secret},
			want: config.Caller{Server: config.DefaultServer, ClientID: "a", ClientSecret: "from the file", ClientSecretFile: secret},
		},
		{name: "another client has another secret", args: []string{"--credentials", first, "--client-id", "a"}, refused: "the secret of --client-id is missing"},
		{name: "nobody", refused: "say who calls"},
		{name: "no secret", args: []string{"--client-id", "a"}, refused: "the secret of --client-id is missing"},
		{name: "two secrets", args: []string{"--client-secret-file", secret}, environ: []string{"OSTIARY_CLIENT_SECRET=s"}, refused: "given twice"},
		{name: "no file", args: []string{"--credentials", filepath.Join(dir, "absent")}, refused: "cannot be read"},
		{name: "another file", args: []string{"--credentials", secret}, refused: "is not what ostiary init --json prints"},
		{name: "an empty secret", args: []string{"--client-secret-file", write("empty", "\n")}, refused: "is empty"},
		{name: "no URL", args: []string{"--server", "127.0.0.1:8080"}, refused: "--server"},
	} {
		t.Run(test.name, func(t *testing.T) {
			flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
			config.Bind(flags, config.Remote)
			if err := flags.Parse(test.args); err != nil {
				t.Fatal(err)
			}
			got, err := config.LoadCallerFrom(flags, test.environ)
			if test.refused != "" {
				if _, malformed := errors.AsType[*config.Error](err); !malformed || !strings.Contains(err.Error(), test.refused) {
					t.Errorf("%v, want %s", err, test.refused)
				}
				return
			}
			if err != nil || *got != test.want {
				t.Errorf("%+v, %v; want %+v", got, err, test.want)
			}
		})
	}
}

// TestTheFileOfTheServerNamesNoCaller: its keys are settings of the server.
func TestTheFileOfTheServerNamesNoCaller(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ostiary.yaml")
	if err := os.WriteFile(path, []byte("client_id: boss\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := config.LoadFrom(pflag.NewFlagSet("test", pflag.ContinueOnError), []string{"OSTIARY_CONFIG=" + path})
	if err == nil || !strings.Contains(err.Error(), "unknown key client_id") {
		t.Errorf("%v", err)
	}
}
