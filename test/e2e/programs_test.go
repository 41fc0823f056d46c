package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/ostiary/ostiary/test/caller"
	"github.com/ostiary/ostiary/test/process"
)

// awkward are an id and a secret in which every character that clients forget
// to encode stands (RFC 6749 §2.3.1: form-encoded, then Basic).
const (
	awkwardID     = "first.owner_of~all-of-it"
	awkwardSecret = `100% of it: a+b&c=d "e" / 'f' \g ~ ? #`
)

// awkwardly gives a server whose owner has the awkward credentials.
func awkwardly(t *testing.T, database string, flags ...string) *process.Server {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(awkwardSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := process.Found(t, database, append([]string{"--owner-client-id", awkwardID, "--owner-client-secret-file", file}, flags...)...)
	server.Start()
	return server
}

func asEnvironment(s *process.Server, c *caller.Caller) []string {
	return []string{"ISSUER=" + s.Issuer, "CLIENT_ID=" + c.ID, "CLIENT_SECRET=" + c.Secret}
}

// TestNodePrograms runs client libraries from npm.
func TestNodePrograms(t *testing.T) {
	if err := packages(); err != nil {
		t.Fatal(err)
	}
	onEach(t, func(t *testing.T, cluster *process.Cluster) {
		server := awkwardly(t, cluster.Database())
		owner := server.Owner()
		plain := newClient(t, owner, "Plain credentials")
		for _, program := range []string{"openid-client", "oauth4webapi", "simple-oauth2"} {
			for name, c := range map[string]*caller.Caller{"plain": plain, "awkward": owner} {
				t.Run(program+"/"+name, func(t *testing.T) {
					environment := asEnvironment(server, c)
					if program == "simple-oauth2" && name == "awkward" {
						environment = append(environment, "STRICT=1") // `loose` encodes nothing
					}
					out := run(t, environment, "node", filepath.Join(process.Root(), "test", "node", program+".mjs"))
					usePrinted(t, c, out)
				})
			}
		}
	})
}

// usePrinted checks the tokens that a program printed.
func usePrinted(t *testing.T, c *caller.Caller, out string) {
	t.Helper()
	if !strings.HasSuffix(out, "passed\n") {
		t.Fatalf("the program did not come to its end:\n%s", out)
	}
	for line := range strings.Lines(out) {
		if token, ok := strings.CutPrefix(strings.TrimSpace(line), "token "); ok && !active(t, c, token) {
			t.Errorf("a token that was printed is not active")
		}
	}
}

// TestTokensVerifyElsewhere has tokens verified by the published keys alone, in
// each algorithm that an application may sign with.
func TestTokensVerifyElsewhere(t *testing.T) {
	if err := packages(); err != nil {
		t.Fatal(err)
	}
	for _, algorithm := range []string{"ES256", "RS256", "EdDSA"} {
		t.Run(algorithm, func(t *testing.T) {
			server := awkwardly(t, "", "--set", "signing_algorithm="+algorithm)
			c := newClient(t, server.Owner(), "Verified elsewhere")
			token := newToken(t, c)
			t.Run("jose", func(t *testing.T) {
				environment := append(asEnvironment(server, c), "TOKEN="+token, "ALGORITHM="+algorithm)
				usePrinted(t, c, run(t, environment, "node", filepath.Join(process.Root(), "test", "node", "jose.mjs")))
			})
			t.Run("go-oidc", func(t *testing.T) { verifyWithOIDC(t, server, c.ID, token) })
		})
	}
}

func verifyWithOIDC(t *testing.T, server *process.Server, clientID, token string) {
	t.Helper()
	provider, err := oidc.NewProvider(t.Context(), server.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	var metadata struct {
		JWKS       string   `json:"jwks_uri"`
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
	}
	if err := provider.Claims(&metadata); err != nil {
		t.Fatal(err)
	}
	keys := oidc.NewRemoteKeySet(t.Context(), metadata.JWKS)
	verifier := oidc.NewVerifier(server.Issuer, keys, &oidc.Config{
		ClientID: server.Issuer, SupportedSigningAlgs: []string{oidc.ES256, oidc.RS256, oidc.EdDSA},
	})
	verified, err := verifier.Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if verified.Subject != clientID || verified.Issuer != server.Issuer {
		t.Errorf("subject %q, issuer %q", verified.Subject, verified.Issuer)
	}
	payload, err := keys.VerifySignature(t.Context(), token)
	if err != nil || !json.Valid(payload) {
		t.Errorf("the signature alone: %v", err)
	}
	parts := strings.Split(token, ".")
	if _, err := keys.VerifySignature(t.Context(), parts[0]+"."+parts[1][:len(parts[1])-4]+"AAAA."+parts[2]); err == nil {
		t.Error("a token that was changed verifies")
	}
}

// TestGoClientCredentials runs golang.org/x/oauth2 in each of its two ways to
// authenticate, and in the one where it finds out by itself.
func TestGoClientCredentials(t *testing.T) {
	onEach(t, func(t *testing.T, cluster *process.Cluster) {
		server := awkwardly(t, cluster.Database())
		owner := server.Owner()
		for name, style := range map[string]oauth2.AuthStyle{"header": oauth2.AuthStyleInHeader, "parameters": oauth2.AuthStyleInParams, "either": oauth2.AuthStyleAutoDetect} {
			t.Run(name, func(t *testing.T) {
				conf := clientcredentials.Config{ClientID: owner.ID, ClientSecret: owner.Secret, TokenURL: server.Issuer + "/oauth2/token", AuthStyle: style}
				token, err := conf.Token(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if token.TokenType != "Bearer" || !token.Valid() || !active(t, owner, token.AccessToken) {
					t.Errorf("the token is not what it should be: type %q, expires %s", token.TokenType, token.Expiry)
				}
				conf.ClientSecret = "wrong"
				refusedAs(t, &conf, http.StatusUnauthorized, "invalid_client")
				conf.ClientSecret, conf.Scopes = owner.Secret, []string{"nothing-of-the-kind"}
				refusedAs(t, &conf, http.StatusBadRequest, "invalid_scope")
			})
		}
	})
}

func refusedAs(t *testing.T, conf *clientcredentials.Config, status int, code string) {
	t.Helper()
	_, err := conf.Token(context.Background())
	refusal, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok || refusal.Response.StatusCode != status || refusal.ErrorCode != code {
		t.Errorf("got %v; want %d %s", err, status, code)
	}
}
