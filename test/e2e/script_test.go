package e2e_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/test/caller"
	"github.com/ostiary/ostiary/test/process"
)

// certificate makes one for the loopback address, valid for a day, and gives
// the files of its chain and key.
func certificate(t *testing.T) (chain, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "ostiary test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	chain, key = filepath.Join(directory, "chain.pem"), filepath.Join(directory, "key.pem")
	for path, block := range map[string]*pem.Block{chain: {Type: "CERTIFICATE", Bytes: signed}, key: {Type: "PRIVATE KEY", Bytes: encoded}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return chain, key
}

// secured gives a server that is reached over https, and an owner that trusts it.
func secured(t *testing.T, database string, flags ...string) (server *process.Server, owner *caller.Caller, chain string) {
	t.Helper()
	server = process.Found(t, database, flags...)
	chain, key := certificate(t)
	server.PublicURL = strings.Replace(server.PublicURL, "http:", "https:", 1)
	server.Flags = []string{"--tls-cert", chain, "--tls-key", key}
	server.Start()
	pemBytes, err := os.ReadFile(chain)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(pemBytes)
	owner = server.Owner()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	owner.HTTP.Transport = transport
	return server, owner, chain
}

// TestAkamaiScripts is the main job: scripts that were written for the Akamai
// Identity Cloud, told of nothing but another host, make and govern clients;
// the clients get tokens, have them inspected, and lose them.
func TestAkamaiScripts(t *testing.T) {
	scripts := []struct{ name, program, path string }{
		{"bash and curl", "bash", "provision.sh"},
		{"node", "node", "provision.mjs"},
	}
	presets := []struct {
		name  string
		flags []string
	}{{"akamai", []string{"--preset", "akamai"}}, {"no preset", nil}}
	for _, script := range scripts {
		for _, preset := range presets {
			t.Run(script.name+"/"+preset.name, func(t *testing.T) {
				onEach(t, func(t *testing.T, cluster *process.Cluster) {
					server, owner, chain := secured(t, cluster.Database(), preset.flags...)
					out := run(t, []string{
						"HOST=" + strings.TrimPrefix(server.PublicURL, "https://"), "APP_ID=" + server.ApplicationID,
						"CLIENT_ID=" + owner.ID, "CLIENT_SECRET=" + owner.Secret,
						"CURL_CA_BUNDLE=" + chain, "NODE_EXTRA_CA_CERTS=" + chain,
					}, script.program, filepath.Join("testdata", script.path))
					useProvisioned(t, owner, out, preset.flags != nil)
				})
			})
		}
	}
}

// provisioned reads what a script printed: a word, an id, and mostly a secret.
func provisioned(t *testing.T, out string) map[string][2]string {
	t.Helper()
	found := map[string][2]string{}
	for line := range strings.Lines(out) {
		words := append(strings.Fields(line), "", "", "")
		found[words[0]] = [2]string{words[1], words[2]}
	}
	if _, done := found["done"]; !done {
		t.Fatalf("the script did not come to its end:\n%s", out)
	}
	return found
}

// useProvisioned has the clients of a script get, use, inspect and lose tokens.
func useProvisioned(t *testing.T, owner *caller.Caller, out string, revealable bool) {
	t.Helper()
	ctx := t.Context()
	made := provisioned(t, out)
	for what, secret := range map[string]string{"with the secret of its creation": made["issuer"][1], "with the new secret": made["rotated"][1]} {
		if token := newToken(t, owner.As(made["issuer"][0], secret)); !active(t, owner, token) {
			t.Errorf("a token got %s is not active", what)
		}
	}
	exporter := owner.As(made["export"][0], made["export"][1])
	kept, revoked := newToken(t, exporter), newToken(t, exporter)
	must(t, http.StatusOK, nil)(exporter.Revoke(ctx, revoked))
	if !active(t, exporter, kept) || active(t, exporter, revoked) {
		t.Error("after a revocation: the other token must be active, the revoked one not")
	}
	var seen caller.Client
	must(t, http.StatusOK, &seen)(owner.Config(ctx, http.MethodGet, "/clients/"+exporter.ID, nil))
	want := ""
	if revealable {
		want = exporter.Secret
	}
	if seen.Secret != want {
		t.Errorf("GET shows the secret: %t; the policy says %t", seen.Secret != "", revealable)
	}
	must(t, http.StatusOK, nil)(owner.Config(ctx, http.MethodPut, "/clients/"+made["issuer"][0]+"/secret", map[string]any{"hoursToLive": 0}))
	must(t, http.StatusUnauthorized, nil)(owner.As(made["issuer"][0], made["rotated"][1]).Token(ctx))
	must(t, http.StatusNoContent, nil)(owner.Config(ctx, http.MethodDelete, "/clients/"+exporter.ID, nil))
	if active(t, owner, kept) {
		t.Error("the token of a deleted client is active")
	}
	must(t, http.StatusUnauthorized, nil)(exporter.Token(ctx))
}
