package ipallow_test

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/ostiary/ostiary/internal/core/client/rule"
	"github.com/ostiary/ostiary/internal/core/client/rule/ipallow"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

func TestParse(t *testing.T) {
	for entry, want := range map[string]string{
		"10.0.0.0/8":             "10.0.0.0/8",
		"10.1.2.3/8":             "10.0.0.0/8", // host bits are masked
		"192.0.2.7/32":           "192.0.2.7/32",
		"0.0.0.0/0":              "0.0.0.0/0",
		"1.2.3.4/0":              "0.0.0.0/0",
		"2001:db8::1/64":         "2001:db8::/64",
		"2001:DB8:0:0::/64":      "2001:db8::/64",
		"::/0":                   "::/0",
		"::1/128":                "::1/128",
		"::ffff:192.0.2.9/120":   "192.0.2.0/24", // IPv4-mapped
		"::ffff:0.0.0.0/96":      "0.0.0.0/0",
		"::ffff:192.0.2.9/95":    "", // would reach beyond the mapped addresses
		"10.0.0.0":               "", // no prefix length
		"10.0.0.0/33":            "",
		"10.0.0.0/-1":            "",
		"10.0.0.0/08":            "",
		"10.0.0/8":               "",
		"010.0.0.0/8":            "",
		" 10.0.0.0/8":            "",
		"10.0.0.0/8 ":            "",
		"10.0.0.0/255.0.0.0":     "",
		"2001:db8::/129":         "",
		"fe80::1%eth0/64":        "",
		"10.0.0.0/8,10.0.0.0/16": "",
		"example.com/8":          "",
		"":                       "",
		"/":                      "",
	} {
		p, ok := ipallow.Parse(entry)
		if ok != (want != "") || ok && p.String() != want {
			t.Errorf("Parse(%q) = %v, %v; want %q", entry, p, ok, want)
		}
	}
}

func TestAllows(t *testing.T) {
	unknown := netip.Addr{}
	address := netip.MustParseAddr
	for _, test := range []struct {
		name string
		list ipallow.Setting
		peer netip.Addr
		want bool
	}{
		{"an empty list admits everyone", nil, address("192.0.2.1"), true},
		{"an empty list admits an unknown address", nil, unknown, true},
		{"inside", ipallow.Setting{"192.0.2.0/24"}, address("192.0.2.255"), true},
		{"outside", ipallow.Setting{"192.0.2.0/24"}, address("192.0.3.0"), false},
		{"host bits are masked", ipallow.Setting{"192.0.2.77/24"}, address("192.0.2.1"), true},
		{"the second entry", ipallow.Setting{"10.0.0.0/8", "192.0.2.0/24"}, address("192.0.2.1"), true},
		{"IPv4 written as IPv6", ipallow.Setting{"192.0.2.0/24"}, address("::ffff:192.0.2.1"), true},
		{"a mapped prefix", ipallow.Setting{"::ffff:192.0.2.0/120"}, address("192.0.2.1"), true},
		{"IPv6 inside", ipallow.Setting{"2001:db8::/32"}, address("2001:db8:1::1"), true},
		{"IPv6 outside", ipallow.Setting{"2001:db8::/32"}, address("2001:db9::1"), false},
		{"a zone does not matter", ipallow.Setting{"fe80::/10"}, address("fe80::1%eth0"), true},
		{"0.0.0.0/0 admits IPv4", ipallow.Setting{"0.0.0.0/0"}, address("192.0.2.1"), true},
		{"0.0.0.0/0 admits IPv6", ipallow.Setting{"0.0.0.0/0"}, address("2001:db8::1"), true},
		{"0.0.0.0/0 beside others", ipallow.Setting{"10.0.0.0/8", "0.0.0.0/0"}, address("2001:db8::1"), true},
		{"::/0 admits IPv6 only", ipallow.Setting{"::/0"}, address("192.0.2.1"), false},
		{"an unknown address is on no list", ipallow.Setting{"0.0.0.0/0"}, unknown, false},
		{"what does not parse admits nobody", ipallow.Setting{"192.0.2.1"}, address("192.0.2.1"), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.list.Allows(test.peer); got != test.want {
				t.Errorf("%v.Allows(%v) = %v", test.list, test.peer, got)
			}
			err := test.list.Check(&rule.Subject{}, &rule.Request{Peer: test.peer})
			if (err == nil) != test.want {
				t.Errorf("Check: %v", err)
			}
			if refused, ok := errors.AsType[*oauth.Error](err); err != nil && (!ok || refused.Code != "access_denied" || refused.Status != 403) {
				t.Errorf("Check: %v; want access_denied, 403", err)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"10.0.0.0/8", "0.0.0.0/0", "::/0", "::ffff:1.2.3.4/96", "fe80::1%a/64", "1.2.3.4", "/", "::ffff:1.2.3.4/95"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, entry string) {
		p, ok := ipallow.Parse(entry)
		if !ok {
			return
		}
		if p != p.Masked() || p.Addr().Is4In6() || p.Addr().Zone() != "" {
			t.Errorf("Parse(%q) = %v: not in normal form", entry, p)
		}
		if !(ipallow.Setting{entry}).Allows(p.Addr()) {
			t.Errorf("%q does not admit its own first address %v", entry, p.Addr())
		}
		if again, ok := ipallow.Parse(p.String()); !ok || again != p {
			t.Errorf("Parse(%q) = %v, and that parses to %v, %v", entry, p, again, ok)
		}
	})
}

// An address alone means itself; what is no address is left for Parse to refuse.
func TestComplete(t *testing.T) {
	given := []string{"192.0.2.7", "2001:db8::1", "10.1.2.3/8", "example.com", "::ffff:192.0.2.7", "fe80::1%eth0", ""}
	want := ipallow.Setting{"192.0.2.7/32", "2001:db8::1/128", "10.1.2.3/8", "example.com", "::ffff:192.0.2.7/128", "fe80::1%eth0", ""}
	if got := ipallow.Complete(given); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := ipallow.Complete(nil); got != nil {
		t.Errorf("%q", got)
	}
}
