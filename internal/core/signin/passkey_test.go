package signin_test

import (
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/core/user"
)

// device is an authenticator with one passkey, and the browser before it.
type device struct {
	r       *rig
	rp      virtualwebauthn.RelyingParty
	holder  virtualwebauthn.Authenticator
	passkey virtualwebauthn.Credential
}

func (r *rig) device(u *user.User) *device {
	d := &device{
		r: r, rp: virtualwebauthn.RelyingParty{ID: "id.example.com", Name: "Shop", Origin: origin},
		holder:  virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: []byte(u.UUID)}),
		passkey: virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2),
	}
	// One key in 128 has a coordinate that begins with a zero, which this
	// authenticator leaves out.
	for len(d.passkey.Key.AttestationData()) < 77 {
		d.passkey = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	return d
}

// created is the answer to the options with which a passkey is made.
func (d *device) created(options []byte) string {
	d.r.Helper()
	parsed, err := virtualwebauthn.ParseAttestationOptions(string(options))
	if err != nil {
		d.r.Fatal(err)
	}
	return virtualwebauthn.CreateAttestationResponse(d.rp, d.holder, d.passkey, *parsed)
}

// registered registers the passkey.
func (d *device) registered(u *user.User) *signin.Credential {
	d.r.Helper()
	options, state, err := d.r.signin.BeginPasskey(d.r.Context(), d.r.app, u)
	if err != nil {
		d.r.Fatal(err)
	}
	c, err := d.r.signin.AddPasskey(d.r.Context(), audit.Source{}, d.r.app, u, state, []byte(d.created(options)), " Laptop ")
	if err != nil {
		d.r.Fatal(err)
	}
	d.holder.AddCredential(d.passkey)
	return c
}

// answered is the answer to the options with which a passkey is asked for.
func (d *device) answered(options []byte) string {
	d.r.Helper()
	parsed, err := virtualwebauthn.ParseAssertionOptions(string(options))
	if err != nil {
		d.r.Fatal(err)
	}
	return virtualwebauthn.CreateAssertionResponse(d.rp, d.holder, d.passkey, *parsed)
}

// asked begins a sign-in.
func (r *rig) asked() (options []byte, state string) {
	r.Helper()
	options, state, err := r.signin.BeginPasskeySignIn(r.app)
	if err != nil {
		r.Fatal(err)
	}
	return options, state
}

func (r *rig) passkey(state, response string) (*signin.Outcome, error) {
	return r.signin.PasskeySignIn(r.Context(), r.app, state, []byte(response), from(home))
}

func TestPasskey(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.user("ann@example.com", good)
	d := r.device(u)
	kept := d.registered(u)
	if kept.Label != "Laptop" || strings.Contains(string(kept.Data), "attestationObject") {
		t.Errorf("%+v", kept)
	}
	for range 2 {
		r.clock.Advance(time.Minute)
		d.passkey.Counter++
		options, state := r.asked()
		response := d.answered(options)
		out, err := r.passkey(state, response)
		if err != nil || !out.Done() || out.User.UUID != u.UUID || out.ACR != session.TwoFactors || strings.Join(out.AMR, " ") != "hwk mfa user" {
			t.Fatalf("%+v, %v", out, err)
		}
		_, err = r.passkey(state, response)
		wants(t, fault.Denied, err)
	}
	list, codes, err := r.signin.List(t.Context(), r.app, u)
	if err != nil || len(list) != 1 || codes != 0 || !list[0].UsedAt.Equal(r.clock.Now()) || list[0].Counter != 2 {
		t.Errorf("%+v, %d, %v", list, codes, err)
	}
	// A passkey asks for no second factor, and is none after a password.
	if out, err := r.password("ann@example.com", good, from(home)); err != nil || !out.Done() {
		t.Errorf("%+v, %v", out, err)
	}
	if err := r.signin.Remove(t.Context(), audit.Source{}, r.app, u, kept.ID); err != nil {
		t.Fatal(err)
	}
	d.passkey.Counter++
	options, state := r.asked()
	_, err = r.passkey(state, d.answered(options))
	wants(t, fault.Denied, err)
	if n := r.events("user.credential."); n != 2 {
		t.Errorf("%d events", n)
	}
}

// spoiled are sign-ins in which one thing is wrong: each gives the state and,
// behind a line break, the answer.
var spoiled = map[string]func(d *device, uuid *string) string{
	"another origin": func(d *device, _ *string) string {
		options, state := d.r.asked()
		d.rp.Origin = "https://evil.example.com"
		return state + "\n" + d.answered(options)
	},
	"another relying party": func(d *device, _ *string) string {
		options, state := d.r.asked()
		d.rp.ID = "example.com"
		return state + "\n" + d.answered(options)
	},
	"the user not verified": func(d *device, _ *string) string {
		options, state := d.r.asked()
		d.holder.Options.UserNotVerified = true
		return state + "\n" + d.answered(options)
	},
	"another user's handle": func(d *device, _ *string) string {
		options, state := d.r.asked()
		d.holder.Options.UserHandle = []byte("somebody")
		return state + "\n" + d.answered(options)
	},
	"another challenge": func(d *device, _ *string) string {
		options, _ := d.r.asked()
		_, state := d.r.asked()
		return state + "\n" + d.answered(options)
	},
	"another key": func(d *device, _ *string) string {
		options, state := d.r.asked()
		id := d.passkey.ID
		d.passkey = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
		d.passkey.ID = id
		return state + "\n" + d.answered(options)
	},
	"too late": func(d *device, _ *string) string {
		options, state := d.r.asked()
		d.r.clock.Advance(5 * time.Minute)
		return state + "\n" + d.answered(options)
	},
	"after a restart": func(d *device, _ *string) string {
		options, state := d.r.asked()
		d.r.clock.Advance(time.Second)
		d.r.restart()
		return state + "\n" + d.answered(options)
	},
	"a counter that stands still": func(d *device, _ *string) string {
		options, state := d.r.asked()
		if _, err := d.r.passkey(state, d.answered(options)); err != nil {
			d.r.Fatal(err)
		}
		options, state = d.r.asked()
		return state + "\n" + d.answered(options)
	},
	"a user who is not active": func(d *device, uuid *string) string {
		options, state := d.r.asked()
		if _, err := d.r.records.SetActive(d.r.Context(), audit.System(), d.r.app.ID, *uuid, false); err != nil {
			d.r.Fatal(err)
		}
		return state + "\n" + d.answered(options)
	},
	"another application": func(d *device, _ *string) string {
		other := *d.r.app
		other.ID = "other"
		d.r.app = &other
		options, state := d.r.asked()
		return state + "\n" + d.answered(options)
	},
	"noise": func(d *device, _ *string) string {
		_, state := d.r.asked()
		return state + "\n{}"
	},
}

func TestPasskeysRefused(t *testing.T) {
	t.Parallel()
	for name, spoil := range spoiled {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			u := r.user("ann@example.com", "")
			d := r.device(u)
			d.registered(u)
			d.passkey.Counter++
			state, response, _ := strings.Cut(spoil(d, &u.UUID), "\n")
			out, err := r.passkey(state, response)
			if out != nil {
				t.Errorf("signed in: %+v", out)
			}
			wants(t, fault.Denied, err)
		})
	}
}

// A registration is the user's who began it, and good once.
func TestPasskeyRegistrationRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u, other := r.user("ann@example.com", ""), r.user("bob@example.com", "")
	d := r.device(u)
	options, state, err := r.signin.BeginPasskey(t.Context(), r.app, u)
	if err != nil {
		t.Fatal(err)
	}
	add := func(u *user.User, state, response, label string) error {
		_, err := r.signin.AddPasskey(t.Context(), audit.Source{}, r.app, u, state, []byte(response), label)
		return err
	}
	response := d.created(options)
	wants(t, fault.Denied, add(other, state, response, "x"))
	wants(t, fault.Invalid, add(u, state, response, " "))
	wants(t, fault.Invalid, add(u, state, response, strings.Repeat("x", 61)))
	wants(t, fault.Denied, add(u, state+"A", response, "x"))
	wants(t, fault.Denied, add(u, state, response[:len(response)/2], "x"))
	if err := add(u, state, response, "x"); err != nil {
		t.Fatal(err)
	}
	wants(t, fault.Denied, add(u, state, response, "x"))
	_, signIn := r.asked()
	wants(t, fault.Denied, add(u, signIn, response, "x"))
	// The passkey that a browser has is not made a second time.
	options, _, err = r.signin.BeginPasskey(t.Context(), r.app, u)
	if err != nil || !strings.Contains(string(options), `"excludeCredentials":[{`) {
		t.Errorf("%s, %v", options, err)
	}
}

// Guessing with passkeys is slowed down, as all guessing of a network is.
func TestPasskeysAreSlowedDown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	let := 0
	for range 40 {
		if _, err := r.passkey("noise", "noise"); !slow(err) {
			let++
		}
	}
	if let != 30 {
		t.Errorf("%d attempts", let)
	}
}

// Browsers take no addresses for a relying party.
func TestNoPasskeysForAddresses(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for url, want := range map[string]bool{
		"http://127.0.0.1:8080": false, "http://[::1]:8080": false, "http://localhost:8080": true, "https://id.example.com": true, "": false,
	} {
		s, err := signin.NewService(signin.Deps{Keys: r.keys, PublicURL: url, Now: r.clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		if s.Passkeys() != want {
			t.Errorf("%s: %v", url, s.Passkeys())
		}
		if _, _, err := s.BeginPasskeySignIn(r.app); (err == nil) != want {
			t.Errorf("%s: %v", url, err)
		}
	}
}
