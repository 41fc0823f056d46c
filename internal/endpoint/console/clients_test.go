package console_test

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"testing"

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
	r.get(r.at("/clients?q=y")).shows(http.StatusOK, "No API client is like that")
}
