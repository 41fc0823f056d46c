package protocol_test

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/ostiary/ostiary/internal/core/administrator"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/instance"
	"github.com/ostiary/ostiary/internal/core/scope"
)

// event is an audit event of the rig's own making.
func (r *rig) event(action, object string) audit.Event {
	return audit.New(audit.System(), r.app, action, object, r.clock.Now())
}

// found makes the instance and its first application.
func (r *rig) found(id string) string {
	r.t.Helper()
	now := r.clock.Now()
	keys, err := r.parts.Signers.Found(id, "ES256")
	if err != nil {
		r.t.Fatal(err)
	}
	err = r.db.Instance().Found(r.t.Context(), &instance.Foundation{
		Instance:      instance.Instance{DefaultApplication: id, PublicURL: publicURL, FoundedAt: now},
		Application:   application.Application{ID: id, Name: id, CreatedAt: now, UpdatedAt: now},
		Owner:         *r.made(id, creds{"founder", ident.Secret()}, nil),
		SigningKeys:   keys,
		Administrator: administrator.First("admin@example.com", "none", now),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

// foreign is an owner of another application.
type foreign struct {
	creds
	application string
}

// otherApplication makes an application beside the first. Its row is written by
// hand, since an instance has only one so far.
func (r *rig) otherApplication() foreign {
	r.t.Helper()
	const id = "second"
	r.exec(`INSERT INTO application (id, name, settings, revision, created_at, updated_at) SELECT ?, name, settings, revision, created_at, updated_at FROM application WHERE id = ?`, id, r.app)
	return foreign{r.in(id).client(owner), id}
}

// exec and count look at the database beside the server, as an operator could.
func (r *rig) exec(text string, args ...any) {
	r.t.Helper()
	db := r.file()
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(r.t.Context(), text, args...); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) file() *sql.DB {
	r.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(r.data, "ostiary.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		r.t.Fatal(err)
	}
	return db
}

// families counts the families that are stored.
func (r *rig) families() (n int) {
	r.t.Helper()
	db := r.file()
	defer func() { _ = db.Close() }()
	if err := db.QueryRowContext(r.t.Context(), `SELECT count(*) FROM family`).Scan(&n); err != nil {
		r.t.Fatal(err)
	}
	return n
}

// events gives the audit events of an action, or of all where it is "".
func (r *rig) events(action string) (events []audit.Event) {
	r.t.Helper()
	db := r.file()
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(r.t.Context(), `SELECT actor, action, object, address, request_id, before, after FROM audit_event WHERE ? IN (action, '') ORDER BY sequence`, action)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var e audit.Event
		var before, after sql.NullString
		if err := rows.Scan(&e.Actor, &e.Action, &e.Object, &e.Address, &e.RequestID, &before, &after); err != nil {
			r.t.Fatal(err)
		}
		if before.Valid {
			e.Before = json.RawMessage(before.String)
		}
		if after.Valid {
			e.After = json.RawMessage(after.String)
		}
		events = append(events, e)
	}
	if err := rows.Err(); err != nil {
		r.t.Fatal(err)
	}
	return events
}

// made is a client that may use client credentials, unless set says otherwise.
func (r *rig) made(app string, c creds, set []func(*client.Client)) *client.Client {
	now := r.clock.Now()
	made := &client.Client{
		ApplicationID: app, ID: c.id, Name: "client " + ident.Record(), Kind: client.Service,
		Era: rand.Int64(), CreatedAt: now, UpdatedAt: now,
		Secrets: []client.Secret{{}},
	}
	for _, s := range set {
		s(made)
	}
	if len(made.Secrets) > 0 {
		made.Secrets[0] = client.NewSecret(r.ring, &application.Application{ID: app}, made.ID, c.secret, now)
	}
	return made
}

// client makes a client.
func (r *rig) client(set ...func(*client.Client)) creds {
	r.t.Helper()
	c := creds{ident.Client(), ident.Secret()}
	made := r.made(r.app, c, set)
	r.scopes(made.Settings.Scopes.Allowed...)
	if err := r.db.Clients().Create(r.t.Context(), made, client.NameAndVersion, r.event("client.create", "client:"+made.ID)); err != nil {
		r.t.Fatal(err)
	}
	r.parts.Clients.Void(r.app, made.ID)
	if made.Public {
		return creds{id: made.ID}
	}
	return creds{made.ID, c.secret}
}

// scopes makes those of the scopes named that are not there yet.
func (r *rig) scopes(names ...string) {
	r.t.Helper()
	for _, name := range names {
		made := &scope.Scope{ApplicationID: r.app, Name: name, Kind: scope.Any, CreatedAt: r.clock.Now(), UpdatedAt: r.clock.Now()}
		err := r.db.Scopes().Create(r.t.Context(), made, r.event("scope.create", "scope:"+name))
		if err != nil && fault.KindOf(err) != fault.Conflict {
			r.t.Fatal(err)
		}
	}
}

func (r *rig) operations() *client.Operations {
	return client.NewOperations(r.db.Clients(), r.db.Audit(), r.parts.Clients, r.parts.Applications, r.ring, r.clock.Now)
}

// change alters a client as an operator's edit does.
func (r *rig) change(c creds, set func(*client.Client)) {
	r.t.Helper()
	_, err := r.db.Clients().Change(r.t.Context(), r.app, c.id, client.NameAndVersion, func(stored *client.Client) (audit.Event, error) {
		set(stored)
		return r.event("client.update", "client:"+c.id), nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.parts.Clients.Void(r.app, c.id)
}

func (r *rig) setActive(c creds, active bool) {
	r.t.Helper()
	if _, err := r.operations().SetActive(r.t.Context(), audit.System(), r.app, c.id, active); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) remove(c creds) {
	r.t.Helper()
	if err := r.operations().Delete(r.t.Context(), audit.System(), r.app, c.id); err != nil {
		r.t.Fatal(err)
	}
}

// replaceSecret gives a client a new secret; the others work so many hours more.
func (r *rig) replaceSecret(c creds, hours int) creds {
	r.t.Helper()
	app, err := r.parts.Applications.Get(r.t.Context(), r.app)
	if err != nil {
		r.t.Fatal(err)
	}
	fresh := ident.Secret()
	if _, err := r.operations().ReplaceSecret(r.t.Context(), audit.System(), app, c.id, fresh, hours); err != nil {
		r.t.Fatal(err)
	}
	return creds{c.id, fresh}
}

// settings changes those of the application.
func (r *rig) settings(set func(*application.Settings)) {
	r.t.Helper()
	_, err := r.parts.Applications.Change(r.t.Context(), r.app, func(a *application.Application) (audit.Event, error) {
		set(&a.Settings)
		return r.event("settings.update", "settings"), nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// parts gives the header and the payload of a JWT.
func parts(t testing.TB, text string) (header, payload map[string]any) {
	t.Helper()
	all := strings.Split(text, ".")
	if len(all) != 3 {
		t.Fatalf("no JWT: %.20s…", text)
	}
	for i, into := range []*map[string]any{&header, &payload} {
		raw, err := base64.RawURLEncoding.DecodeString(all[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatal(err)
		}
	}
	return header, payload
}

// verifyWithJWKS verifies a token as a resource server does: with the published
// keys and nothing else.
func (r *rig) verifyWithJWKS(text, algorithm string) {
	r.t.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(r.do("GET", r.path("/oauth2/jwks"), "", nil).text), &set); err != nil {
		r.t.Fatal(err)
	}
	parsed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(algorithm)})
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := parsed.Verify(set); err != nil {
		r.t.Errorf("%s: %v", algorithm, err)
	}
}

// forever is longer than anything that is tested lives.
const forever = 100 * 365 * 24 * time.Hour
