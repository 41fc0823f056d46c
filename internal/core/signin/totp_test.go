package signin_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/core/user"
)

// code is what an app shows for a secret, after from now.
func (r *rig) code(secret string, after time.Duration) string {
	r.Helper()
	code, err := totp.GenerateCode(secret, r.clock.Now().Add(after))
	if err != nil {
		r.Fatal(err)
	}
	return code
}

// enrolled gives a user an authenticator app.
func (r *rig) enrolled(u *user.User) (secret string, codes []string) {
	r.Helper()
	e, err := r.signin.BeginTOTP(r.app, u)
	if err != nil {
		r.Fatal(err)
	}
	codes, err = r.signin.ConfirmTOTP(r.Context(), audit.Source{}, r.app, u, e.State, r.code(e.Secret, 0), "Phone")
	if err != nil {
		r.Fatal(err)
	}
	r.clock.Advance(time.Minute)
	return e.Secret, codes
}

// pending is the first factor.
func (r *rig) pending(email string) string {
	r.Helper()
	out, err := r.password(email, good, from(home))
	if err != nil || out.Done() || out.Device != "" {
		r.Fatalf("%+v, %v", out, err)
	}
	return out.Pending
}

func TestTOTP(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.user("ann@example.com", good)
	e, err := r.signin.BeginTOTP(r.app, u)
	if err != nil || !strings.HasPrefix(e.URL, "otpauth://totp/Shop:ann@example.com?") || !strings.Contains(e.URL, e.Secret) {
		t.Fatalf("%+v, %v", e, err)
	}
	confirm := func(u *user.User, state, code, label string) ([]string, error) {
		return r.signin.ConfirmTOTP(t.Context(), audit.Source{}, r.app, u, state, code, label)
	}
	_, err = confirm(u, e.State, "000000", "Phone")
	wants(t, fault.Invalid, err)
	_, err = confirm(r.user("bob@example.com", good), e.State, r.code(e.Secret, 0), "Phone")
	wants(t, fault.Invalid, err)
	_, err = confirm(u, e.State, r.code(e.Secret, 0), "")
	wants(t, fault.Invalid, err)
	if out, err := r.password("ann@example.com", good, from(home)); err != nil || !out.Done() {
		t.Fatalf("a secret that was not confirmed acts: %v", err)
	}
	codes, err := confirm(u, e.State, r.code(e.Secret, 0), "Phone")
	if err != nil || len(codes) != 10 {
		t.Fatalf("%d codes, %v", len(codes), err)
	}

	first := r.pending("ann@example.com")
	_, err = r.signin.Code(t.Context(), r.app, first, r.code(e.Secret, 0), from(home))
	wants(t, fault.Invalid, err) // the one that confirmed is used up
	for _, c := range []struct {
		after time.Duration
		good  bool
	}{{-time.Minute, false}, {30 * time.Second, true}, {30 * time.Second, false}, {0, false}, {time.Minute, false}} {
		out, err := r.signin.Code(t.Context(), r.app, r.pending("ann@example.com"), r.code(e.Secret, c.after), from(home))
		if (err == nil) != c.good {
			t.Errorf("%v: %v", c.after, err)
		}
		if err == nil && (!out.Done() || out.User.UUID != u.UUID || out.ACR != session.TwoFactors || !slices.Equal(out.AMR, []string{"mfa", "otp", "pwd"}) || out.Device == "") {
			t.Errorf("%+v", out)
		}
	}
	list, left, err := r.signin.List(t.Context(), r.app, u)
	if err != nil || len(list) != 1 || left != 10 || list[0].Label != "Phone" || list[0].UsedAt.IsZero() {
		t.Errorf("%+v, %d, %v", list, left, err)
	}
	if strings.Contains(string(list[0].Data), e.Secret) {
		t.Error("the secret is stored in clear")
	}
	if codes, err := confirmSecond(r, u); err != nil || codes != nil {
		t.Errorf("the second app made codes anew: %v, %v", codes, err)
	}
}

func confirmSecond(r *rig, u *user.User) ([]string, error) {
	e, err := r.signin.BeginTOTP(r.app, u)
	if err != nil {
		return nil, err
	}
	return r.signin.ConfirmTOTP(r.Context(), audit.Source{}, r.app, u, e.State, r.code(e.Secret, 0), "Tablet")
}

// The first factor is good for five minutes, for its user as he then was.
func TestPendingEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.user("ann@example.com", good)
	secret, codes := r.enrolled(u)
	try := func(pending string) error {
		_, err := r.signin.Code(t.Context(), r.app, pending, r.code(secret, 0), from(home))
		return err
	}
	late := r.pending("ann@example.com")
	r.clock.Advance(signin.Patience + time.Second)
	wants(t, fault.Denied, try(late))
	wants(t, fault.Denied, try("noise"))
	e, err := r.signin.BeginTOTP(r.app, u)
	if err != nil {
		t.Fatal(err)
	}
	wants(t, fault.Denied, try(e.State))
	before := r.pending("ann@example.com")
	if _, err := r.records.SetPassword(t.Context(), audit.System(), r.app.ID, u.UUID, wrong); err != nil {
		t.Fatal(err)
	}
	wants(t, fault.Denied, try(before))
	_, err = r.signin.Recovery(t.Context(), r.app, before, codes[0], from(home))
	wants(t, fault.Denied, err)
}

func TestCodesAreThrottled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.user("ann@example.com", good)
	out, err := r.password("ann@example.com", good, from(home))
	if err != nil {
		t.Fatal(err)
	}
	secret, codes := r.enrolled(u)
	pending, let := r.pending("ann@example.com"), 0
	for i := range 50 {
		_, err := r.signin.Code(t.Context(), r.app, pending, fmt.Sprintf("%06d", i), from(fmt.Sprintf("192.0.2.%d", i)))
		if !slow(err) {
			wants(t, fault.Invalid, err)
			let++
		}
	}
	if let != 10 {
		t.Errorf("%d codes tried", let)
	}
	if _, err := r.signin.Recovery(t.Context(), r.app, pending, codes[0], from(home)); !slow(err) {
		t.Errorf("recovery codes have a throttle of their own: %v", err)
	}
	known := from(home)
	known.Device = out.Device
	if _, err := r.signin.Code(t.Context(), r.app, pending, r.code(secret, 0), known); err != nil {
		t.Errorf("the owner's device: %v", err)
	}
}

func TestRecoveryCodes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.user("ann@example.com", good)
	_, err := r.signin.NewRecoveryCodes(t.Context(), audit.Source{}, r.app, u)
	wants(t, fault.Conflict, err)
	_, codes := r.enrolled(u)
	use := func(code string) error {
		out, err := r.signin.Recovery(t.Context(), r.app, r.pending("ann@example.com"), code, from(home))
		if err == nil && (!out.Done() || out.ACR != session.TwoFactors) {
			t.Errorf("%+v", out)
		}
		return err
	}
	if err := use(strings.ToUpper(strings.ReplaceAll(codes[3], "-", " "))); err != nil {
		t.Error(err)
	}
	wants(t, fault.Invalid, use(codes[3]))
	wants(t, fault.Invalid, use(""))
	_, left, err := r.signin.List(t.Context(), r.app, u)
	if err != nil || left != 9 {
		t.Errorf("%d left, %v", left, err)
	}
	again, err := r.signin.NewRecoveryCodes(t.Context(), audit.Source{}, r.app, u)
	if err != nil || len(again) != 10 {
		t.Fatal(err)
	}
	wants(t, fault.Invalid, use(codes[4]))
	if err := use(again[0]); err != nil {
		t.Error(err)
	}
	if r.events("user.recovery_code.use") != 2 || r.events("user.recovery_codes.replace") != 1 {
		t.Error("events are missing")
	}
	list, _, err := r.signin.List(t.Context(), r.app, u)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.signin.Remove(t.Context(), audit.Source{}, r.app, u, list[0].ID); err != nil {
		t.Fatal(err)
	}
	if out, err := r.password("ann@example.com", good, from(home)); err != nil || !out.Done() {
		t.Errorf("without an app: %+v, %v", out, err)
	}
}

// Whoever is signed in by one factor proves the second alone.
func TestStepUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.user("ann@example.com", good)
	if _, ok, err := r.signin.StepUp(t.Context(), r.app, u, []string{"pwd"}); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	secret, _ := r.enrolled(u)
	pending, ok, err := r.signin.StepUp(t.Context(), r.app, u, []string{"pwd"})
	if err != nil || !ok {
		t.Fatal(err)
	}
	out, err := r.signin.Code(t.Context(), r.app, pending, r.code(secret, 0), from(home))
	if err != nil || out.ACR != session.TwoFactors || !slices.Contains(out.AMR, "pwd") {
		t.Errorf("%+v, %v", out, err)
	}
}
