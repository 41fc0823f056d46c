//go:build linux

package fill

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/client/rule/scopepolicy"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/token"
)

// Instance says whose database it is and how much of everything it has.
type Instance struct {
	Data, URL   string // the directory of SQLite's file, or PostgreSQL
	Application string
	Many        int // clients, audit events, token families, users, their sessions, consents
	Now         time.Time
}

// What an instance is filled with is found again by these.
const (
	// BusyClient has a fifth of all families, and counts in each hour.
	BusyClient = "busy"
	// Every RareEach-th client, event or family has the rare values.
	RareEach = 100_000

	RareWord   = "zymurgy"
	RareTag    = "pci-scope"
	RareScope  = "vault.unseal"
	RareActor  = "admin:auditor@example.com"
	RareAction = "application.delete"

	Scopes    = 2000
	Resources = 1000
	Teams     = 50
	Admins    = 30
)

var (
	firms = []string{"Acme", "Borealis", "Cobalt", "Dunmore", "Everglade", "Fabrikam", "Galvani", "Halcyon", "Initech", "Juniper", "Kestrel", "Lumen", "Meridian", "Northwind", "Orchard", "Pelican"}
	// Jobs are in the names of many clients each.
	Jobs  = []string{"Billing", "Checkout", "Inventory", "Payroll", "Reporting", "Shipping", "Support", "Telemetry", "Warehouse", "Analytics", "Loyalty", "Marketing"}
	where = []string{"Production", "Staging", "Development", "Sandbox"}
	works = []string{"nightly synchronization", "webhook delivery", "partner integration", "mobile sign-in", "customer portal", "quarterly reconciliation"}
	kinds = []client.Kind{client.Service, client.Service, client.Service, client.Service, client.Service, client.Service, client.Web, client.Web, client.SPA, client.Other}
	acts  = []string{"client.create", "client.update", "client.update", "client.update", "client.secret.create", "client.secret.delete", "scope.create", "token.revoke", "client.deactivate", "resource.update"}
)

// counted are the tables whose rows have a sequence that others name.
var counted = [...]string{"client", "user_record", "consent"}

// Some are the ids of some of what there is, evenly spread.
type Some struct{ Clients, Users []string }

// Fill makes the rows.
func Fill(ctx context.Context, in Instance, say func(format string, args ...any)) (some Some, err error) {
	db, err := open(ctx, in.Data, in.URL)
	if err != nil {
		return Some{}, err
	}
	before := map[string]int64{}
	for _, table := range counted {
		if before[table], err = db.number(ctx, `SELECT COALESCE(max(sequence), 0) FROM `+table); err != nil {
			return Some{}, err
		}
	}
	// The same rows each time, save the ids.
	r := &rows{Instance: in, random: rand.New(rand.NewPCG(1, 2)), before: before}
	r.name()
	tables := []*table{r.clients(), r.secrets(), r.clientScopes(), r.scopes(), r.resources(), r.introspectors(), r.families(), r.events(), r.clientUsage(), r.totals()}
	for _, t := range append(tables, r.users()...) {
		say("filling %s: %d rows", t.name, t.n)
		if err := db.fill(ctx, t); err != nil {
			return Some{}, err
		}
	}
	if in.URL != "" {
		// What COPY gave as sequences is not counted.
		for _, table := range counted {
			if err := db.exec(ctx, `SELECT setval(pg_get_serial_sequence('`+table+`', 'sequence'), (SELECT max(sequence) FROM `+table+`))`); err != nil {
				return Some{}, err
			}
		}
	}
	for i := 0; i < in.Many; i += max(1, in.Many/200) {
		some.Clients, some.Users = append(some.Clients, r.ids[i]), append(some.Users, r.uuids[i])
	}
	return some, db.close(ctx)
}

// rows are those of one instance.
type rows struct {
	Instance

	random *rand.Rand
	before map[string]int64 // the last sequences that were there, by table
	ids    []string
	eras   []int64
	uuids  []string // of the users
}

func (r *rows) name() {
	r.ids, r.eras = make([]string, r.Many), make([]int64, r.Many)
	for i := range r.ids {
		r.ids[i], r.eras[i] = ident.Client(), r.random.Int64()
	}
	r.ids[r.Many/2] = BusyClient
}

func pick[T any](r *rows, list []T) T { return list[r.random.IntN(len(list))] }

func rare(i int) bool { return i%RareEach == RareEach/2 }

// at spreads n things evenly over the three years before now.
func (r *rows) at(i, n int) int64 {
	const span = 3 * 365 * 24 * time.Hour
	return r.Now.Add(-span + time.Duration(float64(span)*float64(i)/float64(n))).UnixMicro()
}

func (r *rows) clients() *table {
	return &table{"client", []string{
		"sequence", "application_id", "id", "name", "name_key", "version", "kind", "public", "inactive", "era", "features", "settings", "revision", "created_at", "updated_at", "used_at",
	}, r.Many, func(i int) []any {
		name := fmt.Sprintf("%s %s %s %d", pick(r, firms), pick(r, Jobs), pick(r, where), i)
		settings := client.Settings{
			Description: "Used for " + pick(r, works) + " by team " + strconv.Itoa(r.random.IntN(1000)) + ".",
			Tags:        []string{fmt.Sprintf("team-%d", i%Teams)},
			Contacts:    []string{fmt.Sprintf("owner%d@example.com", r.random.IntN(5000))},
		}
		kind := pick(r, kinds)
		if i%2 == 0 {
			settings.Scopes = scopepolicy.Setting{Allowed: []string{Scope(i % Scopes)}}
		}
		if kind == client.Other {
			settings.Features = client.Features{client.DirectAccess}
		}
		if rare(i) {
			name += " " + RareWord
			kind, settings.Features = client.Other, client.Features{client.Owner}
			settings.Tags = append(settings.Tags, RareTag)
			settings.Description = "Kept for the " + RareWord + "."
		}
		created := r.at(i, r.Many)
		used := int64(0)
		if i%5 > 0 {
			used = created + r.random.Int64N(r.Now.UnixMicro()-created+1)
		}
		text, _ := json.Marshal(&settings)
		return []any{
			r.before["client"] + 1 + int64(i), r.Application, r.ids[i], name, strings.ToLower(name), "", string(kind), kind == client.SPA, i%33 == 0, r.eras[i],
			settings.Features.Bits(), string(text), int64(1), created, created, used,
		}
	}}
}

// Scope is the name of the i-th scope.
func Scope(i int) string { return fmt.Sprintf("api%d.read", i) }

func (r *rows) secrets() *table {
	digest := make([]byte, 32)
	return &table{"client_secret", []string{
		"client_sequence", "id", "ordinal", "label", "hint", "digest", "digest_key", "created_at", "expires_at", "used_at",
	}, r.Many, func(i int) []any {
		var expires int64
		if i%50 == 0 { // in the next hundred days
			expires = r.Now.Add(time.Duration(i/50%(24*100)) * time.Hour).UnixMicro()
		}
		return []any{r.before["client"] + 1 + int64(i), ident.Record(), int64(0), "", "bwvd", digest, int64(1), r.at(i, r.Many), expires, int64(0)}
	}}
}

func (r *rows) clientScopes() *table {
	return &table{"client_scope", []string{"application_id", "scope", "client_sequence"}, r.Many / 2, func(i int) []any {
		return []any{r.Application, Scope(2 * i % Scopes), r.before["client"] + 1 + int64(2*i)}
	}}
}

func (r *rows) scopes() *table {
	return &table{"scope", []string{
		"application_id", "name_key", "name", "description", "kind", "required_role", "url_patterns", "revision", "created_at", "updated_at",
	}, Scopes, func(i int) []any {
		return []any{r.Application, Scope(i), Scope(i), "Read what API " + strconv.Itoa(i) + " has.", "any", "", "[]", int64(1), r.at(i, Scopes), r.at(i, Scopes)}
	}}
}

// Resource is the identifier of the i-th resource.
func Resource(i int) string { return fmt.Sprintf("https://api%d.example.com/v1", i) }

func (r *rows) resources() *table {
	return &table{"resource", []string{
		"application_id", "identifier", "name", "scopes", "access_token_format", "revision", "created_at", "updated_at",
	}, Resources, func(i int) []any {
		return []any{r.Application, Resource(i), "API " + strconv.Itoa(i), Scope(i), "", int64(1), r.at(i, Resources), r.at(i, Resources)}
	}}
}

func (r *rows) introspectors() *table {
	const each = 3
	return &table{"resource_client", []string{"application_id", "identifier", "ordinal", "client_sequence"}, each * Resources, func(i int) []any {
		return []any{r.Application, Resource(i / each), int64(i % each), r.before["client"] + 1 + r.random.Int64N(int64(r.Many))}
	}}
}

// families are of the last day; they are kept for another, whatever became of
// them, so that no sweeper changes what is measured.
func (r *rows) families() *table {
	const day = 24 * time.Hour
	return &table{"family", []string{
		"id", "application_id", "client_id", "client_era", "grant_type", "scopes", "audience", "format", "salt", "token_key", "generation",
		"issued_at", "access_expires_at", "revoked_at", "revoked_for", "removal_at", "address",
	}, r.Many, func(i int) []any {
		issued := r.Now.Add(-day + time.Duration(float64(day)*float64(i)/float64(r.Many)))
		id := token.NewID(issued)
		of := r.random.IntN(r.Many)
		if i%5 == 0 {
			of = r.Many / 2
		}
		scopes := Scope(i%Scopes) + " " + Scope((i+1)%Scopes)
		if rare(i) {
			scopes += " " + RareScope
		}
		expires, revoked, why := r.Now.Add(day), int64(0), ""
		switch {
		case i%20 == 1:
			expires = issued.Add(time.Hour / 2)
		case i%1000 == 2:
			revoked, why = issued.Add(time.Minute).UnixMicro(), "revoked"
		}
		return []any{
			id[:], r.Application, r.ids[of], r.eras[of], "client_credentials", scopes, Resource(i % Resources), string(lifetime.JWT), id[:], int64(2), int64(0),
			issued.UnixMicro(), expires.UnixMicro(), revoked, why, r.Now.Add(day).UnixMicro(), "203.0.113.7",
		}
	}}
}

func (r *rows) events() *table {
	return &table{"audit_event", []string{
		"id", "application_id", "at", "actor", "action", "object", "address", "request_id", "before", "after", "outcome",
	}, r.Many, func(i int) []any {
		actor, action := fmt.Sprintf("admin:person%d@example.com", r.random.IntN(Admins)), pick(r, acts)
		if i%3 > 0 {
			actor = "client:" + r.ids[i%100]
		}
		object := "client:" + pick(r, r.ids)
		if rare(i) {
			actor, action, object = RareActor, RareAction, "application:"+RareWord
		}
		state := `{"name":"Acme Billing Production ` + strconv.Itoa(i) + `","kind":"service","active":true,"grant_types":["client_credentials"],"scopes":["` + Scope(i%Scopes) + `"],"access_token_lifetime":3600}`
		return []any{ident.Record(), r.Application, r.at(i, r.Many), actor, action, object, "198.51.100.23", ident.Request(), state, state, "success"}
	}}
}

// Hours is how far back usage is kept.
const Hours = 90 * 24

func (r *rows) clientUsage() *table {
	hour := r.Now.Unix() / 3600
	others := max(1, r.Many/Hours)
	return &table{"usage_client", []string{"hour", "client_sequence", "kind", "reason", "n"}, Hours * (others + 2), func(i int) []any {
		of, reason := r.before["client"]+1+int64(i%(others+2)*(r.Many/(others+2))), ""
		switch i % (others + 2) {
		case 0:
			of = r.before["client"] + 1 + int64(r.Many/2)
		case 1:
			of, reason = r.before["client"]+1+int64(r.Many/2), "invalid_scope"
		}
		return []any{hour - int64(i/(others+2)), of, "client_credentials", reason, int64(i%1000 + 1)}
	}}
}

func (r *rows) totals() *table {
	hour := r.Now.Unix() / 3600
	reasons := []string{"", "invalid_client", "invalid_scope", "unauthorized_client", "access_denied", "slow_down"}
	return &table{"usage_application", []string{"hour", "application_id", "kind", "reason", "n"}, Hours * len(reasons), func(i int) []any {
		return []any{hour - int64(i/len(reasons)), r.Application, "client_credentials", reasons[i%len(reasons)], int64(i%1000 + 1)}
	}}
}
