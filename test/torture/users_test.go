package torture_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/ostiary/ostiary/test/caller"
	"github.com/ostiary/ostiary/test/process"
)

// What the users here are, and the clients that act for them.
const (
	visitors = 16
	password = "a lamp in the hall"
	callback = "https://app.example/signed-in"
	// The example of RFC 7636, appendix B.
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// house is a server with users and the journal of what they, and the clients that
// act for them, were answered.
type house struct {
	t        *testing.T
	server   *process.Server
	owner    *caller.Caller
	clients  []*caller.Caller
	hearer   *hearer
	visitors []*visitor
	random   *rand.Rand
	figures  visits
}

// newHouse has a retry window that outlasts every round: whether an answer was
// lost is what is asked here, not how late.
func newHouse(t *testing.T, database string) *house {
	t.Helper()
	server := process.Found(t, database, "--set", "refresh_retry_window=3600")
	server.Flags = manyFailures
	server.Start()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	h := &house{t: t, server: server, owner: server.Owner(), hearer: newHearer(t), random: rand.New(rand.NewPCG(seed, 0))}
	for n := range 2 {
		made := h.make("/clients", map[string]any{
			"name": fmt.Sprintf("Client %d", n), "kind": "web", "redirect_uris": []string{callback}, "scopes": []string{"openid"},
			"grant_types": []string{"authorization_code", "refresh_token"}, "backchannel_logout_uri": h.hearer.url, "backchannel_logout_session_required": true,
		})
		h.clients = append(h.clients, h.owner.As(made["id"].(string), made["secret"].(string)))
	}
	for n := range visitors {
		email := fmt.Sprintf("visitor%d@example.com", n)
		made := h.make("/users", map[string]any{"email": email, "password": password})
		for _, c := range h.clients {
			h.make("/consents", map[string]any{"user_id": made["uuid"], "client_id": c.ID, "scopes": []string{"openid"}})
		}
		h.visitors = append(h.visitors, &visitor{house: h, email: email, random: rand.New(rand.NewPCG(seed, uint64(n)+1))})
	}
	return h
}

// make makes a record by the management API.
func (h *house) make(path string, document map[string]any) (made map[string]any) {
	h.t.Helper()
	body, err := json.Marshal(document)
	if err != nil {
		h.t.Fatal(err)
	}
	answer, err := h.owner.Do(h.t.Context(), http.MethodPost, "/api/v1/applications/"+h.owner.Application+path, "application/json", body)
	if err == nil {
		err = answer.Into(http.StatusCreated, &made)
	}
	if err != nil {
		h.t.Fatalf("make one of %s: %v", path, err)
	}
	return made
}

// examine compares the server with the journal: what was touched since the last
// time, or everything. Then it waits until the clients know of every session that
// ended.
func (h *house) examine(all bool) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	defer cancel()
	var wrong complaints
	var group sync.WaitGroup
	for _, v := range h.visitors {
		group.Go(func() {
			if err := v.examine(ctx, all); err != nil {
				wrong.add("%s: %v", v.email, err)
			}
		})
	}
	group.Wait()
	wrong.report(h.t)
	if h.t.Failed() {
		h.t.FailNow()
	}
	for _, v := range h.visitors {
		for _, s := range v.sessions {
			for _, end := range s.endings() {
				if err := h.hearer.await(ctx, end); err != nil {
					h.t.Fatal(err)
				}
			}
		}
	}
}

// killAmongUsers kills the server over and over while users come and go, and
// looks, after each restart on the same data, for what was acknowledged.
func killAmongUsers(t *testing.T, database string, rounds int) {
	t.Helper()
	h := newHouse(t, database)
	var steps []step
	for _, v := range h.visitors {
		steps = append(steps, v.step)
	}
	for range rounds {
		besiege(t, h.random, steps, h.figures.acknowledged, h.server.Kill)
		h.hearer.deaf.Store(false)
		h.server.Start()
		h.examine(false)
	}
	h.examine(true)
	h.report(rounds)
}

// report prints what was done. A run in which some kind of answer never came has
// shown nothing about it.
func (h *house) report(rounds int) {
	h.t.Helper()
	f, late := &h.figures, h.hearer.late()
	h.t.Logf("%d × kill -9 of the server: acknowledged %d sign-ins, %d codes, %d exchanges, %d refreshes, %d repeated ones, %d revocations, %d families that died of a theft, %d logouts; "+
		"%d requests without an answer; looked at %d sessions and %d families; none lost; %d ends of sessions told after a restart",
		rounds, f.signIns.Load(), f.codes.Load(), f.exchanges.Load(), f.refreshes.Load(), f.repeats.Load(), f.revoked.Load(), f.thefts.Load(), f.logouts.Load(),
		f.unknown.Load(), f.checkedSessions.Load(), f.checkedFamilies.Load(), late)
	for _, n := range []int64{
		f.signIns.Load(), f.codes.Load(), f.exchanges.Load(), f.refreshes.Load(), f.repeats.Load(), f.revoked.Load(), f.thefts.Load(), f.logouts.Load(), f.unknown.Load(), int64(late),
	} {
		if n == 0 {
			h.t.Error("one of these figures is 0: the run shows nothing about it")
		}
	}
}

func TestUsersSurviveKillOnSQLite(t *testing.T) {
	killAmongUsers(t, "", times(t, 10, 300))
}

func TestUsersSurviveKillOnPostgreSQL(t *testing.T) {
	killAmongUsers(t, process.NewCluster(t).Database(), times(t, 4, 60))
}
