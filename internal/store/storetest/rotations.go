package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/core/user"
)

// familyOf makes a family of a user with something in every field.
func (e *Env) familyOf(c *client.Client, u *user.User) *token.Family {
	f := e.family(c)
	f.GrantType, f.Scopes = oauth.AuthorizationCode, []string{"openid", "a"}
	f.UserID, f.UserEra, f.SID = u.UUID, u.Era, "sid"
	f.Details = token.Details{
		RedirectURI: "https://app.example/cb", CodeChallenge: "x", Nonce: "n", AuthTime: 5, AMR: []string{"pwd", "otp"}, ACR: "2",
		Claims: &oauth.ClaimsRequest{IDToken: map[string]oauth.ClaimRequest{"email": {Essential: true}}},
	}
	return f
}

// rotated is the family as the next exchange leaves it.
func (e *Env) rotated(f *token.Family) *token.Family {
	next := *f
	next.Generation++
	next.AccessIssuedAt, next.AccessExpiresAt, next.Address = e.Now.Add(time.Second), e.Now.Add(2*time.Hour), "192.0.2.2"
	next.RefreshGeneration, next.RotatedFrom, next.RotatedAt, next.Refreshes = next.Generation, f.RefreshGeneration, e.Now, f.Refreshes+1
	next.RefreshExpiresAt, next.FamilyExpiresAt = e.Now.Add(24*time.Hour), e.Now.Add(48*time.Hour)
	next.Latest = token.Latest{AskedScopes: []string{"a"}, Scopes: []string{"a"}, AskedResources: []string{"x"}, Audience: []string{"x"}, Outlives: 9}
	return &next
}

func testRotations(e *Env) {
	ctx, tokens := e.Context(), e.DB.Tokens()
	c, u := e.created("Web"), e.users("rotating@example.com")[0]
	f := e.minted(e.familyOf(c, u))
	next := e.rotated(f)
	for i, want := range []bool{true, false} { // the second time it is not what it was
		rotated, died, err := tokens.Rotate(ctx, next)
		e.must(err)
		if rotated != want || len(died) > 0 {
			e.Fatalf("time %d: rotated %v", i, rotated)
		}
	}
	got, err := tokens.Get(ctx, appID, f.ID)
	e.must(err)
	e.same(got, next)

	// Of many at once on each of a few families one succeeds, beside new ones.
	families := []*token.Family{next}
	for range 7 {
		families = append(families, e.minted(e.familyOf(c, u)))
	}
	const many = 160
	won := make([]bool, many)
	errs := together(many, func(i int) (err error) {
		switch i % 4 {
		case 0:
			_, err = tokens.Mint(context.Background(), e.family(c))
		case 1:
			_, err = tokens.Mint(context.Background(), e.familyOf(c, u))
		default:
			won[i], _, err = tokens.Rotate(context.Background(), e.rotated(families[i/4%len(families)]))
		}
		return err
	})
	e.must(errors.Join(errs...))
	n := 0
	for _, w := range won {
		if w {
			n++
		}
	}
	if n != len(families) {
		e.Fatalf("%d rotations of %d families", n, len(families))
	}

	// One that is revoked is not rotated.
	_, err = tokens.Revoke(ctx, appID, f.ID, "revoked", e.event("token.revoke"))
	e.must(err)
	rotated, _, err := tokens.Rotate(ctx, e.rotated(e.rotated(next)))
	e.must(err)
	if rotated {
		e.Fatal("a revoked family was rotated")
	}
}

// testUsersFamilies: they are listed by their user, die with him at once, and are
// swept.
func testUsersFamilies(e *Env) {
	ctx, tokens := e.Context(), e.DB.Tokens()
	c, people := e.created("Web"), e.users("one@example.com", "two@example.com")
	for range 30 {
		e.minted(e.familyOf(c, people[0]))
		e.minted(e.familyOf(c, people[1]))
		e.minted(e.family(c))
	}
	live := func(u *user.User) int {
		e.Helper()
		page, err := tokens.List(ctx, appID, token.Query{Selection: token.Selection{UserID: u.UUID}, State: token.Live, Limit: 100, Now: e.Now})
		e.must(err)
		for _, f := range page.Families {
			if f.UserID != u.UUID {
				e.Fatal("a family of somebody else")
			}
		}
		return len(page.Families)
	}
	if a, b := live(people[0]), live(people[1]); a != 30 || b != 30 {
		e.Fatalf("%d and %d are live, want 30 each", a, b)
	}
	_, err := e.changeUser(people[0].UUID, func(u *user.User) { u.Era++ })
	e.must(err)
	e.must(e.DB.Users().Delete(ctx, appID, people[1].UUID, func(*user.User) (audit.Event, error) { return e.event("user.delete"), nil }))
	if a, b := live(people[0]), live(people[1]); a != 0 || b != 0 {
		e.Fatalf("%d and %d are live of users whose era is over", a, b)
	}
	removed := 0
	for range 20 {
		n, err := tokens.RemoveDead(ctx, e.Now, 7)
		e.must(err)
		if n > 7 {
			e.Fatalf("%d removed in a step of 7", n)
		}
		removed += n
	}
	if removed != 60 {
		e.Fatalf("%d removed, want 60", removed)
	}
	_, err = e.DB.Users().Get(ctx, appID, people[1].UUID)
	e.wants(fault.NotFound, err)
}
