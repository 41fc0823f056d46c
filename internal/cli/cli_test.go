package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ostiary/ostiary/internal/cli"
	"github.com/ostiary/ostiary/internal/loopback"
)

func TestMain(m *testing.M) {
	testscript.Main(apart{m}, map[string]func(){
		"ostiary": func() { os.Exit(cli.Run(os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// apart runs the tests without the variables of whoever runs them: these name a
// server of theirs, and tests make and delete records.
type apart struct{ *testing.M }

func (a apart) Run() int {
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "OSTIARY_") {
			if err := os.Unsetenv(name); err != nil {
				panic(err)
			}
		}
	}
	return a.M.Run()
}

// TestScripts runs testdata/*.txt. Beside testscript's own commands they have:
//
//	free NAME…                     sets each variable to a free loopback address
//	ready ADDRESS                  waits until the server is ready there
//	exits STATUS COMMAND ARG…      runs a command and wants that exit status
//	field NAME FILE KEY            sets a variable to a member of a JSON object
//	members FILE KEY…              wants a JSON object with exactly these members
//	mode PERMISSIONS FILE          wants a file with these permissions
//	fetch STATUS METHOD URL [USER:PASSWORD [BODY]]
//	                               sends a request, wants a status, prints the body
//	owner FILE                     sets OWNER and SECRET to the owner client that apply made
//	save FILE TEXT                 writes a line into a file
//	flow FILE KEY                  makes one JSON object of a line each a list under that key
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"free": free, "ready": ready, "exits": exits, "field": field, "members": members, "mode": mode, "fetch": fetch, "flow": flow, "owner": owner, "save": save,
		},
	})
}

func free(ts *testscript.TestScript, _ bool, names []string) {
	for _, name := range names {
		address, err := loopback.Address()
		ts.Check(err)
		ts.Setenv(name, address)
	}
}

func ready(ts *testscript.TestScript, _ bool, args []string) {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		answer, err := http.Get("http://" + args[0] + "/readyz") //nolint:noctx // a loopback address that answers or refuses
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(5 * time.Millisecond) // another process: there is nothing to wait on
	}
	ts.Fatalf("%s did not get ready", args[0])
}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](ts.Exec(args[1], args[2:]...)); ok {
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

func object(ts *testscript.TestScript, file string) map[string]any {
	var o map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &o))
	return o
}

func field(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], fmt.Sprint(object(ts, args[1])[args[2]]))
}

func save(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(args[1]+"\n"), 0o600))
}

func members(ts *testscript.TestScript, _ bool, args []string) {
	var got []string
	for name, value := range object(ts, args[0]) {
		if value == "" {
			ts.Fatalf("%s is empty", name)
		}
		got = append(got, name)
	}
	slices.Sort(got)
	want := slices.Sorted(slices.Values(args[1:]))
	if !slices.Equal(got, want) {
		ts.Fatalf("members %v, want %v", got, want)
	}
}

func mode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

func fetch(ts *testscript.TestScript, _ bool, args []string) {
	body := ""
	if len(args) > 4 {
		body = args[4]
	}
	r, err := http.NewRequestWithContext(context.Background(), args[1], args[2], strings.NewReader(body))
	ts.Check(err)
	if len(args) > 3 {
		id, secret, _ := strings.Cut(args[3], ":")
		r.SetBasicAuth(id, secret)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	ts.Check(err)
	if strconv.Itoa(answer.StatusCode) != args[0] {
		ts.Fatalf("status %d, want %s: %s", answer.StatusCode, args[0], text)
	}
	_, err = ts.Stdout().Write(text)
	ts.Check(err)
}

func flow(ts *testscript.TestScript, _ bool, args []string) {
	lines := strings.Split(strings.TrimSpace(ts.ReadFile(args[0])), "\n")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte("{"+args[1]+": ["+strings.Join(lines, ",\n")+"]}\n"), 0o600))
}

func owner(ts *testscript.TestScript, _ bool, args []string) {
	var said struct {
		Changes []struct {
			ID     string `json:"owner_client_id"`
			Secret string `json:"owner_client_secret"`
		} `json:"changes"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &said))
	ts.Setenv("OWNER", said.Changes[0].ID)
	ts.Setenv("SECRET", said.Changes[0].Secret)
}

// TestACertificateOfAnAuthorityOfOnesOwn says how it is trusted.
func TestACertificateOfAnAuthorityOfOnesOwn(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	t.Setenv("OSTIARY_CLIENT_SECRET", "sesame")
	var errs strings.Builder
	status := cli.Run([]string{"client", "list", "--server", server.URL, "--application", "shop", "--client-id", "boss"}, io.Discard, &errs)
	if status != 1 || !strings.Contains(errs.String(), "SSL_CERT_FILE") {
		t.Errorf("exit status %d: %s", status, errs.String())
	}
}
