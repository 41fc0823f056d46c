package user_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/user"
)

func TestCreate(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.made(`{"email": " Ann@Example.com ", "email_verified": true, "roles": [" clerk", "clerk", "head of sales"], "password": "` + good + `",
		"attributes": {"givenName": "Ann", "middleName": null, "aboutMe": "", "primaryAddress": {"city": "Ulm", "zip": null}, "photos": []},
		"uuid": "x", "created_at": 7}`)
	want := `{"uuid":"` + u.UUID + `","email":"Ann@Example.com","email_verified":true,` +
		`"attributes":{"givenName":"Ann","primaryAddress":{"city":"Ulm"}},"roles":["clerk","head of sales"],"active":true,` +
		`"created_at":"2026-03-04T05:06:07.890123Z","updated_at":"2026-03-04T05:06:07.890123Z","last_signed_in_at":null}`
	if got := asJSON(t, r.known(u).View()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if u.UUID[14] != '4' || !strings.ContainsRune("89ab", rune(u.UUID[19])) {
		t.Errorf("%s is no uuid of version 4", u.UUID)
	}
	event := r.event()
	const after = `{"email":"Ann@Example.com","email_verified":true,"attributes":{"givenName":"Ann","primaryAddress":{"city":"Ulm"}},` +
		`"roles":["clerk","head of sales"],"active":true,"password":true}`
	if event.Action != "user.create" || event.Object != "user:"+u.UUID || event.Before != nil || string(event.After) != after {
		t.Errorf("the event is %+v with %s", event, event.After)
	}
	if _, err := r.create(`{"email": "ann@example.COM"}`); fault.KindOf(err) != fault.Conflict {
		t.Errorf("the address was given twice: %v", err)
	}
	// A person may have neither address nor password.
	if r.made(`{}`).PasswordHash != "" || r.made(`{}`).Email != "" {
		t.Error("something was made up")
	}
}

func TestPatch(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.made(`{"email": "ann@example.com", "email_verified": true, "roles": ["clerk"], "active": false,
		"attributes": {"givenName": "Ann", "phoneNumber": "1", "phoneNumberVerified": "2026-01-01T00:00:00Z", "primaryAddress": {"city": "Ulm", "zip": "1"}}}`)
	for _, test := range []struct{ patch, email, attributes, rest string }{
		{`{}`, "ann@example.com true", `{"givenName":"Ann","phoneNumber":"1","phoneNumberVerified":"2026-01-01T00:00:00Z","primaryAddress":{"city":"Ulm","zip":"1"}}`, "[clerk] true"},
		{`{"attributes": {"givenName": null, "primaryAddress": {"city": null}}}`, "ann@example.com true", `{"phoneNumber":"1","phoneNumberVerified":"2026-01-01T00:00:00Z","primaryAddress":{"zip":"1"}}`, "[clerk] true"},
		{`{"attributes": {"phoneNumber": "2"}}`, "ann@example.com true", `{"phoneNumber":"2","primaryAddress":{"zip":"1"}}`, "[clerk] true"},
		{`{"email": "ann@example.com"}`, "ann@example.com true", `{"phoneNumber":"2","primaryAddress":{"zip":"1"}}`, "[clerk] true"},
		{`{"email": "eve@example.com"}`, "eve@example.com false", `{"phoneNumber":"2","primaryAddress":{"zip":"1"}}`, "[clerk] true"},
		{`{"email": "x@example.com", "email_verified": true, "roles": null}`, "x@example.com true", `{"phoneNumber":"2","primaryAddress":{"zip":"1"}}`, "[] true"},
		{`{"attributes": {"primaryAddress": null}, "active": null}`, "x@example.com true", `{"phoneNumber":"2"}`, "[] false"},
		{`{"attributes": null, "email": null}`, " false", `{}`, "[] false"},
	} {
		r.advance(time.Minute)
		u = r.patched(u, test.patch)
		v := u.View()
		email := v.Email + " " + asJSON(t, v.EmailVerified)
		rest := strings.ReplaceAll(asJSON(t, v.Roles), `"`, "") + " " + asJSON(t, !v.Active)
		if email != test.email || asJSON(t, v.Attributes) != test.attributes || rest != test.rest {
			t.Errorf("after %s: %s, %s, %s", test.patch, email, asJSON(t, v.Attributes), rest)
		}
		if diff := cmp.Diff(u, r.known(u)); diff != "" {
			t.Errorf("after %s the registry has another user:\n%s", test.patch, diff)
		}
		if !u.UpdatedAt.Equal(r.clock().Truncate(time.Microsecond)) {
			t.Errorf("updated at %v", u.UpdatedAt)
		}
	}
	if len(r.endings()) != 0 {
		t.Error("sessions were ended")
	}
	// What was read can be written back.
	r.patched(u, asJSON(t, u.View()))

	stale := u.Revision
	if _, err := r.ops.Patch(t.Context(), r.source, app, u.UUID, []byte(`{"roles": ["x"]}`), &stale); fault.KindOf(err) != fault.Precondition {
		t.Errorf("a stale revision: %v", err)
	}
	_, err := r.ops.Patch(t.Context(), r.source, app, strings.ToUpper(u.UUID), []byte(`{}`), nil)
	r.wants(fault.NotFound, err)
}

// What ends everything that a user was given, and what does not.
func TestEras(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.made(`{"email": "ann@example.com", "password": "` + good + `"}`)
	for _, test := range []struct {
		name, action string
		ends         bool
		do           func() (*user.User, error)
	}{
		{"roles", "user.update", false, func() (*user.User, error) { return r.patch(u, `{"roles": ["x"], "email": "b@example.com"}`) }},
		{"deactivated", "user.deactivate", true, func() (*user.User, error) { return r.ops.SetActive(t.Context(), r.source, app, u.UUID, false) }},
		{"deactivated again", "user.update", false, func() (*user.User, error) { return r.patch(u, `{"active": false}`) }},
		{"activated", "user.activate", false, func() (*user.User, error) { return r.ops.SetActive(t.Context(), r.source, app, u.UUID, true) }},
		{"deactivated by a patch", "user.deactivate", true, func() (*user.User, error) { return r.patch(u, `{"active": false, "password": "another one 7"}`) }},
		{"a password", "user.password", true, func() (*user.User, error) {
			return r.ops.SetPassword(t.Context(), r.source, app, u.UUID, "something else")
		}},
		{"no password", "user.password", true, func() (*user.User, error) { return r.patch(u, `{"password": null}`) }},
		{"verified", "user.update", false, func() (*user.User, error) {
			return r.ops.VerifyEmail(t.Context(), r.source, app, u.UUID, "b@example.com")
		}},
	} {
		before := r.known(u)
		after, err := test.do()
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		ended := r.endings()
		if (after.Era != before.Era) != test.ends || (len(ended) == 1 && ended[0] == app+" "+u.UUID) != test.ends {
			t.Errorf("%s: era %d, was %d; ended %v", test.name, after.Era, before.Era, ended)
		}
		if got := r.event().Action; got != test.action {
			t.Errorf("%s is %s", test.name, got)
		}
		if r.known(u).Era != after.Era {
			t.Errorf("%s: the registry has another era", test.name)
		}
	}
	_, err := r.ops.VerifyEmail(t.Context(), r.source, app, u.UUID, "old@example.com")
	r.wants(fault.Conflict, err)

	// Nothing of what is refused ends anything.
	if _, err := r.ops.SetPassword(t.Context(), r.source, app, u.UUID, "short"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a short password: %v", err)
	}
	if len(r.endings()) != 0 {
		t.Error("a refusal ended sessions")
	}
	if err := r.ops.Delete(t.Context(), r.source, app, u.UUID, nil); err != nil || len(r.endings()) != 1 {
		t.Errorf("deleted: %v", err)
	}
	if event := r.event(); event.Action != "user.delete" || event.After != nil || !strings.Contains(string(event.Before), "b@example.com") {
		t.Errorf("the deletion is %s %s", event.Action, event.Before)
	}
	_, err = r.users.Get(t.Context(), app, u.UUID)
	r.wants(fault.NotFound, err)
	r.wants(fault.NotFound, r.ops.Delete(t.Context(), r.source, app, u.UUID, nil))
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.made(`{"email": "ann@example.com", "password": "caf\u00e9 con leche"}`)
	for password, right := range map[string]bool{
		"caf\u00e9 con leche": true, "cafe\u0301 con leche": true, "Caf\u00e9 con leche": false, "": false, strings.Repeat("x", 5000): false,
	} {
		if got, err := u.HasPassword(t.Context(), r.keys, password); err != nil || got != right {
			t.Errorf("%q: %v, %v", password, got, err)
		}
	}
	if got, err := r.made(`{}`).HasPassword(t.Context(), r.keys, ""); got || err != nil {
		t.Errorf("somebody without a password has the empty one: %v", err)
	}
	if !strings.HasPrefix(u.PasswordHash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Error("the hash is not argon2id of 19 MiB and 2 passes")
	}
	// What is refused beside a password tells nothing of it, nor do the events.
	_, err := r.patch(u, `{"password": "`+good+`", "email": "no address"}`)
	r.wants(fault.Invalid, err)
	if strings.Contains(err.Error(), good) || strings.Contains(err.Error(), "no address") {
		t.Errorf("a value is in the refusal: %v", err)
	}
	r.patched(u, `{"password": "`+good+`"}`)
	events, _, err := r.db.Audit().Search(t.Context(), app, audit.Filter{Limit: 10})
	if err != nil || len(events) != 3 {
		t.Fatalf("%d events: %v", len(events), err)
	}
	for _, e := range events {
		if text := asJSON(t, e); strings.Contains(text, good) || strings.Contains(text, "argon2") {
			t.Errorf("an event has a password or its hash: %s", text)
		}
	}
	if text := asJSON(t, r.known(u).View()); strings.Contains(text, "argon2") {
		t.Errorf("the answer has the hash: %s", text)
	}
}

func TestPasswordPolicy(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		password, email string
		good            bool
	}{
		{"abcdefg", "", false},
		{"kzfmwqpx", "", true},
		{strings.Repeat("é", 8), "", false},
		{strings.Repeat("e\u0301", 4), "", false}, // 4 characters in NFC
		{strings.Repeat("ab", 128), "", true},
		{strings.Repeat("ab", 128) + "c", "", false},
		{strings.Repeat("aü\u4e16", 85), "", true},
		{"k\xffzfmwqpx", "", false},
		{"        ", "", false},
		{"Ann@Example.com", "ann@example.com", false},
		{"firstname.name", "Firstname.Name@example.com", false},
		{"firstname.nam", "Firstname.Name@example.com", true},
		{"Password123", "", false},
		{"qwertyuiop", "", false},
		{"aaaaaaaaaaaa", "", false},
	} {
		err := user.CheckPassword(test.password, test.email)
		if (err == nil) != test.good {
			t.Errorf("%q of %q: %v", test.password, test.email, err)
		}
		if f, _ := errors.AsType[*fault.Error](err); !test.good && (f == nil || f.Field != "password" || strings.Contains(f.Message, test.password)) {
			t.Errorf("%q: the refusal is %v", test.password, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for document, want := range map[string]string{
		`[]`:                     "",
		`{"name": 1, "uuid": 2}`: "name",
		`{"email": "a@b@c.d", "roles": ["x",""]}`: "email roles[1]",
		`{"email": "@example.com"}`:               "email",
		`{"email": "ann@"}`:                       "email",
		`{"email": "a b@example.com"}`:            "email",
		`{"email": "a\u0000@example.com"}`:        "email",
		`{"email": "a@example..com"}`:             "email",
		`{"email": 7, "active": "x", "roles": {}, "attributes": [], "password": 1, "email_verified": 0}`: "active attributes email email_verified password roles",
		`{"roles": ["a\tb", 7, "` + strings.Repeat("x", 101) + `"]}`:                                     "roles[1]",
		`{"roles": ["a\tb", "` + strings.Repeat("x", 101) + `"]}`:                                        "roles[0] roles[1]",
		`{"password": ""}`:         "password",
		`{"email_verified": true}`: "email_verified",
		`{"email": "ann.miller@example.com", "password": "ann.miller"}`: "password",
	} {
		_, err := r.create(document)
		problems, ok := errors.AsType[fault.Problems](err)
		if !ok {
			t.Errorf("%s: %v", document, err)
			continue
		}
		var fields []string
		for _, p := range problems {
			fields = append(fields, p.Field)
		}
		if got := strings.Join(fields, " "); got != want {
			t.Errorf("%s is refused for %q, want %q", document, got, want)
		}
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.made(`{}`)
	for role, may := range map[admin.Role]bool{admin.Owner: true, admin.Manager: true, admin.Developer: false, admin.Viewer: false, "": false} {
		ops := r.ops.By(role)
		_, created := ops.Create(t.Context(), r.source, app, user.Fields{})
		_, patched := ops.Patch(t.Context(), r.source, app, u.UUID, []byte(`{"roles": ["x"]}`), nil)
		deleted := ops.Delete(t.Context(), r.source, app, u.UUID, new(int64))
		for _, err := range []error{created, patched, deleted} {
			if denied := fault.KindOf(err) == fault.Denied; denied == may {
				t.Errorf("%s: %v", role, err)
			}
		}
	}
}

// A value that was read before a change is not remembered after it.
func TestRegistryVoids(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	u := r.made(`{"roles": ["a"]}`)
	if first := r.known(u); first != r.known(u) {
		t.Error("nothing is remembered")
	}
	_, err := r.db.Users().Change(context.Background(), app, u.UUID, func(u *user.User) (audit.Event, error) {
		u.Roles = []string{"b"}
		return audit.New(r.source, app, "x", "y", r.clock()), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.known(u).Roles[0]; got != "a" {
		t.Errorf("nothing is remembered: %s", got)
	}
	r.users.Void(app, u.UUID)
	if got := r.known(u).Roles[0]; got != "b" {
		t.Errorf("what was voided came back: %s", got)
	}
	found, err := r.users.ByEmail(t.Context(), app, "nobody@example.com")
	if found != nil {
		t.Error("somebody was found")
	}
	r.wants(fault.NotFound, err)
}
