//go:build linux

package main

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ostiary/ostiary/bench/fill"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/token"
)

// question is a kind of request for a list: the i-th of its kind.
type question struct {
	says string
	path func(i int) string
}

const (
	usageOfClient      = "usage: one client, 90 days (store)"
	usageOfApplication = "usage: an application, 90 days (store)"
	sessionsOfUser     = "sessions of a user (store)"
	sessionsOfBusyUser = "sessions of a user who has 100 (store)"
)

// query writes a path whose parameters are given in pairs.
func query(list string, pairs ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	if !values.Has("limit") {
		values.Set("limit", "50")
	}
	return "/" + list + "?" + values.Encode()
}

// fixed asks the same each time.
func fixed(list string, pairs ...string) func(int) string {
	path := query(list, pairs...)
	return func(int) string { return path }
}

// by asks with another value of one parameter each time.
func by(list, name string, value func(i int) string, pairs ...string) func(int) string {
	return func(i int) string { return query(list, append(pairs, name, value(i))...) }
}

func oneOf(values ...string) func(int) string {
	return func(i int) string { return values[i%len(values)] }
}

// cursor is what the server calls a place in a list.
func cursor(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// questions are everything that can be asked for a list.
func questions(some fill.Some, now time.Time) []question {
	ids := some.Clients
	return slices.Concat(clientQuestions(ids, now), textQuestions(ids), recordQuestions(ids, now), tokenQuestions(ids, now), userQuestions(some), consentQuestions(some), consoleQuestions(ids))
}

func clientQuestions(ids []string, now time.Time) []question {
	deep := func(i int) string { return cursor(fmt.Sprintf(`{"s":%d}`, (i*7919+500_000)%listed+1)) }
	ago := func(days int) string { return now.AddDate(0, 0, -days).Format(time.RFC3339) }
	unusedDeep := cursor(fmt.Sprintf(`{"s":500000,"u":%d}`, now.AddDate(0, 0, -400).UnixMicro()))
	return []question{
		{"clients", fixed("clients")},
		{"clients, 200 a page", fixed("clients", "limit", "200")},
		{"clients, deep", by("clients", "cursor", deep)},
		{"clients: kind", by("clients", "kind", oneOf("web", "spa", "service", "other"))},
		{"clients: kind that none has", fixed("clients", "kind", "native")},
		{"clients: type", by("clients", "type", oneOf("public", "confidential"))},
		{"clients: feature, frequent", fixed("clients", "feature", "direct_access")},
		{"clients: feature, rare", fixed("clients", "feature", "owner")},
		{"clients: feature that none has", fixed("clients", "feature", "metadata")},
		{"clients: active", by("clients", "active", oneOf("true", "false"))},
		{"clients: inactive, deep", by("clients", "cursor", deep, "active", "false")},
		{"clients: tag, frequent", by("clients", "tag", func(i int) string { return fmt.Sprintf("team-%d", i%fill.Teams) })},
		{"clients: tag, rare", fixed("clients", "tag", fill.RareTag)},
		{"clients: tag that none has, deep", by("clients", "cursor", deep, "tag", "nowhere")},
		{"clients: kind and active", by("clients", "kind", oneOf("spa", "other"), "active", "false")},
		{"clients: kind, type, active and tag", by("clients", "tag", func(i int) string { return fmt.Sprintf("team-%d", i%fill.Teams) }, "kind", "spa", "type", "public", "active", "false")},
		{"clients: feature and tag", fixed("clients", "feature", "direct_access", "tag", "team-7")},
		{"clients: rare feature, of a kind that has none", fixed("clients", "feature", "owner", "kind", "web")},
		{"clients: unused_since", by("clients", "unused_since", func(i int) string { return ago(30 * (i%12 + 1)) })},
		{"clients: unused_since, deep", fixed("clients", "unused_since", ago(1), "cursor", unusedDeep)},
		{"clients: unused_since and kind", by("clients", "kind", oneOf("web", "spa"), "unused_since", ago(90))},
		{"clients: unused_since and a rare tag", fixed("clients", "unused_since", ago(1), "tag", fill.RareTag)},
		{"clients: unused_since and q", fixed("clients", "unused_since", ago(1), "q", fill.RareWord, "limit", "200")},
		{"clients: one by id", func(i int) string { return "/clients/" + ids[i%len(ids)] + "?" }},
	}
}

func textQuestions(ids []string) []question {
	text := func(value func(int) string, pairs ...string) func(int) string {
		return by("clients", "q", value, pairs...)
	}
	letters := func(n int) func(int) string {
		return func(i int) string { return strings.ToLower(fill.Jobs[i%len(fill.Jobs)] + "abcdefghijkl"[:i%12])[:n] }
	}
	after := cursor(`{"n":"meridian reporting production 5","v":""}`)
	return []question{
		{"clients: q, 1 character", text(oneOf("a", "b", "m", "p"))},
		{"clients: q, 1 character, deep", fixed("clients", "q", "m", "cursor", after)},
		{"clients: q, 1 character that none has", text(oneOf("€", "7", "ß"))},
		{"clients: q, 1 character and a rare tag", fixed("clients", "q", "a", "tag", fill.RareTag)},
		{"clients: q, 2 characters", text(oneOf("ac", "bo", "ju", "ke"))},
		{"clients: q, 2 characters that none has", text(oneOf("zz", "qx"))},
		{"clients: q, 3 characters, frequent", text(letters(3))},
		{"clients: q, 3 characters, in ids and numbers", text(func(int) string { return ident.Record()[:3] })},
		{"clients: q, a frequent word", text(func(i int) string { return fill.Jobs[i%len(fill.Jobs)] })},
		{"clients: q, frequent words of descriptions", text(oneOf("quarterly reconciliation", "mobile sign-in", "used for"))},
		{"clients: q, a rare word", fixed("clients", "q", fill.RareWord)},
		{"clients: q, a whole name", text(func(i int) string { return fmt.Sprintf("Production %d", (i+1)*7919%listed) })},
		{"clients: q, a whole id", text(func(i int) string { return ids[i%len(ids)] })},
		{"clients: q, the beginning of an id", text(func(i int) string { return fmt.Sprintf("%.6s", ids[i%len(ids)]) })},
		{"clients: q, a miss", text(func(int) string { return ident.Record()[:9] })},
		{"clients: q, a miss of frequent parts", text(oneOf("productionacme", "stagingstaging", "ingproduction", "billing acme", "by team 1000", "synchronization by team 777777"))},
		{"clients: q, digits", text(func(i int) string { return strconv.Itoa((i*7919 + 1000) % 10_000) })},
		{"clients: q, and kind", text(letters(5), "kind", "spa")},
		{"clients: q, and a rare tag", text(letters(5), "tag", fill.RareTag)},
		{"clients: q, and a rare feature", text(letters(5), "feature", "owner")},
		{"clients: q, frequent, deep", by("clients", "cursor", func(i int) string { return cursor(fmt.Sprintf(`{"s":%d}`, i*100_003%listed+1)) }, "q", "production")},
	}
}

func recordQuestions(ids []string, now time.Time) []question {
	when := func(days int) time.Time { return now.AddDate(0, 0, -days) }
	ago := func(days int) string { return when(days).Format(time.RFC3339) }
	deep := func(i int) string { return cursor(fmt.Sprintf("%d.%d", when(100*(i%10)+50).UnixMicro(), 1)) }
	actor := oneOf("client:"+ids[0], "admin:person7@example.com")
	return []question{
		{"audit", fixed("audit")},
		{"audit, 200 a page, deep", by("audit", "cursor", deep, "limit", "200")},
		{"audit: actor, frequent", by("audit", "actor", actor)},
		{"audit: actor, rare", fixed("audit", "actor", fill.RareActor)},
		{"audit: actor that there is none of, deep", by("audit", "cursor", deep, "actor", "admin:nobody@example.com")},
		{"audit: action", by("audit", "action", oneOf("client.update", "token.revoke", "client.create"))},
		{"audit: actions that begin so", by("audit", "action", oneOf("client.", "client.secret.", "scope."))},
		{"audit: action, rare", fixed("audit", "action", fill.RareAction)},
		{"audit: object", by("audit", "object", func(i int) string { return "client:" + ids[i%len(ids)] })},
		{"audit: since", by("audit", "since", func(i int) string { return ago(30 * (i%36 + 1)) })},
		{"audit: until", by("audit", "until", func(i int) string { return ago(30 * (i%36 + 1)) })},
		{"audit: since and until", func(i int) string { return query("audit", "since", ago(31*(i%30)+60), "until", ago(31*(i%30)+30)) }},
		{"audit: actor and action", by("audit", "actor", actor, "action", "client.update")},
		{"audit: object and action, since and until", func(i int) string {
			return query("audit", "object", "client:"+ids[i%len(ids)], "action", "client.", "since", ago(1000), "until", ago(10))
		}},
		{"scopes", fixed("scopes", "limit", "200")},
		{"scopes, deep", by("scopes", "cursor", func(i int) string { return cursor(fill.Scope(i * 17 % fill.Scopes)) })},
		{"resources", fixed("resources", "limit", "200")},
		{"resources, deep", by("resources", "cursor", func(i int) string { return cursor(fill.Resource(i * 17 % fill.Resources)) })},
		{"keys", fixed("keys")},
		{"secrets of a client", func(i int) string { return "/clients/" + ids[i%len(ids)] + "/secrets?" }},
	}
}

func tokenQuestions(ids []string, now time.Time) []question {
	deep := func(i int) string { return cursor(token.FirstID(now.Add(-time.Duration(i%20+2) * time.Hour)).String()) }
	some := func(i int) string { return ids[i%len(ids)] }
	scopes := func(i int) string { return fill.Scope(i * 31 % fill.Scopes) }
	return []question{
		{"tokens", fixed("tokens")},
		{"tokens, 200 a page, deep", by("tokens", "cursor", deep, "limit", "200")},
		{"tokens: client_id, of a client with many", fixed("tokens", "client_id", fill.BusyClient)},
		{"tokens: client_id, of a client with many, deep", by("tokens", "cursor", deep, "client_id", fill.BusyClient)},
		{"tokens: client_id, of a client with few", by("tokens", "client_id", some)},
		{"tokens: client_id that there is not", fixed("tokens", "client_id", "nobody")},
		{"tokens: scope", by("tokens", "scope", scopes)},
		{"tokens: scope, rare", fixed("tokens", "scope", fill.RareScope)},
		{"tokens: scope that none has, deep", by("tokens", "cursor", deep, "scope", "nowhere.read")},
		{"tokens: state", by("tokens", "state", oneOf("live", "expired", "revoked"))},
		{"tokens: state, deep", by("tokens", "cursor", deep, "state", "revoked")},
		{"tokens: client_id and scope", by("tokens", "scope", scopes, "client_id", fill.BusyClient)},
		{"tokens: client_id and state", by("tokens", "state", oneOf("live", "expired", "revoked"), "client_id", fill.BusyClient)},
		{"tokens: client_id, scope and state", by("tokens", "scope", scopes, "client_id", fill.BusyClient, "state", "revoked")},
		{"tokens: scope and state", by("tokens", "scope", scopes, "state", "expired")},
	}
}
