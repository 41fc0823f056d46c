package outbound_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/outbound"
)

// Addresses that only the server's own network reaches are refused, however they
// are written; nothing is connected to.
func TestRefused(t *testing.T) {
	t.Parallel()
	c := outbound.New(nil, false)
	for _, host := range []string{
		"127.0.0.1", "127.9.9.9", "localhost", "[::1]", "0.0.0.0", "[::]", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
		"192.0.0.170", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "255.255.255.255", "240.0.0.1",
		"[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[::ffff:a9fe:a9fe]", "[64:ff9b::7f00:1]", "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2001::1]",
		"[2001:db8::1]", "[fc00::1]", "[fd00:ec2::254]", "[fe80::1]", "[fec0::1]", "[ff02::1]", "[100::1]", "[::127.0.0.1]",
		"2130706433", "0x7f.1", "0177.0.0.1",
	} {
		status, err := c.Post(t.Context(), "http://"+host+":1/", nil)
		if err == nil {
			t.Fatalf("%s answered %d", host, status)
		}
		// Other forms of writing an address are names that do not resolve, or are
		// read as the address that they are.
		var lookup *net.DNSError
		if !errors.Is(err, outbound.ErrRefused) && !errors.As(err, &lookup) {
			t.Errorf("%s: %v", host, err)
		}
	}
}

// A name that resolves to a refused address is refused as the address is.
func TestAllowed(t *testing.T) {
	t.Parallel()
	served := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.FormValue("a") != "b c" || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
			t.Errorf("%s %v", r.Method, r.Form)
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer served.Close()
	named := strings.Replace(served.URL, "127.0.0.1", "localhost", 1)
	for _, test := range []struct {
		allow    []netip.Prefix
		loopback bool
		want     bool
	}{
		{nil, false, false},
		{nil, true, true},
		{[]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}, false, true},
		{[]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, false, false},
	} {
		for _, target := range []string{served.URL, named} {
			status, err := outbound.New(test.allow, test.loopback).Post(t.Context(), target+"/x", url.Values{"a": {"b c"}})
			if (err == nil) != test.want || test.want && status != http.StatusNoContent || !test.want && !errors.Is(err, outbound.ErrRefused) {
				t.Errorf("%+v %s: %d, %v", test, target, status, err)
			}
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("what was sent went elsewhere") }))
	defer elsewhere.Close()
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		served := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, status) }))
		got, err := outbound.New(nil, true).Post(t.Context(), served.URL, url.Values{"a": {"b"}})
		if err != nil || got != status {
			t.Errorf("%d: %d, %v", status, got, err)
		}
		served.Close()
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/file", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("12345")) })
	mux.HandleFunc("/missing", http.NotFound)
	mux.Handle("/moved", http.RedirectHandler("/file", http.StatusFound))
	mux.Handle("/round", http.RedirectHandler("/round", http.StatusFound))
	mux.Handle("/inside", http.RedirectHandler("http://10.0.0.1/file", http.StatusFound))
	mux.Handle("/other", http.RedirectHandler("ftp://127.0.0.1/file", http.StatusFound))
	served := httptest.NewServer(mux)
	defer served.Close()
	for path, want := range map[string]string{"/file": "12345", "/moved": "12345", "/missing": "", "/round": "", "/inside": "", "/other": ""} {
		got, err := outbound.New(nil, true).Get(t.Context(), served.URL+path, 5)
		if string(got) != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	if _, err := outbound.New(nil, true).Get(t.Context(), served.URL+"/file", 4); !errors.Is(err, outbound.ErrTooLarge) {
		t.Errorf("of 4 bytes: %v", err)
	}
	if _, err := outbound.New(nil, false).Get(t.Context(), served.URL+"/file", 5); !errors.Is(err, outbound.ErrRefused) {
		t.Errorf("of this machine: %v", err)
	}
}

// Errors go to the log: neither the URL, which may have a secret in its query,
// nor what was sent is in them.
func TestErrorsRepeatNothing(t *testing.T) {
	t.Parallel()
	c := outbound.New(nil, true)
	for _, target := range []string{"http://127.0.0.1:1/hush?hush", "ftp://127.0.0.1/hush", "http://[hush", "/hush", "http://10.0.0.1/hush", "https://hush.invalid/"} {
		_, err := c.Post(t.Context(), target, url.Values{"logout_token": {"hush"}})
		if err == nil {
			t.Fatalf("%s answered", target)
		}
		if strings.Contains(err.Error(), "hush") && !strings.Contains(target, "hush.invalid") {
			t.Errorf("%s: %v", target, err)
		}
	}
}

func TestLoopback(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]bool{
		"http://127.0.0.1:8080": true, "http://localhost": true, "http://[::1]:1": true, "https://id.example.com": false, "http://10.0.0.1": false, "": false, "http://localhost.example.com": false,
	} {
		if got := outbound.Loopback(target); got != want {
			t.Errorf("%s: %v", target, got)
		}
	}
}
