package torture_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/ostiary/ostiary/test/caller"
	"github.com/ostiary/ostiary/test/process"
)

// creators is how many ask for one name at the same time.
const creators = 64

// contend has 64 creations of one name under way at once, in spellings that
// are one name to the server: one succeeds, 63 are told that it is in use.
func contend(t *testing.T, database string) {
	t.Helper()
	server := process.Found(t, database)
	server.Start()
	owner := server.Owner()
	rounds := times(t, 20, 200)
	for round := range rounds {
		name := fmt.Sprintf("Contended name %d", round)
		var wrong complaints
		made := make(chan string, creators)
		var gate, group sync.WaitGroup
		gate.Add(1)
		for n := range creators {
			group.Go(func() {
				gate.Wait()
				sent := name
				if n%2 == 1 {
					sent = strings.ToUpper(name)
				}
				id, err := createOrConflict(t, owner, sent)
				if err != nil {
					wrong.add("%v", err)
				} else if id != "" {
					made <- id
				}
			})
		}
		gate.Done()
		group.Wait()
		wrong.report(t)
		if len(made) != 1 {
			t.Fatalf("round %d: %d of %d creations of one name answered 201", round, len(made), creators)
		}
		id := <-made
		if answer, err := owner.Config(t.Context(), http.MethodGet, "/clients/"+id, nil); err != nil || answer.Status != http.StatusOK {
			t.Fatalf("the one that was made is not there: %v %+v", err, answer)
		}
	}
	answer, err := owner.Config(t.Context(), http.MethodGet, "/clients", nil)
	if err != nil {
		t.Fatal(err)
	}
	var list []caller.Client
	if err := answer.Into(http.StatusOK, &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != rounds+1 {
		t.Errorf("%d clients after %d rounds and with the owner; want %d", len(list), rounds, rounds+1)
	}
	t.Logf("%d × %d creations of one name at once: each time one 201 and %d × 409", rounds, creators, creators-1)
}

// createOrConflict gives the id of what was made, "" where the name is in use.
func createOrConflict(t *testing.T, owner *caller.Caller, name string) (string, error) {
	t.Helper()
	answer, err := owner.Config(t.Context(), http.MethodPost, "/clients", map[string]any{"name": name})
	if err != nil {
		return "", err
	}
	if answer.Status == http.StatusConflict {
		if want := fmt.Sprintf(`{"errors":"API client %s already exists."}`, name); string(compact(answer.Body)) != want {
			return "", fmt.Errorf("the 409 says %s; want %s", answer.Body, want)
		}
		return "", nil
	}
	var made caller.Client
	if err := answer.Into(http.StatusCreated, &made); err != nil {
		return "", err
	}
	return made.ID, nil
}

func TestOneNameAtOnceOnSQLite(t *testing.T) { contend(t, "") }

func TestOneNameAtOnceOnPostgreSQL(t *testing.T) { contend(t, process.NewCluster(t).Database()) }
