package torture_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/ostiary/ostiary/test/caller"
	"github.com/ostiary/ostiary/test/process"
)

// lives is how many live tokens a client has that loses them all at once.
const lives = 100_000

// holder is a client that is going to be deleted, with tokens whose texts are
// known; most of its tokens are rows only, copied from one of these.
type holder struct {
	caller *caller.Caller
	tokens []string
}

func makeHolder(t *testing.T, owner *caller.Caller, name string, tokens int) *holder {
	t.Helper()
	answer, err := owner.Config(t.Context(), http.MethodPost, "/clients", map[string]any{"name": name, "features": []string{"direct_access"}})
	if err != nil {
		t.Fatal(err)
	}
	var made caller.Client
	if err := answer.Into(http.StatusCreated, &made); err != nil {
		t.Fatal(err)
	}
	h := &holder{caller: owner.As(made.ID, made.Secret)}
	for range tokens {
		h.tokens = append(h.tokens, issueOne(t, h.caller))
	}
	return h
}

// multiply copies one of a client's families until it has as many as wanted.
// The server must not be running.
func multiply(t *testing.T, s *process.Server, h *holder, wanted int) {
	t.Helper()
	const columns = `application_id, client_id, client_era, grant_type, scopes, audience, format, salt, token_key,
		generation, issued_at, access_expires_at, revoked_at, revoked_for, removal_at, address`
	statement := `INSERT INTO family (id, ` + columns + `)
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
		SELECT substr(id, 1, 6) || randomblob(10), ` + columns + ` FROM n, (SELECT * FROM family WHERE client_id = $2 LIMIT 1)`
	if s.Database != "" {
		statement = `INSERT INTO family (id, ` + columns + `)
			SELECT substr(id, 1, 6) || substr(decode(md5(random()::text || i), 'hex'), 1, 10), ` + columns + `
			FROM generate_series(1, $1::int) AS i, (SELECT * FROM family WHERE client_id = $2 LIMIT 1) AS f`
	}
	s.Execute(t, statement, wanted-len(h.tokens), h.caller.ID)
	if n := families(t, s, h); n != int64(wanted) {
		t.Fatalf("the client has %d families; want %d", n, wanted)
	}
}

func families(t *testing.T, s *process.Server, h *holder) int64 {
	t.Helper()
	return s.Number(t, `SELECT count(*) FROM family WHERE client_id = $1`, h.caller.ID)
}

// active counts which of a client's tokens are active.
func (h *holder) active(t *testing.T, owner *caller.Caller) (n int) {
	t.Helper()
	for _, token := range h.tokens {
		answer, err := owner.Introspect(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		active, err := answer.Active()
		if err != nil {
			t.Fatal(err)
		}
		if active {
			n++
		}
	}
	return n
}

func (h *holder) delete(t *testing.T, owner *caller.Caller) time.Duration {
	t.Helper()
	begun := time.Now()
	answer, err := owner.Config(t.Context(), http.MethodDelete, "/clients/"+h.caller.ID, nil)
	took := time.Since(begun)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Into(http.StatusNoContent, nil); err != nil {
		t.Fatal(err)
	}
	return took
}

// loseMany deletes clients with 100,000 live tokens and clients with one: it
// takes as long, none of the tokens is active after, nor after a restart, and
// the rows go in the background.
func loseMany(t *testing.T, database string) {
	t.Helper()
	server := process.Found(t, database)
	server.Flags = manyFailures
	server.Start()
	owner := server.Owner()
	var few, many []*holder
	for n := range 5 {
		few = append(few, makeHolder(t, owner, fmt.Sprintf("One token %d", n), 1))
	}
	for n := range times(t, 2, 5) {
		many = append(many, makeHolder(t, owner, fmt.Sprintf("Many tokens %d", n), 50))
	}
	if status := server.Stop(); status != 0 {
		t.Fatalf("exit status %d", status)
	}
	for _, h := range many {
		multiply(t, server, h, lives)
	}
	server.Start()
	for _, h := range slices.Concat(few, many) {
		if n := h.active(t, owner); n != len(h.tokens) {
			t.Fatalf("%d of %d tokens are active before anything happened", n, len(h.tokens))
		}
	}
	withOne, withMany := deleteAll(t, owner, few), deleteAll(t, owner, many)
	// To delete 100,000 rows takes over half a second; the slack is for a
	// machine that does something else at that moment.
	if limit := 10*withOne + 100*time.Millisecond; withMany > limit {
		t.Errorf("to delete a client with %d live tokens took %s, with one %s", lives, withMany, withOne)
	}
	noneActive(t, owner, many, "after the answer")
	server.Kill()
	left := int64(0)
	for _, h := range many {
		left += families(t, server, h)
	}
	server.Start()
	noneActive(t, owner, many, "after kill -9 and a restart")
	swept := awaitSwept(t, server, slices.Concat(few, many))
	t.Logf("deleted with one live token in %s, with %d in %s; %d rows were left at a kill -9, and gone %s after the restart",
		withOne.Round(time.Microsecond), lives, withMany.Round(time.Microsecond), left, swept.Round(time.Millisecond))
}

// deleteAll gives the median.
func deleteAll(t *testing.T, owner *caller.Caller, holders []*holder) time.Duration {
	t.Helper()
	var took []time.Duration
	for _, h := range holders {
		took = append(took, h.delete(t, owner))
	}
	slices.Sort(took)
	return took[len(took)/2]
}

func noneActive(t *testing.T, owner *caller.Caller, holders []*holder, when string) {
	t.Helper()
	for _, h := range holders {
		if n := h.active(t, owner); n != 0 {
			t.Fatalf("%s, %d of %d tokens of a deleted client are active", when, n, len(h.tokens))
		}
		answer, err := h.caller.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Into(http.StatusUnauthorized, nil); err != nil {
			t.Fatalf("%s, a deleted client asked for a token: %v", when, err)
		}
	}
}

// awaitSwept waits until the background has removed every row.
func awaitSwept(t *testing.T, s *process.Server, holders []*holder) time.Duration {
	t.Helper()
	begun := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for _, h := range holders {
		for families(t, s, h) > 0 {
			select {
			case <-tick.C:
			case <-ctx.Done():
				t.Fatalf("%d rows of a deleted client are still there", families(t, s, h))
			}
		}
	}
	return time.Since(begun)
}

func TestLosingManyTokensOnSQLite(t *testing.T) { loseMany(t, "") }

func TestLosingManyTokensOnPostgreSQL(t *testing.T) { loseMany(t, process.NewCluster(t).Database()) }
