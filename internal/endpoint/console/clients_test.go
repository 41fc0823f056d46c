package console_test

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/servertest"
)

// following gives the path of the next page of a list.
func (a *answer) following() string {
	a.t.Helper()
	link := regexp.MustCompile(`href="([^"]+)" rel="next"`).FindStringSubmatch(a.body)
	if link == nil {
		a.t.Fatalf("there is no next page:\n%s", a.body)
	}
	return html.UnescapeString(link[1])
}

// A page on which nothing was found is not the end of the list.
func TestClientsYetToBeLookedAt(t *testing.T) {
	r := start(t, servertest.Options{})
	for i := range 151 { // one more than a search by the beginning of a name looks at
		r.client(fmt.Sprintf(`"name":"zebra %03d","kind":"service"`, i))
	}
	r.client(`"name":"zz last","kind":"spa"`)
	page := r.get(r.at("/clients?q=z&kind=spa")).shows(http.StatusOK, "None among those that were looked at", "Next page").lacks("No API client is like that")
	r.get(page.following()).shows(http.StatusOK, ">zz last<").lacks("Next page")
	r.get(r.at("/clients?q=y")).shows(http.StatusOK, `placeholder="name, id or description"`, "No API client is like that", "at the beginning of names")
	r.get(r.at("/clients?q=no+such")).shows(http.StatusOK, "No API client is like that").lacks("at the beginning of names")
}

// secret adds a secret to a client that expires after some time.
func (r *rig) secret(id string, after time.Duration) {
	r.t.Helper()
	document := `{"label":"l","expires_at":"` + r.Clock.Now().Add(after).Format(time.RFC3339) + `"}`
	answer := r.Do(http.MethodPost, "/api/v1/applications/"+r.ApplicationID+"/clients/"+id+"/secrets", r.OwnerID, r.OwnerSecret, "application/json", document)
	if answer.StatusCode != http.StatusCreated {
		r.t.Fatal(answer.StatusCode)
	}
}

// Every secret that is about to expire can be got at, however many do.
func TestClientsWhoseSecretsExpire(t *testing.T) {
	const day = 24 * time.Hour
	r := start(t, servertest.Options{})
	for i, after := range []time.Duration{9 * day, 8 * day, 7 * day, 6 * day, 5 * day, 4 * day, 40 * day} {
		id, _ := r.client(fmt.Sprintf(`"name":"Client %d","kind":"service"`, i))
		r.secret(id, after)
	}
	overview := r.get(r.at("/overview")).shows(http.StatusOK, ">Client 5 …", ">Client 1 …", ">All of them<").lacks(">Client 0 ", ">Client 6 ")
	all := html.UnescapeString(regexp.MustCompile(`href="([^"]+)">All of them<`).FindStringSubmatch(overview.body)[1])
	list := r.get(all).shows(http.StatusOK, ">Client 0</bdi>").lacks(">Client 6<", "First owner")
	if strings.Index(list.body, ">Client 5<") > strings.Index(list.body, ">Client 0<") {
		t.Error("what expires first does not come first")
	}
	r.get(r.at("/clients?expiring=30&q=client+3")).shows(http.StatusOK, ">Client 3<").lacks(">Client 2<")
	for _, other := range []string{"&unused=90", "&active=false"} {
		r.get(r.at("/clients?expiring=30"+other)).shows(http.StatusOK, "No API client is like that")
	}

	// Those of another application that expire before are not taken for all of them.
	elsewhere := &client.Client{ApplicationID: "elsewhere", ID: "many", Name: "Many", Kind: client.Service, CreatedAt: r.Clock.Now(), UpdatedAt: r.Clock.Now()}
	for i := range 2000 { // what a page looks at
		elsewhere.Secrets = append(elsewhere.Secrets, client.Secret{
			ID: strconv.Itoa(i), Digest: []byte{1}, CreatedAt: r.Clock.Now(), ExpiresAt: r.Clock.Now().Add(time.Hour + time.Duration(i)*time.Second),
		})
	}
	event := audit.New(audit.System(), "elsewhere", "client.create", "client:many", r.Clock.Now())
	if err := r.App.Store.Clients().Create(t.Context(), elsewhere, client.NameAndVersion, event); err != nil {
		t.Fatal(err)
	}
	r.get(r.at("/overview")).shows(http.StatusOK, "There are more to look at", ">Look further<").lacks("no secret expires")
	r.get(r.get(all).shows(http.StatusOK, "None among those that were looked at").following()).shows(http.StatusOK, ">Client 0<", ">Client 5<").lacks(`rel="next"`)
}
