package authorization_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/authorization"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/store"
)

type rig struct {
	now  time.Time
	desk *authorization.Desk
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{now: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)}
	clock := func() time.Time { return r.now }
	db, err := store.Open(t.Context(), store.Options{Data: t.TempDir(), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	ring, err := key.OpenRing(t.Context(), db.Keys(), [32]byte{1}, clock)
	if err != nil {
		t.Fatal(err)
	}
	r.desk = authorization.NewDesk(ring, clock)
	return r
}

func (r *rig) seal(t *testing.T, request *authorization.Request) string {
	t.Helper()
	text, err := r.desk.Seal("app", request)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestARequestComesBackAsItWas(t *testing.T) {
	r := newRig(t)
	want := &authorization.Request{
		Query: "client_id=c&state=a%26b&scope=openid+email", BegunAt: r.now, ClientID: "c", RedirectURI: "https://app.example/cb",
		Need: authorization.Agree, Scopes: []string{"openid", "email"}, LoginHint: "ann@example.com", UILocales: "de en",
		Denied: true, Once: &authorization.Once{SID: "s", Scopes: []string{"openid"}}, Chosen: "s", Entered: true,
	}
	text := r.seal(t, want)
	r.now = r.now.Add(authorization.Lifetime)
	got, err := r.desk.Open("app", text)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, %v; want %+v", got, err, want)
	}
	if got.Get("state") != "a&b" || got.Get("scope") != "openid email" || got.Get("none") != "" {
		t.Errorf("the parameters are %q, %q and %q", got.Get("state"), got.Get("scope"), got.Get("none"))
	}
}

func TestWhatIsNotOpened(t *testing.T) {
	r := newRig(t)
	text := r.seal(t, &authorization.Request{Query: "a=b", BegunAt: r.now})
	for _, c := range []struct {
		name, app, text string
		later           time.Duration
	}{
		{"nothing", "app", "", 0},
		{"no base64", "app", "!" + text, 0},
		{"cut", "app", text[:len(text)-1], 0},
		{"altered", "app", text[:len(text)-4] + strings.ToUpper(text[len(text)-4:]) + "A", 0},
		{"another application's", "other", text, 0},
		{"too old", "app", text, authorization.Lifetime + time.Microsecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			begun := r.now
			r.now = begun.Add(c.later)
			defer func() { r.now = begun }()
			if _, err := r.desk.Open(c.app, c.text); fault.KindOf(err) != fault.Invalid {
				t.Errorf("answered %v", err)
			}
		})
	}
}

// The longest request that is taken still fits the line of a GET.
func TestASealedRequestFitsAURL(t *testing.T) {
	r := newRig(t)
	text := r.seal(t, &authorization.Request{Query: strings.Repeat("a=%26&", authorization.MaxQuery/6), BegunAt: r.now})
	if len(text) > 16<<10 {
		t.Errorf("it has %d characters", len(text))
	}
}

func FuzzOpen(f *testing.F) {
	r := newRig(f)
	f.Add("")
	f.Add("AAAAAQ")
	f.Add(strings.Repeat("A", 100))
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := r.desk.Open("app", text); err == nil {
			t.Errorf("%q, which was not sealed here, opened as %+v", text, got)
		}
	})
}
