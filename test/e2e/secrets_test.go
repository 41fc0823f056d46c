package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/test/caller"
	"github.com/ostiary/ostiary/test/process"
)

// secrets are texts that must not be found, by what they are, and what was
// answered to requests whose answers may hold none of them.
type secrets struct {
	t       *testing.T
	texts   map[string]string
	control string // what is stored in the clear, and must be found
	seen    bool   // the control, since it was last reset
	answers bytes.Buffer
}

func (s *secrets) know(what, text string) string {
	s.t.Helper()
	if len(text) < 8 {
		s.t.Fatalf("%s: %q is too short to look for", what, text)
	}
	s.texts[what] = text
	return text
}

// keep remembers an answer that should be free of secrets.
func (s *secrets) keep(answer *caller.Answer, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := answer.Header.Write(&s.answers); err != nil {
		s.t.Fatal(err)
	}
	s.answers.Write(answer.Body)
}

// forms are the ways in which a text could stand somewhere.
func forms(text string) [][]byte {
	escaped, _ := json.Marshal(text) //nolint:errchkjson // a string
	raw := []byte(text)
	all := [][]byte{raw, escaped[1 : len(escaped)-1], []byte(url.QueryEscape(text)), []byte(hex.EncodeToString(raw))}
	// A text inside of something that is base64 as a whole stands there in one
	// of three ways, by the bytes before it; the ends depend on the neighbours.
	for shift := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), raw...))
		all = append(all, []byte(encoded[4:len(encoded)-2]))
	}
	if key, err := base64.StdEncoding.DecodeString(text); err == nil && len(key) == 32 {
		all = append(all, key, []byte(hex.EncodeToString(key)))
	}
	return all
}

// absent looks for every secret in some bytes.
func (s *secrets) absent(where string, content []byte) {
	s.t.Helper()
	for what, text := range s.texts {
		if found(text, content) {
			s.t.Errorf("%s holds %s in the clear", where, what)
		}
	}
	s.seen = s.seen || found(s.control, content)
}

// found reports whether a text stands in some bytes, as absent would find it.
func found(text string, content []byte) bool {
	for _, form := range forms(text) {
		if bytes.Contains(content, form) {
			return true
		}
	}
	return false
}

// absentBelow looks into every file of a directory, save those named.
func (s *secrets) absentBelow(directory string, save ...string) {
	s.t.Helper()
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		for _, name := range save {
			if entry.Name() == name {
				return nil
			}
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		s.absent(path, content)
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// TestNoSecretInTheClear has a server handle many secrets at its most talkative
// and then looks for them in all that it has written.
func TestNoSecretInTheClear(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			onEach(t, func(t *testing.T, cluster *process.Cluster) { lookForSecrets(t, cluster, format) })
		})
	}
}

func lookForSecrets(t *testing.T, cluster *process.Cluster, format string) {
	t.Helper()
	s := &secrets{t: t, texts: map[string]string{}}
	server := foundWithSecrets(t, s, cluster.Database())
	server.Flags = []string{"--log-level", "debug", "--log-format", format}
	server.Start()
	owner := server.Owner()
	opaque := newClient(t, owner, "Opaque tokens")
	s.know("a made secret", opaque.Secret)
	s.control = opaque.ID
	if status := server.Stop(); status != 0 {
		t.Fatalf("exit status %d", status)
	}
	server.MakeOpaque(t, "id = '"+opaque.ID+"'")
	server.Start()
	handleSecrets(t, s, owner, opaque)

	response, err := http.Get(server.OpsURL + "/metrics") //nolint:noctx // loopback
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	s.absent("/metrics", metrics)
	server.Kill()
	lookAtData(t, s, server, cluster, "after kill -9")
	server.Start()
	if status := server.Stop(); status != 0 {
		t.Fatalf("exit status %d", status)
	}
	lookAtData(t, s, server, cluster, "after a stop")
	s.absent("the log", []byte(server.Logs()))
	s.absent("answers", s.answers.Bytes())
	if !strings.Contains(server.Logs(), "request_id") || !bytes.Contains(metrics, []byte("ostiary_")) || s.answers.Len() == 0 {
		t.Error("a log, metrics or answers without what should be in them: nothing was looked at")
	}
}

// foundWithSecrets founds a server with secrets of the operator's choice, one
// strong enough for HMAC and a weak one, which goes under argon2id.
func foundWithSecrets(t *testing.T, s *secrets, database string) *process.Server {
	t.Helper()
	directory := t.TempDir()
	given := map[string]string{
		"owner":    s.know("the owner's secret", "the quick brown fox, the quick brown fox"),
		"password": s.know("the administrator's password", "correct horse battery"),
	}
	for name, text := range given {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server := process.Found(t, database, "--preset", "akamai", "--log-level", "debug",
		"--owner-client-secret-file", filepath.Join(directory, "owner"), "--admin-password-file", filepath.Join(directory, "password"))
	if server.OwnerClientSecret != given["owner"] || server.AdminPassword != given["password"] {
		t.Fatal("init did not take what it was given")
	}
	key, err := os.ReadFile(filepath.Join(server.Data, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	s.know("the master key", strings.TrimSpace(string(key)))
	return server
}

// handleSecrets has the server see secrets in every place where they belong,
// and in many where they don't.
func handleSecrets(t *testing.T, s *secrets, owner, opaque *caller.Caller) {
	t.Helper()
	ctx := t.Context()
	client := newClient(t, owner, "Signed tokens")
	s.know("another made secret", client.Secret)
	var rotated caller.Client
	must(t, http.StatusOK, &rotated)(owner.Config(ctx, http.MethodPut, "/clients/"+client.ID+"/secret", map[string]any{"hoursToLive": 1}))
	s.know("a replaced secret", rotated.Secret)
	tokens := map[string]string{}
	for what, c := range map[string]*caller.Caller{"opaque": opaque, "signed": client} {
		for _, use := range []string{"live", "revoked"} {
			tokens[what+" "+use] = s.know("a "+use+" "+what+" token", newToken(t, c))
		}
		s.keep(c.Revoke(ctx, tokens[what+" revoked"]))
	}
	if !strings.HasPrefix(tokens["opaque live"], "ost_at_") || strings.Count(tokens["signed live"], ".") != 2 {
		t.Fatal("the tokens are not of the two formats")
	}
	s.know("the signature of a token", tokens["signed live"][strings.LastIndex(tokens["signed live"], ".")+1:])
	s.know("the codes of a token", tokens["opaque live"][len(tokens["opaque live"])-32:])
	for _, token := range tokens {
		s.keep(owner.Introspect(ctx, token))
		s.keep(owner.Introspect(ctx, token+"x"))
		s.keep(owner.Do(ctx, http.MethodGet, "/"+owner.Application+"/oauth2/introspect?token="+url.QueryEscape(token), "", nil))
		s.keep(client.Do(ctx, http.MethodGet, "/config/"+owner.Application+"/clients?access_token="+url.QueryEscape(token), "", nil))
		s.keep(owner.As(token, token).Token(ctx))
	}
	misplace(s, owner, client, rotated.Secret)
}

// misplace sends secrets in places where they don't belong, as people do.
func misplace(s *secrets, owner, client *caller.Caller, secret string) {
	s.t.Helper()
	ctx := s.t.Context()
	wrong := s.know("a wrong secret", "zzzz-not-the-secret-of-anybody-zzzz")
	for _, misplaced := range []string{secret, wrong, owner.Secret} {
		s.keep(client.As(client.ID, misplaced+" ").Token(ctx))
		s.keep(client.As(misplaced, client.ID).Token(ctx))
		s.keep(owner.As(owner.ID, misplaced+" ").Config(ctx, http.MethodGet, "/clients", nil))
		s.keep(owner.Config(ctx, http.MethodGet, "/clients/"+url.PathEscape(misplaced), nil))
		s.keep(owner.Config(ctx, http.MethodGet, "/clients?has_feature="+url.QueryEscape(misplaced), nil))
		s.keep(owner.Config(ctx, http.MethodPut, "/clients/"+client.ID+"/secret", map[string]any{"hoursToLive": misplaced}))
		s.keep(owner.Config(ctx, http.MethodPost, "/clients", map[string]any{"name": "X", "features": []string{misplaced}}))
		s.keep(owner.Config(ctx, http.MethodPost, "/clients", map[string]any{"name": "X", "ipWhitelist": []string{misplaced}}))
		s.keep(owner.Config(ctx, http.MethodPost, "/clients", map[string]any{"name": []string{misplaced}}))
		s.keep(owner.Config(ctx, http.MethodPut, "/settings", map[string]any{"login_attempts": misplaced}))
		s.keep(owner.Do(ctx, http.MethodPost, "/config/"+owner.Application+"/clients", "application/json", []byte(`{"name": "`+misplaced)))
		for _, field := range []string{"grant_type", "scope", "client_secret", "client_id", "resource", "client_assertion"} {
			s.keep(client.OAuth(ctx, "token", url.Values{"grant_type": {"client_credentials"}, field: {misplaced}}))
			s.keep(client.OAuth(ctx, "token?"+field+"="+url.QueryEscape(misplaced), url.Values{}))
		}
		s.keep(owner.Do(ctx, http.MethodPost, "/"+url.PathEscape(misplaced)+"/oauth2/token", "application/x-www-form-urlencoded", nil))
		s.keep(owner.Do(ctx, http.MethodGet, "/"+owner.Application+"/"+url.PathEscape(misplaced), "", nil))
	}
}

// lookAtData looks into the files of the data directory, and into PostgreSQL's
// own files and a dump of it.
func lookAtData(t *testing.T, s *secrets, server *process.Server, cluster *process.Cluster, when string) {
	t.Helper()
	const master = "the master key"
	text := s.texts[master]
	delete(s.texts, master)
	key, err := os.ReadFile(filepath.Join(server.Data, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	s.absent("the file of the master key, "+when, key)
	s.texts[master] = text
	s.seen = false
	s.absentBelow(server.Data, "master.key")
	if cluster != nil {
		s.absentBelow(cluster.Directory())
		if !s.seen {
			t.Errorf("%s: PostgreSQL's files do not hold even what they must: they were not looked at", when)
		}
		s.seen = false
		s.absent("pg_dump, "+when, cluster.Dump(server.Database))
	}
	if !s.seen {
		t.Errorf("%s: the database does not hold even what it must: it was not looked at", when)
	}
}
