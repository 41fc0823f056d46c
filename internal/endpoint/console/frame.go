package console

import (
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/endpoint/page"
)

// The console is in English.
const (
	language = "en"
	brand    = "Ostiary"
)

// shell is what surrounds every page: where it is, and the ways around. The zero
// value is for whoever is not signed in.
type shell struct {
	Title       string
	Crumbs      []crumb // the pages above it, the highest first
	Application string  // its name; "": a page of the instance
	Nav         []group
	Who         string // the administrator's address
	Account     string // path of his own account
	Home        string
	Notice      string // what was done
	Refresh     bool   // it is asked for again every other second, where no script does
}

type crumb struct{ Label, Path string }

// group is a list of links, under a heading.
type group struct {
	Label string
	Links []navLink
}

type navLink struct {
	Label, Path string
	Here        bool
}

// pageOf is a page of a visit.
type pageOf struct {
	Title    string
	Section  string // the last segment of the entry of the navigation that it belongs to
	Crumbs   []crumb
	Problems []page.Problem
	Refresh  bool // what it shows goes on
	Data     any
}

// sections are the pages of an application that the navigation names, in order.
var sections = []struct{ label, path string }{
	{"Overview", "overview"},
	{"API clients", "clients"},
	{"Tokens", "tokens"},
	{"Users", "users"},
	{"Scopes", "scopes"},
	{"Resources", "resources"},
	{"Signing keys", "keys"},
	{"Audit log", "audit"},
	{"Administrators", "administrators"},
	{"Settings", "settings"},
}

// instancePages are those of the instance.
var instancePages = []navLink{
	{Label: "Applications", Path: Home + "/applications"},
	{Label: "Administrators", Path: Home + "/administrators"},
	{Label: "Audit log", Path: Home + "/audit"},
}

func (v *visit) nav(section string) []group {
	var groups []group
	if v.app != nil {
		g := group{Label: v.app.Name}
		for _, s := range sections {
			g.Links = append(g.Links, navLink{s.label, v.at(s.path), s.path == section})
		}
		groups = append(groups, g)
	}
	if v.access.Instance {
		g := group{Label: "Instance"}
		for _, l := range instancePages {
			l.Here = v.app == nil && strings.HasSuffix(l.Path, "/"+section)
			g.Links = append(g.Links, l)
		}
		return append(groups, g)
	}
	return append(groups, group{Label: "Instance", Links: []navLink{{Label: "Applications", Path: Home + "/applications", Here: v.app == nil}}})
}

// show answers with a page.
func (v *visit) show(status int, name string, p pageOf) error {
	s := shell{
		Title: p.Title, Crumbs: p.Crumbs, Nav: v.nav(p.Section), Who: v.who.Email, Account: Home + "/account", Home: Home,
		Refresh: p.Refresh,
	}
	if v.r.Method == http.MethodGet { // a form is posted to where it stands
		s.Notice = notices[v.r.URL.Query().Get("done")]
	}
	if v.app != nil {
		s.Application = v.app.Name
	}
	return v.set.Write(v.w, status, name, &page.View{
		Language: language, Brand: brand, Home: Home, Now: v.Now(), Problems: p.Problems, Shell: s, Data: p.Data,
	})
}

// may reports whether this administrator may do it in the application of the
// page; what he may not is not drawn.
func (v *visit) may(p admin.Permission) bool { return v.role.May(p) }

// functions are those that the templates call beside the kit's.
var functions = template.FuncMap{
	"count": count,
	"join":  strings.Join,
	"shell": inShell,
	"code":  inCode,
}

// count writes a number with its thousands apart.
func count(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
