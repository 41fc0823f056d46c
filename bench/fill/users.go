//go:build linux

package fill

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/ident"
)

// What users are found again by, beside RareWord, which is a family name too.
const (
	// FrequentRole is that of every second user, RareRole of every RareEach-th.
	FrequentRole = "customer"
	RareRole     = "auditor"
	// UserSessions and UserConsents are how many the user in the middle has: the
	// first as many as one may have.
	UserSessions = 100
	UserConsents = 200
)

var (
	// GivenNames are those of 1 in 40 users each.
	GivenNames = []string{
		"Alice", "Amina", "Andreas", "Beatriz", "Boris", "Charlotte", "Chen", "Daniel", "Dmitri", "Elena", "Elizabeth", "Fatima", "Felix", "Giulia", "Hannah", "Hiroshi", "Ingrid", "Ivan", "James", "Jana",
		"Kenji", "Lakshmi", "Lars", "Lucia", "Mateusz", "Margaret", "Mohammed", "Nadia", "Noah", "Olivia", "Pedro", "Priya", "Quentin", "Rosa", "Samuel", "Sofia", "Thomas", "Ursula", "Victor", "Yasmin",
	}
	// Mails are where users have their addresses.
	Mails = []string{"example.com", "example.net", "example.org", "mail.example.com", "post.example.net"}

	beginnings = []string{"North", "Ash", "Wood", "Green", "Black", "Stone", "Clay", "Hart", "Lang", "Ross", "Fair", "Holm", "West", "Kirk", "Ball", "Mar", "Thorn", "Win", "Brad", "Swan"}
	ends       = []string{"ley", "ton", "field", "berg", "son", "ford", "man", "dale", "gate", "well", "wick", "ham", "ström", "bury", "worth"}
)

// person is the i-th user: the same in each of the tables.
type person struct{ given, family, email string }

func (r *rows) person(i int) person {
	p := person{given: GivenNames[i%len(GivenNames)], family: beginnings[i/7%len(beginnings)] + ends[i/11%len(ends)]}
	if rare(i) {
		p.family = strings.ToUpper(RareWord[:1]) + RareWord[1:]
	}
	p.email = Email(i)
	return p
}

// Email is the address of the i-th user.
func Email(i int) string {
	return fmt.Sprintf("%s.%d@%s", strings.ToLower(GivenNames[i%len(GivenNames)]), i, Mails[i/3%len(Mails)])
}

func roles(i int) (list []string) {
	if i%2 == 0 {
		list = append(list, FrequentRole)
	}
	if rare(i) {
		list = append(list, RareRole)
	}
	return list
}

func (r *rows) users() []*table {
	r.uuids = make([]string, r.Many)
	for i := range r.uuids {
		r.uuids[i] = ident.User()
	}
	return []*table{r.userRecords(), r.userTerms(), r.userRoles(), r.sessions(), r.sessionClients(), r.consents()}
}

func (r *rows) userRecords() *table {
	return &table{"user_record", []string{
		"sequence", "application_id", "uuid", "email", "email_key", "email_verified_at", "attributes", "roles", "inactive", "era", "password_hash",
		"revision", "created_at", "updated_at", "last_signed_in_at",
	}, r.Many, func(i int) []any {
		p := r.person(i)
		attributes, _ := json.Marshal(map[string]any{
			"givenName": p.given, "familyName": p.family, "displayName": p.given + " " + p.family, "gender": "unspecified", "birthday": "1980-02-03",
			"primaryAddress": map[string]any{"address1": strconv.Itoa(i%300) + " High Street", "city": "Springfield", "zip": "12345", "country": "US"},
		})
		list, _ := json.Marshal(append([]string{}, roles(i)...))
		at := r.at(i, r.Many)
		return []any{
			r.before["user_record"] + 1 + int64(i), r.Application, r.uuids[i], p.email, p.email, at, string(attributes), string(list), i%33 == 0, int64(i + 1),
			"$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g", int64(1), at, at, at,
		}
	}}
}

// termsEach is how many words a user of ours is found by.
const termsEach = 5

func (r *rows) userTerms() *table {
	return &table{"user_term", []string{"application_id", "term", "user_sequence"}, termsEach * r.Many, func(i int) []any {
		p := r.person(i / termsEach)
		_, domain, _ := strings.Cut(p.email, "@")
		term := [termsEach]string{r.uuids[i/termsEach], p.email, domain, strings.ToLower(p.given), strings.ToLower(p.family)}[i%termsEach]
		return []any{r.Application, term, r.before["user_record"] + 1 + int64(i/termsEach)}
	}}
}

func (r *rows) userRoles() *table {
	var rows [][]any
	for i := range r.Many {
		for _, role := range roles(i) {
			rows = append(rows, []any{r.Application, role, r.before["user_record"] + 1 + int64(i)})
		}
	}
	return &table{"user_role", []string{"application_id", "role", "user_sequence"}, len(rows), func(i int) []any { return rows[i] }}
}

// sessions are one of each user, save those of the one in the middle.
func (r *rows) sessions() *table {
	return &table{"signed_in", []string{
		"id", "sid", "application_id", "user_id", "user_era", "auth_time", "amr", "acr", "created_at", "seen_at", "expires_at", "address", "user_agent",
	}, r.Many, func(i int) []any {
		id, of, at := sha256.Sum256([]byte(sid(i))), r.userOf(i, UserSessions), r.Now.Add(-time.Duration(i%1000)*time.Minute)
		return []any{
			id[:], sid(i), r.Application, r.uuids[of], int64(of + 1), at.UnixMicro(), "pwd", "", at.UnixMicro(), at.UnixMicro(), at.AddDate(0, 0, 30).UnixMicro(),
			"203.0.113.9", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
		}
	}}
}

// userOf gives the user whose the i-th of some things is: the one in the middle
// has many, each other one at most one.
func (r *rows) userOf(i, many int) int {
	if i < many {
		return r.Many / 2
	}
	return i
}

func sid(i int) string { return fmt.Sprintf("%026d", i) }

func (r *rows) sessionClients() *table {
	return &table{"signed_in_client", []string{"sid", "client_id", "application_id", "user_id"}, r.Many, func(i int) []any {
		return []any{sid(i), r.ids[i*7919%r.Many], r.Application, r.uuids[r.userOf(i, UserSessions)]}
	}}
}

func (r *rows) consents() *table {
	return &table{"consent", []string{
		"sequence", "id", "application_id", "user_id", "client_sequence", "scopes", "granted_at", "updated_at",
	}, r.Many, func(i int) []any {
		of := int64(i * 7919 % r.Many)
		if i%5 == 1 && i >= UserConsents {
			of = int64(r.Many / 2) // BusyClient
		}
		return []any{r.before["consent"] + 1 + int64(i), ident.Record(), r.Application, r.uuids[r.userOf(i, UserConsents)], r.before["client"] + 1 + of, "openid profile email", r.at(i, r.Many), r.at(i, r.Many)}
	}}
}
