package configapi_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// renew replaces a client's secret.
func (r *rig) renew(c creds, hours int) creds {
	r.t.Helper()
	a := r.ask("PUT", r.clientPath(c.id)+"/secret", fmt.Sprintf(`{"hoursToLive": %d}`, hours))
	secret, _ := a.object(r.t)["_secret"].(string)
	if a.status != 200 || !madeID.MatchString(secret) {
		r.t.Fatalf("%d %s", a.status, a.text)
	}
	return creds{c.id, secret}
}

func TestReplaceSecret(t *testing.T) {
	r := newRig(t)
	first := r.create(`{"name":"Rotating","features":["direct_access"],"ipWhitelist":["0.0.0.0/0"]}`)
	a := r.ask("PUT", r.clientPath(first.id)+"/secret", `{"hoursToLive":5,"_x":1,"other":"ignored"}`)
	second := creds{first.id, a.object(t)["_secret"].(string)}
	if want := r.shape(first.id, `"Rotating"`, `["0.0.0.0/0"]`, `"`+second.secret+`"`, `["direct_access"]`); a.status != 200 || a.text != want {
		t.Errorf("%d %s\nwant %s", a.status, a.text, want)
	}
	r.clock.Advance(5*time.Hour - time.Second)
	if !r.works(first) || !r.works(second) {
		t.Error("within the five hours both work")
	}
	r.clock.Advance(2 * time.Second)
	if r.works(first) || !r.works(second) {
		t.Error("after the five hours only the new one works")
	}
	r.clock.Advance(1000 * time.Hour)
	if !r.works(second) {
		t.Error("the new one expires")
	}
	e := r.events()[0]
	if e.Action != "client.secret.replace" || e.Object != "client:"+first.id || e.Actor != "client:"+r.owner.id {
		t.Errorf("event %+v", e)
	}
	for _, part := range []string{first.secret[28:], second.secret[28:], "digest", "hint"} {
		if strings.Contains(string(e.Before)+string(e.After), part) {
			t.Errorf("the event has %q", part)
		}
	}
}

func TestHoursToLiveAtItsEnds(t *testing.T) {
	r := newRig(t)
	first := r.create(`{"name":"Ends"}`)
	second := r.renew(first, 0)
	if r.works(first) || !r.works(second) {
		t.Error("0 kills the old one at once")
	}
	third := r.renew(second, 168)
	r.clock.Advance(168*time.Hour - time.Second)
	if !r.works(second) || !r.works(third) {
		t.Error("168 hours are a week")
	}
	r.clock.Advance(time.Second)
	if r.works(second) || !r.works(third) {
		t.Error("a week is over")
	}
	if a := r.ask("PUT", r.clientPath(first.id)+"/secret", `{"hoursToLive":-0}`); a.status != 200 {
		t.Errorf("-0 is 0: %d %s", a.status, a.text)
	}
}

// A replacement caps the expiry of every other live secret, and lengthens none.
func TestEveryOtherSecretIsCapped(t *testing.T) {
	r := newRig(t)
	first := r.create(`{"name":"Overlapping"}`)
	second := r.renew(first, 2)  // first: 2 h
	third := r.renew(second, 10) // first: 2 h still; second: 10 h
	r.clock.Advance(2*time.Hour + time.Second)
	if r.works(first) || !r.works(second) || !r.works(third) {
		t.Error("the second replacement lengthened the life of the first secret")
	}
	fourth := r.renew(third, 1) // second: 1 h instead of 8; third: 1 h
	r.clock.Advance(time.Hour + time.Second)
	if r.works(second) || r.works(third) || !r.works(fourth) {
		t.Error("the third replacement did not cap both")
	}
	fifth := r.renew(fourth, 100)
	sixth := r.renew(fifth, 0)
	if r.works(fourth) || r.works(fifth) || !r.works(sixth) {
		t.Error("0 did not kill all others")
	}
}

// A client holds ten secrets at most: the one that would expire soonest goes.
func TestTenSecretsAtMost(t *testing.T) {
	r := newRig(t)
	secrets := []creds{r.create(`{"name":"Many"}`)}
	for i := range 9 {
		secrets = append(secrets, r.renew(secrets[i], 100+i)) // each lives an hour longer than the one before
	}
	if n := len(r.stored(secrets[0].id).Secrets); n != 10 {
		t.Fatalf("%d secrets", n)
	}
	dropped := r.stored(secrets[0].id).Secrets[0].ID
	secrets = append(secrets, r.renew(secrets[9], 168))
	c := r.stored(secrets[0].id)
	if len(c.Secrets) != 10 || slices.ContainsFunc(c.Secrets, func(s client.Secret) bool { return s.ID == dropped }) {
		t.Errorf("%d secrets", len(c.Secrets))
	}
	if r.works(secrets[0]) || !r.works(secrets[1]) || !r.works(secrets[10]) {
		t.Error("another than the first went")
	}
	if e := r.events()[0]; !strings.Contains(string(e.Before), dropped) || strings.Contains(string(e.After), dropped) {
		t.Errorf("the event does not tell: %s", e.After)
	}
	// Ends equal: the oldest goes.
	secrets = append(secrets, r.renew(secrets[10], 1))
	if r.works(secrets[1]) || !r.works(secrets[2]) {
		t.Error("of equal ends the oldest goes first")
	}
}

// The caller's own secret may be replaced too.
func TestAnOwnerRenewsItself(t *testing.T) {
	r := newRig(t)
	before := r.owner
	r.owner = r.renew(r.owner, 1)
	if !r.works(before) || !r.works(r.owner) {
		t.Error("both work within the hour")
	}
}

// reveals gives the events of looks at stored secrets.
func (r *rig) reveals() []audit.Event {
	return slices.DeleteFunc(r.events(), func(e audit.Event) bool { return e.Action != "client.secret.reveal" })
}

func TestRevealable(t *testing.T) {
	r := newRig(t, "secret_policy=revealable")
	made := r.create(`{"name":"Shown"}`)
	shown := r.shape(made.id, `"Shown"`, `["0.0.0.0/0"]`, `"`+made.secret+`"`, `[]`)
	if a := r.ask("GET", r.clientPath(made.id), ""); a.text != shown {
		t.Errorf("GET: %s", a.text)
	}
	events := r.reveals()
	if len(events) != 1 || events[0].Object != "client:"+made.id || events[0].Actor != "client:"+r.owner.id ||
		!strings.Contains(string(events[0].After), r.stored(made.id).Secrets[0].ID) || strings.Contains(string(events[0].After), made.secret) {
		t.Errorf("events %+v", events)
	}
	for _, edit := range []struct{ method, body string }{{"PUT", `{"name":"Shown"}`}, {"PATCH", `{}`}} {
		if a := r.ask(edit.method, r.clientPath(made.id), edit.body); a.text != shown {
			t.Errorf("%s: %s", edit.method, a.text)
		}
		var after struct {
			Shown string `json:"secret_shown"`
		}
		if e := r.events()[0]; e.Action != "client.update" || json.Unmarshal(e.After, &after) != nil || after.Shown != r.stored(made.id).Secrets[0].ID {
			t.Errorf("%s: the event does not say that the secret was shown: %s", edit.method, e.After)
		}
	}
	renewed := r.renew(made, 100)
	if a := r.ask("GET", r.clientPath(made.id), ""); a.object(t)["_secret"] != renewed.secret {
		t.Errorf("not the newest one: %s", a.text)
	}
	if n := len(r.reveals()); n != 2 {
		t.Errorf("%d looks", n)
	}
	if got := r.ask("GET", r.clientPath(made.id), ""); r.ask("PUT", r.clientPath(made.id), got.text).text != got.text {
		t.Error("what was got cannot be put back")
	}
}

func TestRevealableList(t *testing.T) {
	r := newRig(t, "secret_policy=revealable")
	a, b := r.create(`{"name":"A","features":["direct_access"]}`), r.create(`{"name":"B","features":["direct_access"]}`)
	list := r.ask("GET", r.path("/clients?has_feature=direct_access"), "")
	if !strings.Contains(list.text, a.secret) || !strings.Contains(list.text, b.secret) {
		t.Errorf("listed %s", list.text)
	}
	events := r.reveals()
	if len(events) != 1 || strings.Count(string(events[0].After), `"secret":`) != 2 || !strings.Contains(string(events[0].After), b.id) ||
		strings.Contains(string(events[0].After), b.secret) {
		t.Fatalf("one event names what was shown: %+v", events)
	}
	if r.ask("GET", r.path("/clients?has_feature=login_client"), ""); len(r.reveals()) != 1 {
		t.Error("an empty list is a look")
	}
	for i := range 110 {
		r.create(fmt.Sprintf(`{"name":"Client %d"}`, i))
	}
	r.ask("GET", r.path("/clients"), "")
	if events = r.reveals(); len(events) != 2 || string(events[0].After) != `{"all":true}` {
		t.Errorf("a long list is one event: %+v", events[0])
	}
}

// The policy decides, and the day on which a secret was made.
func TestPolicyChanges(t *testing.T) {
	r := newRig(t)
	made := r.create(`{"name":"Made under once"}`)
	_, err := r.apps.Change(t.Context(), r.app, settingsChange(r, "revealable"))
	if err != nil {
		t.Fatal(err)
	}
	if a := r.ask("GET", r.clientPath(made.id), ""); a.object(t)["_secret"] != nil {
		t.Errorf("what was not kept is shown: %s", a.text)
	}
	made = r.renew(made, 168)
	if a := r.ask("GET", r.clientPath(made.id), ""); a.object(t)["_secret"] != made.secret {
		t.Errorf("what is kept is not shown: %s", a.text)
	}
	if _, err := r.apps.Change(t.Context(), r.app, settingsChange(r, "once")); err != nil {
		t.Fatal(err)
	}
	looks := len(r.reveals())
	if a := r.ask("GET", r.clientPath(made.id), ""); a.object(t)["_secret"] != nil || len(r.reveals()) != looks {
		t.Errorf("under once a secret is shown: %s", a.text)
	}
	app, err := r.apps.Get(t.Context(), r.app)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.ops.Reveal(t.Context(), audit.System(), app, made.id, r.stored(made.id).Secrets[1].ID); fault.KindOf(err) != fault.Conflict {
		t.Errorf("Reveal under once: %v", err)
	}
}

func TestReveal(t *testing.T) {
	r := newRig(t, "secret_policy=revealable")
	made := r.create(`{"name":"Looked at"}`)
	r.renew(made, 24)
	app, err := r.apps.Get(t.Context(), r.app)
	if err != nil {
		t.Fatal(err)
	}
	text, err := r.ops.Reveal(t.Context(), audit.Source{Actor: "admin:a@example.com"}, app, made.id, r.stored(made.id).Secrets[0].ID)
	if err != nil || text != made.secret {
		t.Errorf("%v", err)
	}
	if events := r.reveals(); len(events) != 1 || events[0].Actor != "admin:a@example.com" {
		t.Errorf("events %+v", events)
	}
	if _, err := r.ops.Reveal(t.Context(), audit.System(), app, made.id, "none"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a secret that is not there: %v", err)
	}
}
