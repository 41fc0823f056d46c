package token

import (
	"encoding/base64"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var kinds = []kind{accessKind, refreshKind, codeKind}

func FuzzParseOpaque(f *testing.F) {
	good := (&opaque{key: 1, reference: reference{ID{1, 2, 3}, 4}}).text(accessKind)
	long := (&opaque{key: 1, reference: reference{ID{1, 2, 3}, 4}, extra: []byte("nine more")}).text(accessKind)
	for _, seed := range []string{
		"", "ost_at_", good, good + "A", good[:len(good)-1], "ost_rt_" + good[7:], "ost_ac_" + good[7:], good[:30] + "\n" + good[31:],
		long, long[:len(long)-4], "ost_rt_" + long[7:], long[:78] + "\n\n\n\n" + long[78:], long + "=", strings.Repeat("=", 71),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, k := range kinds {
			if o, ok := parseOpaque(k, text); ok && o.text(k) != text {
				t.Fatalf("%q is read as %q: two texts for one token", text, o.text(k))
			}
		}
	})
}

func FuzzParseJTI(f *testing.F) {
	good := reference{ID{1, 2, 3}, 4}.String()
	for _, seed := range []string{"", good, good + "A", good[:26], good[:26] + "_", good[:20] + "\n" + good[20:]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if r, ok := parseJTI(s); ok && len(s) == 27 && r.String() != s {
			t.Fatalf("%q is read as %q", s, r)
		}
	})
}

func FuzzCompact(f *testing.F) {
	for _, seed := range []string{"", ".", "..", "a.b.c", "aa.aa.aa", "ab.aa.aa", "aaa.aaa.aaa", "aa\n.aa.aa", "AA.AAA.AAAA", "AA.AA.AA.AA", "AA.A+.AA", "é.AA.AA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parts := strings.Split(text, ".")
		want := len(parts) == 3
		for _, p := range parts {
			raw, err := base64.RawURLEncoding.DecodeString(p)
			want = want && err == nil && p != "" && base64.RawURLEncoding.EncodeToString(raw) == p
		}
		if got := compact(text); got != want {
			t.Fatalf("compact(%q) = %v, want %v", text, got, want)
		}
	})
}

func TestOpaqueTextIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := &opaque{
			key:       rapid.Int32().Draw(t, "key"),
			reference: reference{ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")), rapid.Int32().Draw(t, "generation")},
			tag:       [8]byte(rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "tag")),
			mac:       [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "mac")),
		}
		k := rapid.SampledFrom(kinds).Draw(t, "kind")
		if n := rapid.IntRange(0, 5).Draw(t, "extra"); k == accessKind && n > 1 {
			o.extra = rapid.SliceOfN(rapid.Byte(), 3*n, 3*n).Draw(t, "bytes")
		}
		if got, ok := parseOpaque(k, o.text(k)); !ok || !reflect.DeepEqual(got, *o) {
			t.Fatalf("%+v came back as %+v, %v", o, got, ok)
		}
		for _, other := range kinds {
			if _, ok := parseOpaque(other, o.text(k)); ok && other != k {
				t.Fatalf("%q passes for %q", o.text(k), other.prefix)
			}
		}
		if got, ok := parseJTI(o.String()); !ok || got != o.reference {
			t.Fatalf("%+v came back as %+v, %v", o.reference, got, ok)
		}
	})
}

// Each field that a tag or a MAC is over changes it.
func TestTagAndMACAreOverAllTheirFields(t *testing.T) {
	secret := [32]byte{1}
	f := Family{ID: ID{1}, ApplicationID: "app", ClientID: "client", Salt: [16]byte{1}, TokenKey: 1}
	o := opaque{key: f.TokenKey, reference: reference{f.ID, 0}}
	o.extra = []byte("nine more")
	newSealer(secret).seal(accessKind, &o, &f)
	for name, change := range map[string]func(*[32]byte, *Family, *opaque){
		"what it says":        func(_ *[32]byte, _ *Family, o *opaque) { o.extra = []byte("nine More") },
		"more of it":          func(_ *[32]byte, _ *Family, o *opaque) { o.extra = []byte("nine moremore") },
		"none of it":          func(_ *[32]byte, _ *Family, o *opaque) { o.extra = nil },
		"secret":              func(s *[32]byte, _ *Family, _ *opaque) { s[0]++ },
		"application":         func(_ *[32]byte, f *Family, _ *opaque) { f.ApplicationID = "apq" },
		"id":                  func(_ *[32]byte, _ *Family, o *opaque) { o.id[15]++ },
		"generation":          func(_ *[32]byte, _ *Family, o *opaque) { o.generation++ },
		"key (tag only)":      func(_ *[32]byte, _ *Family, o *opaque) { o.key++ },
		"client (MAC only)":   func(_ *[32]byte, f *Family, _ *opaque) { f.ClientID = "clienu" },
		"salt (MAC only)":     func(_ *[32]byte, f *Family, _ *opaque) { f.Salt[15]++ },
		"boundary (MAC only)": func(_ *[32]byte, f *Family, _ *opaque) { f.ApplicationID, f.ClientID = "appc", "lient" },
	} {
		s, g, p := secret, f, o
		change(&s, &g, &p)
		tagSame := newSealer(s).tag(accessKind, &p, g.ApplicationID) == o.tag
		macSame := newSealer(s).mac(accessKind, &p, &g) == o.mac
		if !strings.Contains(name, "MAC only") && tagSame {
			t.Errorf("%s: the tag is the same", name)
		}
		if !strings.Contains(name, "tag only") && macSame {
			t.Errorf("%s: the MAC is the same", name)
		}
	}
	for _, other := range []kind{refreshKind, codeKind} {
		if newSealer(secret).tag(other, &o, f.ApplicationID) == o.tag || newSealer(secret).mac(other, &o, &f) == o.mac {
			t.Errorf("%s: tag or MAC is that of an access token", other.prefix)
		}
	}
}
