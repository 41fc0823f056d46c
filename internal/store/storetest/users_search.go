package storetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ostiary/ostiary/internal/core/user"
)

// pagesOfUsers walks a list, a page at a time, and gives the numbers of those
// that it finds, as their addresses have them.
func (e *Env) pagesOfUsers(q user.Search) (found []string) {
	e.Helper()
	for range 10_000 {
		list, next, err := e.DB.Users().Search(e.Context(), appID, q)
		e.must(err)
		if len(list) > q.Limit {
			e.Fatalf("a page of %d has %d", q.Limit, len(list))
		}
		for _, u := range list {
			local, _, _ := strings.Cut(u.Email, "@")
			found = append(found, local)
		}
		if next == (user.Place{}) {
			return found
		}
		q.After = next
	}
	e.Fatal("the list does not end")
	return nil
}

func testUserSearch(e *Env) {
	const n = 2600 // more than one request reads
	for i := range n {
		u := e.user(fmt.Sprintf("u%04d@example.com", i))
		u.Inactive = i%3 == 0
		u.Attributes = user.Attributes{"givenName": fmt.Sprint("Ann", i%2), "familyName": "Lee", "displayName": "Ann Lee"}
		if i == n-1 {
			u.Roles, u.Attributes["familyName"] = []string{"rare", "clerk"}, "Straße Élan"
		} else if i%2 == 0 {
			u.Roles = []string{"clerk"}
		}
		e.must(e.DB.Users().Create(e.Context(), u, e.event("user.create")))
	}
	other := e.user("u0000@example.com")
	other.ApplicationID = "other"
	e.must(e.DB.Users().Create(e.Context(), other, e.event("user.create")))
	yes, no := true, false
	for _, test := range []struct {
		q     user.Search
		match func(i int) bool
	}{
		{user.Search{}, func(int) bool { return true }},
		{user.Search{Active: &no}, func(i int) bool { return i%3 == 0 }},
		{user.Search{Active: &yes}, func(i int) bool { return i%3 != 0 }},
		{user.Search{Role: "clerk"}, func(i int) bool { return i%2 == 0 || i == n-1 }},
		{user.Search{Role: "rare"}, func(i int) bool { return i == n-1 }},
		{user.Search{Role: "clerk", Active: &no}, func(i int) bool { return i%6 == 0 || i == n-1 && i%3 == 0 }},
		{user.Search{Role: "none"}, func(int) bool { return false }},
		{user.Search{Text: "ann"}, func(int) bool { return true }}, // each once, though each has two words of it
		{user.Search{Text: "ANN1 le"}, func(i int) bool { return i%2 == 1 }},
		{user.Search{Text: "u000"}, func(i int) bool { return i < 10 }},
		{user.Search{Text: "u0001@example.com"}, func(i int) bool { return i == 1 }},
		{user.Search{Text: "example lee", Role: "rare"}, func(i int) bool { return i == n-1 }},
		{user.Search{Text: "strasse"}, func(i int) bool { return i == n-1 }},
		{user.Search{Text: "e\u0301LAN"}, func(i int) bool { return i == n-1 }},
		{user.Search{Text: "u%"}, func(int) bool { return false }},
		{user.Search{Text: "\x00"}, func(int) bool { return false }},
		{user.Search{Text: other.UUID}, func(int) bool { return false }},
	} {
		var want []string
		for i := range n {
			if test.match(i) {
				want = append(want, fmt.Sprintf("u%04d", i))
			}
		}
		for _, limit := range []int{199, 2} {
			if limit == 2 && len(want) > 20 {
				continue
			}
			test.q.Limit = limit
			got := e.pagesOfUsers(test.q)
			if test.q.Text == "" && !slices.IsSorted(got) {
				e.Fatalf("%+v is not in the order of creation", test.q)
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				e.Fatalf("%+v finds %d users, want %d: %.200v", test.q, len(got), len(want), got)
			}
		}
	}
	e.sameUserIndex(n - 1)
}

// sameUserIndex changes and deletes a user, and wants it found by what it has
// now and by nothing else.
func (e *Env) sameUserIndex(i int) {
	e.Helper()
	u, err := e.DB.Users().ByEmail(e.Context(), appID, fmt.Sprintf("u%04d@example.com", i))
	e.must(err)
	_, err = e.changeUser(u.UUID, func(u *user.User) {
		u.Email, u.Attributes, u.Roles = "moved@example.org", user.Attributes{"displayName": "Zoë"}, []string{"seldom"}
	})
	e.must(err)
	for _, q := range []user.Search{{Text: "strasse"}, {Text: fmt.Sprintf("u%04d", i)}, {Role: "rare"}} {
		q.Limit = 5
		if got := e.pagesOfUsers(q); len(got) != 0 {
			e.Fatalf("%+v finds %v by what it had", q, got)
		}
	}
	now := []user.Search{{Text: "zoe\u0308"}, {Text: "moved"}, {Text: "example.org"}, {Text: u.UUID[:9]}, {Role: "seldom"}}
	for _, q := range now {
		q.Limit = 5
		if got := e.pagesOfUsers(q); !slices.Equal(got, []string{"moved"}) {
			e.Fatalf("%+v finds %v", q, got)
		}
	}
	e.must(e.deleteUser(u.UUID))
	for _, q := range now {
		q.Limit = 5
		if got := e.pagesOfUsers(q); len(got) != 0 {
			e.Fatalf("%+v finds %v, who is deleted", q, got)
		}
	}
}
