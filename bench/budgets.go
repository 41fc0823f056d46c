//go:build linux

package main

import (
	"cmp"
	"slices"

	"github.com/ostiary/ostiary/bench/report"
)

// at64 names the CPU time of a work at 64 connections: where writers share
// commits. at16 names that of all else.
func at64(target, work string) string { return figure(target, work, 64, "cpu") }

func at16(target, work string) string { return figure(target, work, 16, "cpu") }

func floor(work string) string { return figure("floor", work, 0, "cpu") }

var (
	floorGet    = at16("floor", "get")
	floorGet64  = at64("floor", "get")
	floorPost   = at16("floor", "post")
	floorPost64 = at64("floor", "post")
	floorJWT    = floor("jwt")
	floorVerify = floor("verify")
	floorRow    = floor("rows_sqlite")
	floorSelect = floor("reads_sqlite")
	floorRowPG  = figure("floor", "rows_postgres", 0, "both")
)

// floorNames are how the tables call the floors, in their order.
var floorNames = []struct{ figure, label, says string }{
	{floorGet, "GET", "`GET` hello, net/http, 16 connections"},
	{floorGet64, "GET", "the same, 64 connections"},
	{floorPost, "POST", "`POST`, form and Basic parsed, net/http, 16 connections"},
	{floorPost64, "POST", "the same, 64 connections"},
	{floor("es256"), "ES256", "ES256 signature"},
	{floorJWT, "JWT", "ES256 compact JWT, by hand"},
	{floor("jwt_jose"), "", "the same with go-jose's serializer"},
	{floorVerify, "verification", "ES256 verification"},
	{floor("jwt_eddsa"), "", "EdDSA compact JWT, by hand"},
	{floor("rsa2048"), "", "RSA-2048 signature"},
	{floorRow, "row", "a durable family, SQLite, 64 writers"},
	{floorSelect, "SELECT", "a family read by its id, SQLite"},
	{floor("rows_postgres"), "", "a durable family, PostgreSQL, 64 writers: this side"},
	{floorRowPG, "PostgreSQL row", "the same, both sides"},
	{figure("floor", "reads_postgres", 0, "both"), "", "a family read by its id, PostgreSQL, both sides"},
	{floor("hmac"), "", "HMAC-SHA-256 of 64 bytes"},
	{floor("argon2id"), "", "argon2id, 19 MiB, t = 2"},
}

func label(figure string) string {
	switch figure {
	case at16("sqlite", "introspect_opaque"), at16("sqlite", "introspect_jwt"):
		return "introspection"
	}
	for _, f := range floorNames {
		if f.figure == figure {
			return f.label
		}
	}
	return figure
}

// cpuBudgets are the budgets in CPU time, as multiples of floors of the same
// round.
var cpuBudgets = []report.Budget{
	{Work: "client credentials, JWT, SQLite, 64 connections", Figure: at64("sqlite", "cc_jwt"), Factor: 1.5, Floors: []string{floorPost64, floorJWT, floorRow}},
	{Work: "client credentials, opaque, SQLite, 64 connections", Figure: at64("sqlite", "cc_opaque"), Factor: 1.5, Floors: []string{floorPost64, floorRow}},
	{Work: "client credentials, JWT, PostgreSQL, both processes, 64 connections", Figure: at64("postgres", "cc_jwt"), Factor: 1.6, Floors: []string{floorPost64, floorJWT, floorRowPG}},
	{Work: "refresh, JWT, SQLite, 64 connections", Figure: at64("sqlite", "refresh"), Factor: 1.6, Floors: []string{floorPost64, floorJWT, floorRow}},
	{Work: "refresh, JWT, PostgreSQL, both processes, 64 connections", Figure: at64("postgres", "refresh"), Factor: 1.6, Floors: []string{floorPost64, floorJWT, floorRowPG}},
	{
		Work: "code flow: authorize, token with access and ID token, 64 connections", Figure: at64("sqlite", "code_flow"), Factor: 1.8,
		Floors: []string{floorGet64, floorPost64, floorJWT, floorJWT, floorRow, floorRow},
	},
	{Work: "introspection, opaque, state in memory", Figure: at16("sqlite", "introspect_opaque"), Factor: 1.6, Floors: []string{floorPost}},
	{Work: "introspection, opaque, state on disk", Figure: at16("sqlite", "introspect_opaque_cold"), Factor: 1.6, Floors: []string{floorPost}, Plus: []string{floorSelect}},
	{Work: "introspection, JWT, first sight", Figure: at16("sqlite", "introspect_jwt_first"), Factor: 1.5, Floors: []string{floorPost, floorVerify}},
	{Work: "introspection, JWT, again", Figure: at16("sqlite", "introspect_jwt"), Factor: 2, Floors: []string{floorPost}},
	{Work: "a forged opaque token", Figure: at16("sqlite", "forged_opaque"), Factor: 1.5, Floors: []string{floorPost}},
	{Work: "a forged JWT", Figure: at16("sqlite", "forged_jwt"), Factor: 1.5, Floors: []string{floorPost, floorVerify}},
	{Work: "discovery", Figure: at16("sqlite", "discovery"), Factor: 1.5, Floors: []string{floorGet}},
	{Work: "JWKS", Figure: at16("sqlite", "jwks"), Factor: 1.5, Floors: []string{floorGet}},
	{
		Work: "gateway check, opaque", Figure: at16("sqlite", "check"), Factor: 1.6, Floors: []string{floorGet},
		Plus: []string{at16("sqlite", "introspect_opaque")}, Less: []string{floorPost},
	},
	{
		Work: "userinfo, JWT", Figure: at16("sqlite", "userinfo"), Factor: 1.6, Floors: []string{floorGet},
		Plus: []string{at16("sqlite", "introspect_jwt")}, Less: []string{floorPost},
	},
	{Work: "Configuration API, create, 64 connections", Figure: at64("sqlite", "config_create"), Factor: 2, Floors: []string{floorPost64, floorRow, floorRow, floorRow}},
}

// growthBudgets compare with the same work in a small instance.
var growthBudgets = []report.Budget{
	{Work: "client credentials, JWT, 1,000,000 clients", Figure: at64("growth-clients", "cc_jwt"), Factor: 1.2, Floors: []string{at64("growth-small", "cc_jwt")}},
	{Work: "introspection, JWT, 1,000,000 clients", Figure: at64("growth-clients", "introspect_jwt"), Factor: 1.2, Floors: []string{at64("growth-small", "introspect_jwt")}},
	{Work: "client credentials, JWT, 1,000,000 families", Figure: at64("growth-families", "cc_jwt"), Factor: 1.2, Floors: []string{at64("growth-small", "cc_jwt")}},
	{Work: "introspection, JWT, 1,000,000 families", Figure: at64("growth-families", "introspect_jwt"), Factor: 1.2, Floors: []string{at64("growth-small", "introspect_jwt")}},
	{Work: "client credentials, JWT, 10,000,000 families", Figure: at64("growth-families10", "cc_jwt"), Factor: 1.2, Floors: []string{at64("growth-small", "cc_jwt")}},
	{Work: "introspection, JWT, 10,000,000 families", Figure: at64("growth-families10", "introspect_jwt"), Factor: 1.2, Floors: []string{at64("growth-small", "introspect_jwt")}},
}

// bounds are the budgets that are plain numbers.
var bounds = []report.Bound{
	{Work: "resident memory, idle", Figure: figure("sqlite", "rss_idle", 0, "MiB"), Most: 40, Unit: "MiB"},
	{Work: "resident memory, after 1,000,000 issues", Figure: figure("sqlite", "rss_issued", 0, "MiB"), Most: 150, Unit: "MiB"},
	{Work: "resident memory, 1,000,000 clients in the database", Figure: figure("sqlite", "rss_clients", 0, "MiB"), Most: 200, Unit: "MiB"},
	{Work: "start to the first 200, empty", Figure: figure("sqlite", "start_empty", 0, "ms"), Most: 150, Unit: "ms"},
	{Work: "start to the first 200, 1,000,000 clients", Figure: figure("sqlite", "start_clients", 0, "ms"), Most: 2000, Unit: "ms"},
	{Work: "resident memory after all lists, 1,000,000 clients, SQLite", Figure: figure("lists-sqlite", "rss", 0, "MiB"), Most: 200, Unit: "MiB"},
	{Work: "the same, PostgreSQL", Figure: figure("lists-postgres", "rss", 0, "MiB"), Most: 200, Unit: "MiB"},
	{Work: "start to the first 200, 1,000,000 clients and events, SQLite", Figure: figure("lists-sqlite", "start", 0, "ms"), Most: 2000, Unit: "ms"},
	{Work: "the same, PostgreSQL", Figure: figure("lists-postgres", "start", 0, "ms"), Most: 2000, Unit: "ms"},
	{Work: "import of 100,000 clients beside them, SQLite", Figure: figure("lists-sqlite", "import", 0, "s"), Most: 60, Unit: "s"},
	{Work: "the same, PostgreSQL", Figure: figure("lists-postgres", "import", 0, "s"), Most: 60, Unit: "s"},
	{Work: "the heaviest page of the console with 1,000,000 of everything, SQLite", Figure: figure("lists-sqlite", "console", 0, "heaviest"), Most: 100, Unit: "KB"},
	{Work: "the same, PostgreSQL", Figure: figure("lists-postgres", "console", 0, "heaviest"), Most: 100, Unit: "KB"},
	{Work: "static binary", Figure: figure("sqlite", "binary", 0, "MB"), Most: 45, Unit: "MB"},
	{Work: "throughput with a commit that takes 5 ms longer, 256 connections", Figure: figure("sqlite", "commit_share", 256, "%"), Least: 80, Unit: "% of that without"},
}

// works are the rows of the tables of latency, and what they are called. Each
// round goes through them in this order, so that the floors of a kind of request
// are measured just before it, and the servers one after the other.
var works = []struct{ work, says string }{
	{"get", "`GET` hello"},
	{"discovery", "discovery"},
	{"jwks", "JWKS"},
	{"check", "gateway check, opaque"},
	{"userinfo", "userinfo, JWT"},
	{"post", "`POST`, form and Basic"},
	{"introspect_opaque", "introspection, opaque"},
	{"introspect_jwt", "introspection, JWT"},
	{"forged_opaque", "forged opaque token"},
	{"cc_opaque", "client credentials, opaque"},
	{"cc_jwt", "client credentials, JWT"},
	{"refresh", "refresh, JWT"},
	{"code_flow", "code flow: authorize and token"},
	{"forged_jwt", "forged JWT"},
	{"introspect_jwt_first", "introspection, JWT, first sight"},
	{"introspect_opaque_cold", "introspection, opaque, state on disk"},
	{"config_create", "Configuration API, create"},
}

// inOrder compares two cells by the order of works.
func inOrder(a, b cell) int {
	place := func(c cell) int {
		return slices.IndexFunc(works, func(w struct{ work, says string }) bool { return w.work == c.work })
	}
	return cmp.Compare(place(a), place(b))
}
