//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/ostiary/ostiary/bench/procfs"
	"github.com/ostiary/ostiary/internal/core/ident"
)

// imported is how many clients are imported, sent in pieces as the command line
// sends them.
const (
	imported    = 100_000
	importPiece = 500
)

// importMany measures an import of many clients over HTTP: how long it takes,
// and the CPU time of the server and of its database.
func (b *bench) importMany(ctx context.Context, name string, s *site, db *postgres) error {
	cpu := func() (server, database time.Duration, err error) {
		if server, err = procfs.CPU(s.process.Process.Pid); err == nil {
			database, err = db.cpu()
		}
		return server, database, err
	}
	server, database, err := cpu()
	if err != nil {
		return err
	}
	began := time.Now()
	for n := 0; n < imported; n += importPiece {
		var piece bytes.Buffer
		for i := range importPiece {
			fmt.Fprintf(&piece, `{"id":"imported-%d","name":"Imported client %d","kind":"web","description":"It came from elsewhere.","redirect_uris":["https://app%d.example.com/callback"],"grant_types":["authorization_code","refresh_token"],"tags":["imported"],"secret":"%s"}`+"\n",
				n+i, n+i, n+i, ident.Secret())
		}
		if err := s.importPiece(ctx, &piece); err != nil {
			return err
		}
	}
	took := time.Since(began)
	serverAfter, databaseAfter, err := cpu()
	if err != nil {
		return err
	}
	b.record(figure(name, "import", 0, "s"), took.Seconds())
	b.say("%s: %d clients imported in %.1f s; CPU: server %.1f s, database %.1f s", name, imported, took.Seconds(),
		(serverAfter - server).Seconds(), (databaseAfter - database).Seconds())
	return nil
}

func (s *site) importPiece(ctx context.Context, piece io.Reader) error {
	address := "http://" + s.main.String() + "/api/v1/applications/" + s.application + "/clients/import"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, piece)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", s.owner.basic())
	request.Header.Set("Content-Type", "application/x-ndjson")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return err
	}
	lines := bytes.Split(bytes.TrimSpace(body), []byte("\n"))
	var last struct {
		Summary struct{ Created int }
	}
	if err := json.Unmarshal(lines[len(lines)-1], &last); err != nil || answer.StatusCode != http.StatusOK || last.Summary.Created != importPiece {
		return fmt.Errorf("import: %s, %d created: %s", answer.Status, last.Summary.Created, lines[0])
	}
	return nil
}
