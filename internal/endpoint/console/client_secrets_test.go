package console_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/servertest"
)

// works reports whether a client gets a token with a secret.
func (r *rig) works(id, secret string) bool {
	r.t.Helper()
	answer := r.Do(http.MethodPost, strings.TrimPrefix(r.Issuer, r.URL)+"/oauth2/token", id, secret, "application/x-www-form-urlencoded", "grant_type=client_credentials")
	return answer.StatusCode == http.StatusOK
}

func TestSecretsOfAClient(t *testing.T) {
	r := start(t, servertest.Options{Now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)})
	id, first := r.client(`"name":"Billing sync","kind":"service"`)
	page := r.at("/clients/" + id + "/secrets")
	r.get(page).shows(http.StatusOK, "no label", "…"+first[len(first)-4:], "Add a secret", "Retire").lacks("Reveal", first)
	refused := r.post(page, "label", strings.Repeat("x", 101), "expires_on", "tomorrow", "retire_others_in_hours", "many")
	refused.shows(http.StatusUnprocessableEntity, "Write a date", "whole number", `value="tomorrow"`, `value="many"`, `href="#field-expires_on">Works until the end of: Write a date`)
	r.post(page, "expires_on", "2020-01-01", "retire_others_in_hours", "169").
		shows(http.StatusUnprocessableEntity, `id="problem-expires_on"`, `id="problem-retire_others_in_hours"`)

	made := r.post(page, "label", "<b>east", "expires_on", r.Clock.Now().AddDate(0, 0, 3).Format(time.DateOnly)).
		shows(http.StatusOK, "does not come back", "The others work as before", "It expires on").lacks("<b>east")
	second := made.between(`data-download="`, `"`)
	if made.header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(second, "ost_cs_") || !r.works(id, first) || !r.works(id, second) {
		t.Errorf("the page may be kept, or a secret does not work: %v", made.header)
	}
	r.get(page).shows(http.StatusOK, "&lt;b&gt;east", "in 3 days").lacks("<b>east", second)

	r.get(page+"/regenerate").shows(http.StatusOK, "These work now", "The secret that ends in …"+first[len(first)-4:]+": ",
		"The secret “&lt;b&gt;east”, which ends in …"+second[len(second)-4:]+": ", "The old ones work for").lacks("<b>east")
	r.post(page+"/regenerate", "retire_others_in_hours", "7").shows(http.StatusUnprocessableEntity, "Choose how long")
	third := r.post(page+"/regenerate", "retire_others_in_hours", "1").shows(http.StatusOK, "The others work until").between(`data-download="`, `"`)
	if !r.works(id, first) || !r.works(id, third) {
		t.Error("within the hour the old one works, and so does the new one")
	}
	r.Clock.Advance(time.Hour)
	if r.works(id, first) || r.works(id, second) || !r.works(id, third) {
		t.Error("after the hour the new one alone works")
	}
	fourth := r.post(page+"/regenerate", "retire_others_in_hours", "0").shows(http.StatusOK, "The others are dead").between(`data-download="`, `"`)
	if r.works(id, third) || !r.works(id, fourth) {
		t.Error("the old one works on")
	}
	// To end the others at once is asked about, and names them.
	r.post(page, "label", "west", "retire_others_in_hours", "0").
		shows(http.StatusOK, "end the others now?", "The secret that ends in …"+fourth[len(fourth)-4:]+": ", `name="label" value="west"`)
	if !r.works(id, fourth) {
		t.Error("the question alone ends the others")
	}
	fifth := r.post(page, "label", "west", "retire_others_in_hours", "0", "sure", "yes").shows(http.StatusOK, "The others are dead").between(`data-download="`, `"`)
	if r.works(id, fourth) || !r.works(id, fifth) {
		t.Error("the others work on")
	}
	for range 9 {
		r.post(page).shows(http.StatusOK)
	}
	r.get(page).shows(http.StatusOK, "as many as it may have").lacks(`id="field-label"`)
	r.post(page).shows(http.StatusConflict, "retire one first")
	r.post(page+"/regenerate", "retire_others_in_hours", "1").shows(http.StatusConflict, "retire one first")
}

func TestRetireASecret(t *testing.T) {
	r := start(t, servertest.Options{})
	id, secret := r.client(`"name":"Billing sync","kind":"service"`)
	page := r.at("/clients/" + id + "/secrets")
	retire := r.get(page).between(`class="button small danger" href="`+page, `"`)
	r.get(page+retire).shows(http.StatusOK, "It was never used", "It is the only one that works")
	viewer := r.as(admin.Viewer)
	viewer.get(page).shows(http.StatusOK, "no label").lacks("Retire", "Regenerate", "Add a secret")
	for _, path := range []string{"", "/regenerate", retire} {
		viewer.post(page + path).shows(http.StatusForbidden)
	}
	developer := r.as(admin.Developer) // of others' clients
	developer.get(page).shows(http.StatusOK).lacks("Retire", "Regenerate", "Add a secret")
	developer.get(page + retire).shows(http.StatusForbidden)
	developer.post(page + retire).shows(http.StatusForbidden)
	developer.post(page+"/regenerate", "retire_others_in_hours", "0").shows(http.StatusForbidden)
	if !r.works(id, secret) {
		t.Fatal("it does not work")
	}
	r.post(page + retire).shows(http.StatusSeeOther)
	if r.works(id, secret) {
		t.Error("it works on")
	}
	r.get(page).shows(http.StatusOK, "There is no secret")
	r.post(page + retire).shows(http.StatusNotFound)
}

func TestRevealASecret(t *testing.T) {
	r := start(t, servertest.Options{Settings: []string{"secret_policy=revealable"}})
	id, secret := r.client(`"name":"Billing sync","kind":"service"`)
	page := r.at("/clients/" + id + "/secrets")
	reveal := page + r.get(page).shows(http.StatusOK, "an owner can look").lacks(secret).between(`<form method="post" action="`+page, `"`)
	r.post(reveal).shows(http.StatusOK, secret, "in the audit log").lacks("does not come back")
	r.post(page, "label", "another").shows(http.StatusOK, "can look at it again", "The others work as before").lacks("does not come back")
	r.get(reveal).shows(http.StatusMethodNotAllowed)
	manager := r.as(admin.Manager)
	manager.get(page).shows(http.StatusOK, "Retire").lacks("Reveal<")
	manager.post(reveal).shows(http.StatusForbidden).lacks(secret)
	r.get(r.at("/clients/"+id+"/activity")).shows(http.StatusOK, "client.secret.reveal")
}

func TestClientsWithoutSecrets(t *testing.T) {
	r := start(t, servertest.Options{})
	for kind, why := range map[string]string{"spa": "in a browser", "native": "insists on a secret"} {
		id, _ := r.client(`"name":"Public ` + kind + `","kind":"` + kind + `"`)
		page := r.at("/clients/" + id + "/secrets")
		if kind == "native" { // what the page speaks of is there
			label := r.get(page).between("tick “", "”")
			r.get(r.at("/clients/"+id)).shows(http.StatusOK, "<span>"+label+"<")
		}
		r.get(page).shows(http.StatusOK, "This client has no secret", why).lacks("Add a secret", "Regenerate")
		r.get(page + "/regenerate").shows(http.StatusConflict)
		r.post(page).shows(http.StatusConflict)
	}
}

// A page that shows a secret may be loaded again, which sends its form again.
func TestASecretIsMadeOnceByAForm(t *testing.T) {
	r := start(t, servertest.Options{})
	id, first := r.client(`"name":"Billing sync","kind":"service"`)
	page := r.at("/clients/" + id + "/secrets")
	const already = "No secret was made"
	form := r.get(page).revision()
	second := r.post(page, "revision", form, "label", "east").shows(http.StatusOK, "does not come back").between(`data-download="`, `"`)
	r.post(page, "revision", form, "label", "east").shows(http.StatusConflict, already, `value="east"`).lacks("does not come back")

	form = r.get(page + "/regenerate").revision()
	third := r.post(page+"/regenerate", "revision", form, "retire_others_in_hours", "0").shows(http.StatusOK, "The others are dead").between(`data-download="`, `"`)
	again := r.post(page+"/regenerate", "revision", form, "retire_others_in_hours", "0").shows(http.StatusConflict, already, third[len(third)-4:])
	if r.works(id, first) || r.works(id, second) || !r.works(id, third) {
		t.Error("the secret that was shown does not work alone")
	}

	form = again.revision()
	sure := r.post(page, "revision", form, "retire_others_in_hours", "0").shows(http.StatusOK, "end the others now?").revision()
	r.post(page, "revision", sure, "retire_others_in_hours", "0", "sure", "yes").shows(http.StatusOK, "The others are dead")
	r.post(page, "revision", sure, "retire_others_in_hours", "0", "sure", "yes").shows(http.StatusConflict, already)
}
