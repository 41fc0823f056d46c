// Package storetest is the conformance suite of the store: what every database
// must do, contention included. It is run on SQLite and on PostgreSQL by the
// store's own tests, and it asks only what the core's Store interfaces promise,
// save for the audit log, which it reads back.
package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary/internal/core/administrator"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/instance"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/store"
)

// Env is a database for one test.
type Env struct {
	*testing.T
	// DB is open and empty.
	DB *store.DB
	// Reopen closes DB and opens the same database again.
	Reopen func()
	// Now is the time that DB dates rows by.
	Now time.Time
}

// test is a part of the suite.
type test struct {
	name string
	run  func(*Env)
}

// Run runs the suite; open gives a new, empty database for each test.
func Run(t *testing.T, open func(*testing.T) *Env) {
	for _, test := range slices.Concat([]test{
		{"Founding", testFounding},
		{"FoundingOnce", testFoundingOnce},
		{"Restored", testRestored},
		{"Applications", testApplications},
		{"ApplicationsContended", testApplicationsContended},
		{"Clients", testClients},
		{"ClientOrigins", testClientOrigins},
		{"ClientNames", testClientNames},
		{"ClientNamesContended", testClientNamesContended},
		{"ClientList", testClientList},
		{"ClientChange", testClientChange},
		{"ClientChangeContended", testClientChangeContended},
		{"ClientSecrets", testClientSecrets},
		{"ClientDelete", testClientDelete},
		{"ClientRefusals", testClientRefusals},
		{"Import", testImport},
		{"ImportAlike", testImportAlike},
		{"ImportContended", testImportContended},
		{"OddIDs", testOddIDs},
		{"Documents", testDocuments},
		{"Scopes", testScopes},
		{"ScopeList", testScopeList},
		{"ScopesContended", testScopesContended},
		{"ScopesOfClients", testScopesOfClients},
		{"ScopeCarried", testScopeCarried},
		{"ScopeDeletedWhileGiven", testScopeDeletedWhileGiven},
		{"Resources", testResources},
		{"ResourceList", testResourceList},
		{"ResourceClients", testResourceClients},
		{"ResourceClientsContended", testResourceClientsContended},
		{"DataKeys", testDataKeys},
		{"SigningKeys", testSigningKeys},
		{"Families", testFamilies},
		{"Rotations", testRotations},
		{"FamiliesOfUsers", testUsersFamilies},
		{"FamilyDuplicates", testFamilyDuplicates},
		{"FamilyRevoke", testFamilyRevoke},
		{"FamilyExpiry", testFamilyExpiry},
		{"FamilyDeath", testFamilyDeath},
		{"FamilyNever", testFamilyNever},
		{"FamilyRequestGone", testFamilyRequestGone},
		{"DeactivationIsOneWrite", testDeactivationIsOneWrite},
		{"FamilyList", testFamilyList},
		{"FamilyRevokeSome", testFamilyRevokeSome},
		{"FamilyScan", testFamilyScan},
		{"UsageLast", testUsageLast},
		{"UsageUnused", testUsageUnused},
		{"UsageCounts", testUsageCounts},
		{"UsageDenials", testUsageDenials},
		{"UsageRemove", testUsageRemove},
		{"UsageDays", testUsageDays},
		{"UsageContended", testUsageContended},
		{"ClientSearchFolds", testClientSearchFolds},
		{"ClientSearch", testClientSearch},
		{"ClientSearchPages", testClientSearchPages},
		{"ClientSearchByShortID", testClientSearchByShortID},
		{"ExpiringSecrets", testExpiringSecrets},
		{"Users", testUsers},
		{"UserChange", testUserChange},
		{"UserEmailsContended", testUserEmailsContended},
		{"UserDelete", testUserDelete},
		{"UserSearch", testUserSearch},
		{"ApplicationRemoval", testApplicationRemoval},
		{"AuditInTransaction", testAuditInTransaction},
		{"AuditSearch", testAuditSearch},
		{"AuditLog", testAuditLog},
		{"Panic", testPanic},
		{"Reopen", testReopen},
	}, ofUsers) {
		t.Run(test.name, func(t *testing.T) { test.run(open(t)) })
	}
}

// must fails the test where err is not nil.
func (e *Env) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

// wants fails the test where err is not a fault of the kind.
func (e *Env) wants(kind fault.Kind, err error) {
	e.Helper()
	if err == nil || fault.KindOf(err) != kind {
		e.Fatalf("got error %v, want one of kind %d", err, kind)
	}
}

// same compares what was stored with what came back.
func (e *Env) same(got, want any) {
	e.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		e.Fatalf("not what was stored (-want +got):\n%s", diff)
	}
}

const appID = "app"

func (e *Env) event(action string) audit.Event {
	return audit.New(audit.Source{Actor: "client:tester", RequestID: "r"}, appID, action, "object", e.Now)
}

// client makes a client that is not stored yet.
func (e *Env) client(name string) *client.Client {
	return &client.Client{
		ApplicationID: appID, ID: ident.Client(), Name: name, Kind: client.Other, Era: rand.Int64(),
		CreatedAt: e.Now, UpdatedAt: e.Now,
	}
}

// created is client, stored.
func (e *Env) created(name string) *client.Client {
	e.Helper()
	c := e.client(name)
	e.must(e.DB.Clients().Create(e.Context(), c, client.NameAndVersion, e.event("client.create")))
	return c
}

// family makes a family of c that is not stored yet.
func (e *Env) family(c *client.Client) *token.Family {
	f := &token.Family{
		ID: token.NewID(e.Now), ApplicationID: c.ApplicationID, ClientID: c.ID, ClientEra: c.Era,
		GrantType: oauth.ClientCredentials, Format: lifetime.JWT, TokenKey: 1,
		IssuedAt: e.Now, AccessExpiresAt: e.Now.Add(time.Hour), Address: "192.0.2.1",
	}
	copy(f.Salt[:], ident.Request())
	return f
}

func (e *Env) minted(f *token.Family) *token.Family {
	e.Helper()
	died, err := e.DB.Tokens().Mint(e.Context(), f)
	e.must(err)
	if len(died) > 0 {
		e.Fatalf("%d families died of one that expires", len(died))
	}
	return f
}

// actions gives the actions of the newest events of the application.
func (e *Env) actions() []string {
	e.Helper()
	events, _, err := e.DB.Audit().Events(e.Context(), appID, store.Cursor{}, 10000)
	e.must(err)
	var list []string
	for _, event := range events {
		list = append(list, event.Action)
	}
	return list
}

// together runs n calls at once and gives their errors.
func together(n int, call func(i int) error) []error {
	errs := make([]error, n)
	var ready, done sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-begin
			errs[i] = call(i)
		})
	}
	ready.Wait()
	close(begin)
	done.Wait()
	return errs
}

func count(errs []error, kind fault.Kind) (failed, succeeded int) {
	for _, err := range errs {
		switch {
		case err == nil:
			succeeded++
		case fault.KindOf(err) == kind:
			failed++
		}
	}
	return failed, succeeded
}

var errRefused = errors.New("refused")

func (e *Env) foundation() *instance.Foundation {
	owner := e.client("Owner")
	owner.Settings.Features = client.Features{client.Owner}
	owner.Secrets = []client.Secret{{ID: "s1", Hint: "abcd", Digest: []byte{1, 2}, DigestKey: 1, CreatedAt: e.Now}}
	return &instance.Foundation{
		Instance:      instance.Instance{DefaultApplication: appID, PublicURL: "https://id.example", FoundedAt: e.Now},
		Application:   application.Application{ID: appID, Name: "App", Settings: application.Settings{SecretPolicy: application.Revealable}, CreatedAt: e.Now, UpdatedAt: e.Now},
		Owner:         *owner,
		SigningKeys:   []key.SigningKey{e.signingKey("b"), e.signingKey("a")},
		Administrator: administrator.First("Admin@Example.com", "phc", e.Now),
		Events:        []audit.Event{e.event("instance.found"), e.event("client.create")},
	}
}

func (e *Env) signingKey(id string) key.SigningKey {
	return key.SigningKey{
		ApplicationID: appID, ID: id, Algorithm: "ES256", Sealed: []byte("sealed " + id), Public: json.RawMessage(`{"kid":"` + id + `"}`),
		CreatedAt: e.Now, ActiveAt: e.Now.Add(time.Hour), NeededUntil: e.Now.Add(2 * time.Hour),
	}
}

// founded founds the instance.
func (e *Env) founded() *instance.Foundation {
	e.Helper()
	f := e.foundation()
	e.must(e.DB.Instance().Found(e.Context(), f))
	return f
}

func testFounding(e *Env) {
	ctx := e.Context()
	_, err := e.DB.Instance().Load(ctx)
	e.wants(fault.NotFound, err)
	f := e.founded()

	got, err := e.DB.Instance().Load(ctx)
	e.must(err)
	e.same(got, &f.Instance)
	app, err := e.DB.Applications().Get(ctx, appID)
	e.must(err)
	f.Application.Revision = 1
	e.same(app, &f.Application)
	owner, err := e.DB.Clients().Get(ctx, appID, f.Owner.ID)
	e.must(err)
	e.same(owner, &f.Owner)
	keys, err := e.DB.Keys().SigningKeys(ctx, appID)
	e.must(err)
	e.same(keys, f.SigningKeys)
	e.same(e.actions(), []string{"client.create", "instance.found"})
}

func testFoundingOnce(e *Env) {
	errs := together(8, func(int) error { return e.DB.Instance().Found(context.Background(), e.foundation()) })
	if conflicts, founded := count(errs, fault.Conflict); founded != 1 || conflicts != 7 {
		e.Fatalf("%d foundings succeeded and %d met a conflict, want 1 and 7: %v", founded, conflicts, errs)
	}
	e.same(e.actions(), []string{"client.create", "instance.found"})
}

func testApplications(e *Env) {
	ctx, apps := e.Context(), e.DB.Applications()
	_, err := apps.Get(ctx, appID)
	e.wants(fault.NotFound, err)
	_, err = apps.Change(ctx, appID, func(*application.Application) (audit.Event, error) { return e.event("x"), nil })
	e.wants(fault.NotFound, err)
	e.founded()

	later := e.Now.Add(time.Minute)
	changed, err := apps.Change(ctx, appID, func(a *application.Application) (audit.Event, error) {
		a.Name, a.Settings.VendorName, a.UpdatedAt = "Other", "Acme", later
		return e.event("application.update"), nil
	})
	e.must(err)
	got, err := apps.Get(ctx, appID)
	e.must(err)
	e.same(got, changed)
	if got.Name != "Other" || got.Settings.VendorName != "Acme" || got.Revision != 2 || !got.UpdatedAt.Equal(later) {
		e.Fatalf("the change is not stored: %+v", got)
	}
	_, err = apps.Change(ctx, appID, func(a *application.Application) (audit.Event, error) {
		a.Name = "Third"
		return e.event("application.update"), errRefused
	})
	if !errors.Is(err, errRefused) {
		e.Fatalf("the refusal came back as %v", err)
	}
	again, err := apps.Get(ctx, appID)
	e.must(err)
	e.same(again, got)
	e.same(e.actions(), []string{"application.update", "client.create", "instance.found"})
}

func testApplicationsContended(e *Env) {
	e.founded()
	const n = 32
	errs := together(n, func(int) error {
		_, err := e.DB.Applications().Change(context.Background(), appID, func(a *application.Application) (audit.Event, error) {
			a.Settings.CodeLifetime++
			return e.event("application.update"), nil
		})
		return err
	})
	e.must(errors.Join(errs...))
	got, err := e.DB.Applications().Get(e.Context(), appID)
	e.must(err)
	if got.Settings.CodeLifetime != n || got.Revision != n+1 {
		e.Fatalf("of %d changes %d are there, revision %d", n, got.Settings.CodeLifetime, got.Revision)
	}
}

func testDataKeys(e *Env) {
	ctx, keys := e.Context(), e.DB.Keys()
	add := func(before []key.WrappedKey) ([]key.WrappedKey, []audit.Event, error) {
		n := int32(len(before) + 1)
		return append(before, key.WrappedKey{Number: n, Purpose: key.Digest, Wrapped: bytes.Repeat([]byte{byte(n)}, 60), CreatedAt: e.Now}), nil, nil
	}
	errs := together(8, func(int) error {
		_, err := keys.ChangeDataKeys(context.Background(), add)
		return err
	})
	e.must(errors.Join(errs...))
	got, err := keys.DataKeys(ctx)
	e.must(err)
	if len(got) != 8 {
		e.Fatalf("8 keys were added one after the other, %d are there", len(got))
	}
	for i, k := range got {
		e.same(k, key.WrappedKey{Number: int32(i + 1), Purpose: key.Digest, Wrapped: bytes.Repeat([]byte{byte(i + 1)}, 60), CreatedAt: e.Now})
	}
	after, err := keys.ChangeDataKeys(ctx, func(before []key.WrappedKey) ([]key.WrappedKey, []audit.Event, error) {
		before[1].Wrapped = []byte("again")
		return before[1:], []audit.Event{e.event("key.rewrap")}, nil
	})
	e.must(err)
	got, err = keys.DataKeys(ctx)
	e.must(err)
	e.same(got, after)
	if len(got) != 7 || string(got[0].Wrapped) != "again" {
		e.Fatalf("a key was rewrapped and one dropped, but there is %v", got)
	}
	e.same(e.actions(), []string{"key.rewrap"})
}

func testSigningKeys(e *Env) {
	ctx, keys := e.Context(), e.DB.Keys()
	errs := together(8, func(i int) error {
		_, err := keys.ChangeSigningKeys(context.Background(), appID, func(before []key.SigningKey) ([]key.SigningKey, []audit.Event, error) {
			return append(before, e.signingKey(fmt.Sprint("key", i))), []audit.Event{e.event("key.add")}, nil
		})
		return err
	})
	e.must(errors.Join(errs...))
	got, err := keys.SigningKeys(ctx, appID)
	e.must(err)
	if len(got) != 8 {
		e.Fatalf("8 keys were added one after the other, %d are there", len(got))
	}
	want := append([]key.SigningKey(nil), got[2:]...)
	want[0].RetiredAt = e.Now.Add(time.Hour)
	_, err = keys.ChangeSigningKeys(ctx, appID, func([]key.SigningKey) ([]key.SigningKey, []audit.Event, error) { return want, nil, nil })
	e.must(err)
	got, err = keys.SigningKeys(ctx, appID)
	e.must(err)
	e.same(got, want)
	other, err := keys.SigningKeys(ctx, "other")
	e.must(err)
	if len(other) != 0 {
		e.Fatalf("another application has %d of the keys", len(other))
	}
}
