//go:build linux

package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ostiary/ostiary/bench/fill"
	"github.com/ostiary/ostiary/internal/core/ident"
)

func userQuestions(some fill.Some) []question {
	deep := func(i int) string { return cursor(fmt.Sprintf(`{"s":%d}`, (i*7919+500_000)%listed+1)) }
	text := func(value func(int) string, pairs ...string) func(int) string {
		return by("users", "q", value, pairs...)
	}
	given := func(i int) string { return fill.GivenNames[i*7%len(fill.GivenNames)] }
	uuid := func(i int) string { return some.Users[i%len(some.Users)] }
	return []question{
		{"users", fixed("users")},
		{"users, 200 a page", fixed("users", "limit", "200")},
		{"users, deep", by("users", "cursor", deep)},
		{"users: active", by("users", "active", oneOf("true", "false"))},
		{"users: inactive, deep", by("users", "cursor", deep, "active", "false")},
		{"users: role, frequent", fixed("users", "role", fill.FrequentRole)},
		{"users: role, frequent, deep", by("users", "cursor", deep, "role", fill.FrequentRole)},
		{"users: role, rare", fixed("users", "role", fill.RareRole)},
		{"users: role that none has", fixed("users", "role", "nobody")},
		{"users: role and inactive", fixed("users", "role", fill.FrequentRole, "active", "false")},
		{"users: rare role and inactive", fixed("users", "role", fill.RareRole, "active", "false")},
		{"users: q, 1 character", text(oneOf("a", "b", "m", "0"))},
		{"users: q, 3 characters", text(func(i int) string { return strings.ToLower(given(i)[:3]) })},
		{"users: q, a frequent word", text(given)},
		{"users: q, a frequent word, 200 a page", text(given, "limit", "200")},
		{"users: q, a rare word", fixed("users", "q", fill.RareWord)},
		{"users: q, two words", text(func(i int) string { return given(i) + " north" })},
		{"users: q, a frequent word and a rare one", text(func(i int) string { return given(i) + " " + fill.RareWord })},
		{"users: q, two frequent words that none has", text(oneOf("elizabeth margaret", "charlotte mohammed", "example.com kirkbride"))},
		{"users: q, a domain", text(oneOf(fill.Mails...))},
		{"users: q, a domain and a word", text(func(i int) string { return "@mail.example.com " + given(i) })},
		{"users: q, a miss", text(func(int) string { return ident.Record()[:9] })},
		{"users: q, an address", text(func(i int) string { return fill.Email((i + 1) * 7919 % listed) })},
		{"users: q, the beginning of an address", text(func(i int) string { return strings.ToLower(given(i)) + "." + strconv.Itoa(i) })},
		{"users: q, a uuid", text(uuid)},
		{"users: q, the beginning of a uuid", text(func(i int) string { return uuid(i)[:8] })},
		{"users: q and a rare role", text(given, "role", fill.RareRole)},
		{"users: q and inactive", text(given, "active", "false")},
		{"users: one by uuid", func(i int) string { return "/users/" + uuid(i) + "?" }},
	}
}

func consentQuestions(some fill.Some) []question {
	deep := func(i int) string { return cursor(strconv.Itoa(i*100_003%listed + 1)) }
	uuid := func(i int) string { return some.Users[(i+1)%len(some.Users)] }
	return []question{
		{"consents", fixed("consents")},
		{"consents, 200 a page, deep", by("consents", "cursor", deep, "limit", "200")},
		{"consents: user_id", by("consents", "user_id", uuid)},
		{"consents: user_id, of a user with 200", fixed("consents", "user_id", some.Users[len(some.Users)/2])},
		{"consents: client_id, of a client with many", fixed("consents", "client_id", fill.BusyClient)},
		{"consents: client_id, of a client with many, deep", by("consents", "cursor", deep, "client_id", fill.BusyClient)},
		{"consents: user_id and client_id", by("consents", "user_id", uuid, "client_id", fill.BusyClient)},
	}
}
