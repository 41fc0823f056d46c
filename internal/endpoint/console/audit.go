package console

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ostiary/ostiary/internal/core/administrator"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/web"
)

func auditRoutes(s *routes) {
	s.get(inApplication+"/audit", toRead, func(v *visit) error { return v.audit(v.log()) })
	s.get(inApplication+"/audit/export", toRead, func(v *visit) error { return v.exportAudit(v.log()) })
	s.get(Home+"/audit", toRun, func(v *visit) error { return v.audit(v.instanceLog()) })
	s.get(Home+"/audit/export", toRun, func(v *visit) error { return v.exportAudit(v.instanceLog()) })
}

// auditLog is whose events a page is of.
type auditLog struct {
	applicationID string
	path          string // of the page
	of            string // the parameter of the page, of the instance's logs
	tabs          []navLink
	names         func(whom string) string // in place of a user's number; nil: the number is shown
}

func (v *visit) log() auditLog { return auditLog{applicationID: v.app.ID, path: v.at("audit")} }

// ofConsole is the parameter of the log of the console's own accounts.
const ofConsole = "console"

// instanceLog is one of the two logs that the instance has: what became of
// applications and keys, and of administrators.
func (v *visit) instanceLog() auditLog {
	log := auditLog{path: Home + "/audit"}
	if v.form.Get("of") == ofConsole {
		log.applicationID, log.of, log.names = administrator.ApplicationID, ofConsole, v.address
	}
	log.tabs = []navLink{
		{"Instance", log.path, log.of == ""},
		{"Administrators", with(log.path, "of", ofConsole), log.of == ofConsole},
	}
	return log
}

// address gives the address of an administrator whom an event names by number, as
// it names users; "" where it is no such name, or he is gone.
func (v *visit) address(whom string) string {
	uuid, ok := strings.CutPrefix(whom, "user:")
	if !ok {
		return ""
	}
	who, err := v.People.Get(v.r.Context(), administrator.ApplicationID, uuid)
	if err != nil {
		return "" // the number is as good
	}
	return who.Email
}

type auditData struct {
	Path, Of string
	Tabs     []navLink
	Filters  []*field
	Rows     []eventRow
	Pager    pager
	Any      bool   // whether the list is narrowed
	Export   string // path of all of it, with the filters
}

// audit is the list of events, narrowed by what the URL says.
func (v *visit) audit(log auditLog) error {
	d := auditData{Path: log.path, Of: log.of, Tabs: log.tabs, Filters: auditFilters(v.form.Get)}
	filter, ok := v.eventFilter()
	if !ok {
		return v.redirect(with(log.path, "of", log.of)) // a link that was cut, or put together by hand
	}
	for _, f := range d.Filters {
		d.Any = d.Any || f.Value != ""
	}
	events, next, err := v.Audit.Search(v.r.Context(), log.applicationID, filter)
	if err != nil {
		return err
	}
	d.Rows = eventRows(events, log)
	d.Pager = v.pages(log.path, next.String(), len(events))
	query := v.r.URL.Query()
	query.Del("cursor")
	if d.Export = log.path + "/export"; len(query) > 0 {
		d.Export += "?" + query.Encode()
	}
	return v.show(http.StatusOK, "audit", pageOf{Title: "Audit log", Section: "audit", Data: d})
}

// auditFilters are the ways to narrow the list, with what is chosen.
func auditFilters(value func(string) string) []*field {
	list := []*field{
		{Name: "actor", Label: "Who", Kind: "search", Placeholder: "admin:ann@example.com"},
		{Name: "action", Label: "What", Kind: "search", Placeholder: "client."},
		{Name: "object", Label: "Of what", Kind: "search", Placeholder: "client:"},
		{Name: "since", Label: "From", Kind: "date"},
		{Name: "until", Label: "To", Kind: "date"},
	}
	for _, f := range list {
		f.Value = value(f.Name)
	}
	return list
}

// eventFilter reads the filter of the query; false where it is none.
func (v *visit) eventFilter() (audit.Filter, bool) {
	f := audit.Filter{Actor: v.form.Get("actor"), Action: v.form.Get("action"), Object: v.form.Get("object"), Limit: perPage}
	for _, text := range []string{f.Actor, f.Action, f.Object} {
		if strings.ContainsRune(text, 0) || !utf8.ValidString(text) {
			return f, false
		}
	}
	var ok [3]bool
	f.Since, ok[0] = dayOf(v.form.Get("since"))
	if f.Until, ok[1] = dayOf(v.form.Get("until")); !f.Until.IsZero() {
		f.Until = f.Until.AddDate(0, 0, 1) // the day itself included
	}
	var err error
	f.After, err = audit.ParseCursor(v.form.Get("cursor"))
	ok[2] = err == nil
	return f, ok == [3]bool{true, true, true}
}

// dayOf reads the beginning of a day; "" is no day.
func dayOf(text string) (time.Time, bool) {
	if text == "" {
		return time.Time{}, true
	}
	day, err := time.Parse(time.DateOnly, text)
	return day, err == nil
}

// exportAudit hands out all events that the filters leave, a JSON object a line.
// Nothing of it is held for longer than a step.
func (v *visit) exportAudit(log auditLog) error {
	filter, ok := v.eventFilter()
	if !ok {
		return v.redirect(with(log.path, "of", log.of))
	}
	filter.After = audit.Cursor{}
	begun := false
	lines := json.NewEncoder(web.PatientWriter(v.w))
	lines.SetEscapeHTML(false)
	begin := func() {
		h := v.w.Header()
		h.Set("Content-Type", "application/x-ndjson")
		h.Set("Content-Disposition", `attachment; filename="audit.ndjson"`)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		begun = true
	}
	err := audit.Export(v.r.Context(), v.Audit, log.applicationID, filter, func(events []audit.Event) error {
		if !begun {
			begin()
		}
		for i := range events {
			if err := lines.Encode(events[i].View()); err != nil {
				return err
			}
		}
		return nil
	})
	switch {
	case err != nil && begun:
		panic(http.ErrAbortHandler) // the file must not seem whole
	case err == nil && !begun:
		begin()
	}
	return err
}
