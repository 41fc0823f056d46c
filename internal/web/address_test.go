package web_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/web"
)

var proxies = web.Proxies{
	Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:1::/48")},
	Header:  "X-Forwarded-For",
}

func TestClientAddress(t *testing.T) {
	for _, c := range []struct {
		name, peer string
		lines      []string
		want       string
	}{
		{"nobody forwards", "192.0.2.1:1", nil, "192.0.2.1"},
		{"an untrusted peer is not believed", "192.0.2.1:1", []string{"203.0.113.9"}, "192.0.2.1"},
		{"a trusted peer is", "10.0.0.1:1", []string{"203.0.113.9"}, "203.0.113.9"},
		{"a trusted peer that says nothing", "10.0.0.1:1", nil, "10.0.0.1"},
		{"what the client itself wrote is to the left", "10.0.0.1:1", []string{"127.0.0.1, 203.0.113.9"}, "203.0.113.9"},
		{"trusted hops are passed over", "10.0.0.1:1", []string{"203.0.113.9, 10.1.1.1, 10.2.2.2"}, "203.0.113.9"},
		{"lines are joined", "10.0.0.1:1", []string{"127.0.0.1", "203.0.113.9", "10.2.2.2"}, "203.0.113.9"},
		{"all trusted: the first of them", "10.0.0.1:1", []string{"10.3.3.3, 10.2.2.2"}, "10.3.3.3"},
		{"no address: unknown", "10.0.0.1:1", []string{"203.0.113.9, unknown, 10.2.2.2"}, "invalid IP"},
		{"an empty entry is no address", "10.0.0.1:1", []string{"203.0.113.9,"}, "invalid IP"},
		{"with a port", "10.0.0.1:1", []string{"203.0.113.9:4711"}, "203.0.113.9"},
		{"IPv6 in brackets with a port", "10.0.0.1:1", []string{"[2001:db8::1]:4711"}, "2001:db8::1"},
		{"IPv6 in brackets", "10.0.0.1:1", []string{"[2001:db8::1]"}, "2001:db8::1"},
		{"IPv6 peer", "[2001:db8:1::5]:1", []string{"2001:db8::1"}, "2001:db8::1"},
		{"a mapped peer is an IPv4 one", "[::ffff:10.0.0.1]:1", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		{"a zone says nothing to others", "[fe80::1%eth0]:1", nil, "fe80::1"},
		{"no peer", "@", []string{"203.0.113.9"}, "invalid IP"},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{}}
		if c.lines != nil {
			r.Header["X-Forwarded-For"] = c.lines
		}
		got, proxied := proxies.ClientAddress(r)
		if got.String() != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
		if want := strings.Contains(c.peer, "10.0.0.1") || strings.Contains(c.peer, "2001:db8:1::5"); proxied != want {
			t.Errorf("%s: the peer is believed: %v", c.name, proxied)
		}
	}
}

func TestAnotherHeaderIsNotBelieved(t *testing.T) {
	r := &http.Request{RemoteAddr: "10.0.0.1:1", Header: http.Header{
		"Forwarded": {"for=203.0.113.9"}, "X-Real-Ip": {"203.0.113.9"}, "X-Client-Ip": {"203.0.113.9"},
	}}
	if got, _ := proxies.ClientAddress(r); got.String() != "10.0.0.1" {
		t.Errorf("got %s", got)
	}
}

// FuzzForwardedHeader: whatever a header says, the outcome is an address that
// stands in it, the peer where it says nothing, or unknown; and from a peer that is not trusted, the peer.
func FuzzForwardedHeader(f *testing.F) {
	for _, seed := range []string{"", ",", "203.0.113.9", "a, 10.0.0.1", "[::1]:99", "[[::1]]", "::ffff:10.0.0.1, fe80::1%25x", "1.2.3.4:99999", strings.Repeat(",", 99)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		r := &http.Request{RemoteAddr: "10.0.0.1:1", Header: http.Header{"X-Forwarded-For": {line}}}
		got, _ := proxies.ClientAddress(r)
		if got.Is4In6() || got.Zone() != "" {
			t.Fatalf("%q: got %v", line, got)
		}
		if got.IsValid() && got != netip.MustParseAddr("10.0.0.1") && !mentions(line, got) {
			t.Fatalf("%q: got %v, which is not in it", line, got)
		}
		r.RemoteAddr = "192.0.2.1:1"
		if got, proxied := proxies.ClientAddress(r); proxied || got != netip.MustParseAddr("192.0.2.1") {
			t.Fatalf("%q: an untrusted peer was believed: %v", line, got)
		}
	})
}

func mentions(line string, want netip.Addr) bool {
	for entry := range strings.SplitSeq(line, ",") {
		entry = strings.TrimSpace(entry)
		if a, err := netip.ParseAddr(strings.Trim(entry, "[]")); err == nil && a.Unmap().WithZone("") == want {
			return true
		}
		if a, err := netip.ParseAddrPort(entry); err == nil && a.Addr().Unmap().WithZone("") == want {
			return true
		}
	}
	return false
}
