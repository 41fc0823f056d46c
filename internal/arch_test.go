// Package internal_test holds the house rules of the repository as tests: which
// package may import which, what the core must not touch, how long a file and a
// function may be, and a few more. It owns the picture that ARCHITECTURE.md
// draws, and tests nothing of what the packages do.
package internal_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/ostiary/ostiary/"

// layers is the picture: a package belongs to the entry with the longest prefix
// of its path, and imports its own layer and what the entry names. Tests of any
// layer may also import what testLayers names.
//
//	cmd -> cli -> app -> endpoint/* -> core <- store     web and cache are leaves
//	        |      '---------------------------^         apiclient is one too
//	        '---> apiclient
var layers = map[string][]string{
	"cmd":                         {"internal/cli"},
	"apiclient":                   {},
	"apiclient/internal/document": {"internal/endpoint"},
	// Records are the server's, through its API. Of the core it has the descriptions
	// of fields, the rules by which a plan is made before anything is written, and
	// the paths of the endpoints.
	"internal/cli":      {"apiclient", "internal/app", "internal/config", "internal/core/application", "internal/core/client", "internal/core/fault", "internal/core/oauth", "internal/core/resource", "internal/core/scope", "internal/transfer"},
	"internal/app":      {"internal/config", "internal/endpoint", "internal/core", "internal/logo", "internal/mail", "internal/outbound", "internal/store", "internal/web"},
	"internal/config":   {},
	"internal/mail":     {},
	"internal/outbound": {},
	"internal/logo":     {"internal/cache"},
	"internal/endpoint": {"internal/core", "internal/transfer", "internal/web", "internal/logo", "internal/endpoint/page"},
	// What surfaces with pages share, and no surface itself.
	"internal/endpoint/page": {"internal/web"},
	"internal/transfer":      {"internal/core"},
	"internal/core":          {"internal/cache"},
	"internal/store":         {"internal/core"},
	"internal/web":           {},
	"internal/cache":         {},
	"internal/loopback":      {},
	"internal/pgtest":        {"internal/loopback"},
	"internal/servertest":    {"internal/app", "internal/config", "internal/core", "internal/loopback", "internal/store"},
	"test":                   {"internal/servertest", "internal/config", "internal/loopback"},
	"bench":                  {"internal/app", "internal/config", "internal/core", "internal/store", "internal/servertest"},
	"docs":                   {"internal/config", "test/process"},
}

// testLayers may be imported by every test, as may what is below its package: a
// temporary database rather than a mock of our own, and a whole server.
var testLayers = []string{"internal/store", "internal/pgtest", "internal/servertest", "internal/loopback", "internal/core"}

// harness are the packages that only tests import. Like tests, and like what is
// outside internal and cmd, they may use any library.
var harness = []string{"internal/servertest", "internal/pgtest", "internal/loopback", "internal/store/storetest", "internal/store/temporary"}

// confined says in which packages of the product a library, and all below it,
// may be imported; none: in tests only.
var confined = map[string][]string{
	"database/sql":                    {"internal/store"},
	"modernc.org/sqlite":              {"internal/store"},
	"github.com/jackc/pgx/v5":         {"internal/store"},
	"github.com/pressly/goose/v3":     {"internal/store"},
	"html/template":                   {"internal/web", "internal/endpoint"},
	"text/template":                   {"internal/cli"},
	"net/http":                        {"internal/core/oauth", "internal/config", "internal/web", "internal/endpoint", "internal/app", "internal/cli", "internal/outbound"},
	"github.com/spf13/cobra":          {"internal/cli"},
	"go.yaml.in/yaml/v3":              {"internal/config", "internal/cli"},
	"github.com/boombuler/barcode":    {"internal/endpoint/signin"},
	"github.com/chromedp":             {},
	"github.com/prometheus":           {"internal/endpoint/ops", "internal/app"},
	"github.com/go-jose/go-jose/v4":   {"internal/core/key"},
	"github.com/danielgtaylor/huma":   {"internal/endpoint/api"},
	"github.com/pquerna/otp":          {"internal/core/signin"},
	"github.com/go-webauthn/webauthn": {"internal/core/signin"},
	"github.com/wneessen/go-mail":     {"internal/mail"},
	"github.com/getkin/kin-openapi":   {},
	"golang.org/x/crypto":             {"internal/core/key"},
	"golang.org/x/image":              {"internal/logo"},
	"testing":                         {},
	"github.com/google/go-cmp":        {},
	"pgregory.net/rapid":              {},
	"github.com/rogpeppe/go-internal": {},
}

// parsers are the packages that read what strangers send; each has a fuzz target.
var parsers = []string{
	"internal/core/audit",                // cursors
	"internal/core/authorization",        // sealed requests
	"internal/core/client",               // documents of clients, settings documents
	"internal/core/client/inventory",     // cursors
	"internal/core/client/rule/ipallow",  // CIDR prefixes
	"internal/core/client/rule/redirect", // redirect URIs, origins
	"internal/core/key",                  // JWS, sealed values, PHC strings
	"internal/core/mergepatch",           // merge patches
	"internal/core/oauth",                // scopes, claims, PKCE
	"internal/core/resource",             // identifiers of resources
	"internal/core/scope",                // targets of requests at gateways, patterns of URLs
	"internal/core/session",              // cookies
	"internal/core/signin",               // sealed states, tokens of links, codes
	"internal/core/token",                // opaque tokens
	"internal/core/user",                 // documents of users, their attributes
	"internal/endpoint/api",              // cursors, bodies, entity tags
	"internal/endpoint/configapi",        // JSON documents
	"internal/logo",                      // images
	"internal/endpoint/protocol",         // forms, Basic credentials
	"internal/transfer",                  // lines, files of other products
	"internal/web",                       // forwarded headers, paths
}

// rules is what holds for the repository. Each rule has examples that break it,
// so that a check that can't fail is found.
var rules = []rule{
	{"imports", checkImports, []example{
		{"internal/core/token/x.go", `package token; import _ "github.com/ostiary/ostiary/internal/store"`},
		{"internal/store/x.go", `package store; import _ "github.com/ostiary/ostiary/internal/web"`},
		{"internal/web/x.go", `package web; import _ "github.com/ostiary/ostiary/internal/core/oauth"`},
		{"internal/cache/x.go", `package cache; import _ "github.com/ostiary/ostiary/internal/core/fault"`},
		{"internal/endpoint/ops/x.go", `package ops; import _ "github.com/ostiary/ostiary/internal/endpoint/configapi"`},
		{"internal/endpoint/protocol/grant/x.go", `package grant; import _ "github.com/ostiary/ostiary/internal/endpoint/protocol/revoke"`},
		{"internal/endpoint/protocol/x.go", `package protocol; import _ "github.com/ostiary/ostiary/internal/endpoint/protocol/grant"`},
		{"internal/endpoint/ops/x.go", `package ops; import _ "github.com/ostiary/ostiary/internal/store"`},
		{"internal/endpoint/page/x.go", `package page; import _ "github.com/ostiary/ostiary/internal/endpoint/signin"`},
		{"internal/endpoint/page/x.go", `package page; import _ "github.com/ostiary/ostiary/internal/core/user"`},
		{"internal/core/token/x_test.go", `package token_test; import _ "github.com/ostiary/ostiary/internal/web"`},
		{"internal/store/x.go", `package store; import _ "github.com/ostiary/ostiary/internal/store/storetest"`},
		{"internal/novel/x.go", `package novel`},
	}},
	{"libraries in their place", checkConfined, []example{
		{"internal/core/token/x.go", `package token; import _ "net/http"`},
		{"internal/core/token/x.go", `package token; import _ "net/http/httptest"`},
		{"internal/core/client/x.go", `package client; import _ "database/sql"`},
		{"internal/endpoint/ops/x.go", `package ops; import _ "github.com/jackc/pgx/v5/pgxpool"`},
		{"internal/store/x.go", `package store; import _ "html/template"`},
		{"internal/web/x.go", `package web; import _ "testing"`},
	}},
	{"the core takes its time", checkClock, []example{
		{"internal/core/token/x.go", `package token; import "time"; var x = time.Now()`},
		{"internal/core/token/x.go", `package token; import t "time"; func f(a t.Time) { t.Since(a) }`},
		{"internal/core/key/x.go", `package key; import "time"; var now = time.Now`},
	}},
	{"only config reads the environment", checkEnvironment, []example{
		{"internal/app/x.go", `package app; import "os"; var x = os.Getenv("X")`},
		{"cmd/ostiary/x.go", `package main; import "os"; var _, _ = os.LookupEnv("X")`},
		{"internal/core/key/x.go", `package key; import "os"; var x = os.Environ`},
	}},
	{"package comments", checkPackageComments, []example{
		{"internal/core/key/x.go", "package key"},
		{"internal/core/key/x.go", "// Keys and more.\npackage key"},
		{"test/x_test.go", "package test_test"},
	}},
	{"package names", checkPackageNames, []example{
		{"internal/util/x.go", "package util"},
		{"internal/core/x/x.go", "package helpers"},
		{"internal/types/token/x.go", "package token"},
	}},
	{"file and function length", checkLengths, []example{
		{"internal/web/x.go", "package web\n" + strings.Repeat("//\n", 500)},
		{"internal/web/x_test.go", "package web\nfunc f() {\n" + strings.Repeat("\n", 79) + "}\n"},
	}},
	{"few interfaces", checkInterfaces, []example{
		{"internal/web/x.go", "package web\ntype (\n" + strings.Repeat("a interface{}\n", maxInterfaces(1)+1) + ")"},
	}},
	{"parsers are fuzzed", checkFuzz, []example{
		{"internal/core/oauth/x_test.go", `package oauth; import "testing"; func TestX(t *testing.T) {}`},
	}},
	{"no init functions", checkInit, []example{
		{"internal/web/x.go", "package web; func init() {}"},
	}},
	{"finished", checkFinished, []example{
		{"internal/web/x.go", "package web // TO" + "DO: all of it"},
	}},
	{"nothing of a machine or a tracker", checkWords, []example{
		{"README.md", "see /wo" + "rk/main"},
		{"docs/x.md", "GOPROXY=https://proxy.gol" + "ang.org"},
		{"internal/web/x.go", "package web // as iss" + "ue 12 says"},
		{"CHANGELOG.md", "- mended (#" + "12)"},
	}},
}

func TestRules(t *testing.T) {
	tree := repository(t)
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			for _, broken := range rule.check(tree) {
				t.Error(broken)
			}
		})
	}
}

// TestRulesCanFail breaks each rule once an example.
func TestRulesCanFail(t *testing.T) {
	for _, rule := range rules {
		for i, bad := range rule.bad {
			tree := []*file{parse(t, bad.path, []byte(bad.text))}
			broken := strings.Join(rule.check(tree), "\n")
			if !strings.Contains(broken, path.Dir(bad.path)) {
				t.Errorf("%s: example %d (%s) passes; got %q", rule.name, i, bad.path, broken)
			}
		}
	}
}

type rule struct {
	name  string
	check func([]*file) []string
	bad   []example
}

type example struct{ path, text string }

// file is one file of the repository; syntax is nil where it is not Go.
type file struct {
	path, dir string
	text      []byte
	positions *token.FileSet
	syntax    *ast.File
	test      bool
	generated bool
}

// repository reads every file that is, or could be, committed.
func repository(t *testing.T) []*file {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	list := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v; run the tests in a clone of the repository", err)
	}
	var tree []*file
	for name := range strings.SplitSeq(strings.Trim(string(out), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // deleted, not yet committed
		}
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.ContainsRune(text, 0) {
			tree = append(tree, parse(t, name, text))
		}
	}
	return tree
}

func parse(t *testing.T, name string, text []byte) *file {
	t.Helper()
	f := &file{path: name, dir: path.Dir(name), text: text, test: strings.HasSuffix(name, "_test.go")}
	if !strings.HasSuffix(name, ".go") || strings.Contains(name, "testdata/") {
		return f
	}
	f.positions = token.NewFileSet()
	syntax, err := parser.ParseFile(f.positions, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	f.syntax, f.generated = syntax, ast.IsGenerated(syntax)
	return f
}
