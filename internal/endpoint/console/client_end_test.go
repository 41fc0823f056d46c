package console_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/servertest"
)

func TestDeactivateAClient(t *testing.T) {
	r := start(t, servertest.Options{})
	id, secret := r.client(`"name":"Billing sync","version":"2.1","kind":"service"`)
	token := r.token(id, secret)
	r.token(id, secret)
	at := r.at("/clients/" + id)
	r.get(at+"/deactivate").shows(http.StatusOK, "Deactivate Billing sync 2.1: 2 live tokens die now?", "sees it only when they expire: the last one on")
	for _, role := range []admin.Role{admin.Viewer, admin.Developer} {
		other := r.as(role)
		for _, path := range []string{"/deactivate", "/activate", "/delete"} {
			other.get(at + path).shows(http.StatusForbidden)
			other.post(at+path, "typed", "Billing sync").shows(http.StatusForbidden)
		}
		other.get(at + "/activity").shows(http.StatusOK).lacks(at + "/deactivate")
	}
	if !r.lives(token) {
		t.Fatal("the question alone deactivates")
	}
	r.post(at + "/deactivate").shows(http.StatusSeeOther)
	if r.lives(token) || r.works(id, secret) {
		t.Error("a token lives on, or it gets one")
	}
	r.get(at+"/activity").shows(http.StatusOK, at+"/activate", "inactive")
	r.get(at+"/deactivate").shows(http.StatusOK, "0 live tokens die now?")
	r.get(at+"/activate").shows(http.StatusOK, "stays dead")
	r.post(at + "/activate").shows(http.StatusSeeOther)
	if r.lives(token) || !r.works(id, secret) {
		t.Error("a token is revived, or it gets none")
	}
}

func TestDeleteAClient(t *testing.T) {
	r := start(t, servertest.Options{})
	id, secret := r.client(`"name":"Billing <sync>","kind":"service"`)
	token := r.token(id, secret)
	at := r.at("/clients/" + id)
	page := r.get(at+"/delete").shows(http.StatusOK, "Delete Billing &lt;sync&gt;: 1 live token dies now?", "<code>Billing &lt;sync&gt;</code>")
	revision := page.between(`name="revision" value="`, `"`)
	r.post(at+"/delete", "typed", "billing <sync>", "revision", revision).shows(http.StatusUnprocessableEntity, "to the letter")
	again := r.post(at+"/delete", "typed", "Billing <sync>", "revision", revision+"0").
		shows(http.StatusPreconditionFailed, "changed by somebody else", "Delete Billing &lt;sync&gt;: 1 live token dies now?")
	if again.revision() != revision {
		t.Errorf("asked again for revision %s", again.revision())
	}
	if !r.lives(token) {
		t.Fatal("it was deleted")
	}
	if a := r.post(at+"/delete", "typed", " Billing  <sync>", "revision", revision).shows(http.StatusSeeOther); a.location != r.at("/clients?done=deleted") {
		t.Errorf("it leads to %s", a.location)
	}
	if r.lives(token) {
		t.Error("a token lives on")
	}
	r.get(at + "/activity").shows(http.StatusNotFound)
	owner := r.at("/clients/" + r.OwnerID)
	r.get(owner).shows(http.StatusOK, "owner</code>, and cannot be deleted").lacks(owner + "/delete")
	r.get(owner+"/tokens").shows(http.StatusOK, "cannot be deleted").lacks(owner + "/delete")
	r.get(owner+"/delete").shows(http.StatusConflict, "cannot be deleted", "governs this application")
	r.post(owner+"/delete", "typed", "First owner").shows(http.StatusForbidden, "cannot be deleted")
}

func TestDeactivateManyClients(t *testing.T) {
	r := start(t, servertest.Options{})
	one, secret := r.client(`"name":"One","kind":"service"`)
	two, twosSecret := r.client(`"name":"Two <b>","version":"2","kind":"service"`)
	r.token(two, twosSecret)
	list := r.get(r.at("/clients")).shows(http.StatusOK, "Deactivate those ticked")
	if n := strings.Count(list.body, `name="client"`); n != 3 {
		t.Errorf("%d can be ticked", n)
	}
	developer := r.as(admin.Developer)
	developer.get(r.at("/clients")).shows(http.StatusOK, "Two").lacks(`name="client"`, "those ticked")
	developer.post(r.at("/deactivate"), "client", one, "sure", "yes").shows(http.StatusSeeOther)
	r.as(admin.Viewer).post(r.at("/deactivate"), "client", one, "sure", "yes").shows(http.StatusForbidden)
	r.post(r.at("/deactivate"), "client", one, "client", two, "client", "nobody", "client", "no/id").
		shows(http.StatusOK, "Deactivate 2 API clients?", "One: 0 live tokens die now", "Two &lt;b&gt; 2: 1 live token dies now")
	if !r.works(one, secret) {
		t.Error("it was deactivated by somebody else, or by the question")
	}
	// The filters of the list are kept, whatever comes of it.
	r.get(r.at("/clients?kind=service&q=Two+%3Cb")).shows(http.StatusOK, "/deactivate?q=Two&#43;%3Cb&amp;kind=service").lacks(one)
	r.post(r.at("/deactivate?q=Two+%3Cb&kind=service"), "client", two).
		shows(http.StatusOK, "/deactivate?q=Two&#43;%3Cb&amp;kind=service", "/clients?q=Two&#43;%3Cb&amp;kind=service")
	if a := r.post(r.at("/deactivate?q=Two+%3Cb&kind=service")).shows(http.StatusSeeOther); a.location != r.at("/clients?q=Two+%3Cb&kind=service&done=nothing") {
		t.Errorf("%s", a.location)
	}
	// A manager may not change the owner, which is guarded.
	a := r.as(admin.Manager).post(r.at("/deactivate"), "client", one, "client", two, "client", r.OwnerID, "sure", "yes").shows(http.StatusSeeOther)
	if !strings.HasSuffix(a.location, "done=some") || r.works(one, secret) || r.works(two, twosSecret) || !r.works(r.OwnerID, r.OwnerSecret) {
		t.Errorf("%s", a.location)
	}
}
