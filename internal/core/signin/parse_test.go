package signin_test

import (
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// What strangers bring along opens nothing unless it was sealed for it, and
// breaks nothing.
func FuzzBrought(f *testing.F) {
	r := newRig(f)
	u := r.user("ann@example.com", good)
	secret, _ := r.enrolled(u)
	out, err := r.password("ann@example.com", good, from(home))
	if err != nil {
		f.Fatal(err)
	}
	options, state := r.asked()
	e, err := r.signin.BeginTOTP(r.app, u)
	if err != nil {
		f.Fatal(err)
	}
	token, _, err := r.signin.ResetLink(f.Context(), audit.System(), r.app, u)
	if err != nil {
		f.Fatal(err)
	}
	code, first := r.code(secret, 0), r.code(e.Secret, 0)
	for _, seed := range []string{
		"", out.Pending, out.Pending + "A", out.Pending[1:], state, e.State, token, token + "=", token[:42] + "\n", code, " 000 000", "١٢٣٤٥٦",
		string(options), `{"id":"AA","rawId":"AA","type":"public-key","response":{}}`, strings.Repeat("A", 100_000), "\xff\x00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ctx := t.Context()
		refused := func(what string, err error) {
			if kind := fault.KindOf(err); err == nil || !slow(err) && kind != fault.Denied && kind != fault.Invalid && kind != fault.NotFound {
				t.Errorf("%s: %v", what, err)
			}
		}
		_, err := r.signin.Code(ctx, r.app, text, "000000x", from(home))
		refused("a first factor", err)
		_, err = r.signin.Code(ctx, r.app, out.Pending, "x"+text, from(home))
		refused("a code", err)
		_, err = r.signin.Recovery(ctx, r.app, out.Pending, "0"+text, from(home)) // no code has a 0
		refused("a recovery code", err)
		_, err = r.signin.ConfirmTOTP(ctx, audit.Source{}, r.app, u, text, "000000x", "Phone")
		refused("an enrolment", err)
		_, err = r.signin.ConfirmTOTP(ctx, audit.Source{}, r.app, u, e.State, first, text+"\x00")
		refused("a label", err)
		_, err = r.signin.PasskeySignIn(ctx, r.app, text, []byte(text), from(home))
		refused("a passkey's state", err)
		_, err = r.signin.PasskeySignIn(ctx, r.app, state, []byte(text), from(home))
		refused("a passkey", err)
		_, err = r.signin.AddPasskey(ctx, audit.Source{}, r.app, u, state, []byte(text), "Laptop")
		refused("a new passkey", err)
		if l, err := r.signin.Link(ctx, r.app, text); (err == nil) != (text == token) {
			t.Errorf("a link: %+v, %v", l, err)
		}
	})
}
