package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/endpoint/page"
	"github.com/ostiary/ostiary/internal/web"
)

func clientSecretRoutes(s *routes) {
	const all = inClient + "/secrets"
	s.get(all, toRead, (*visit).secrets)
	s.post(all, to(admin.EditOwnClients), (*visit).addSecret)
	s.get(all+"/regenerate", to(admin.EditOwnClients), (*visit).askRegenerate)
	s.post(all+"/regenerate", to(admin.EditOwnClients), (*visit).regenerate)
	s.get(all+"/{secret}/retire", to(admin.EditOwnClients), (*visit).askRetire)
	s.post(all+"/{secret}/retire", to(admin.EditOwnClients), (*visit).retire)
	s.post(all+"/{secret}/reveal", to(admin.RevealSecrets), (*visit).reveal)
}

type secretsData struct {
	Path       string
	Revision   int64 // of the client
	Rows       []secretRow
	None       string // why the client can have no secret; "": it can
	Full       bool   // it has as many as it may
	Most       int
	Revealable bool
	Change     bool     // whether something may be done with one
	Add        []*field // of the form for one more; nil: not his to make
	Regenerate string
}

type secretRow struct {
	ID, Label, Hint            string
	Created, LastUsed, Expires time.Time
	Over                       bool   // it works no more
	Retire, Reveal             string // paths; "": not his to do
}

// secrets lists the secrets of a client.
func (v *visit) secrets() error {
	found, view, err := v.client()
	if err != nil {
		return err
	}
	return v.showSecrets(http.StatusOK, found, &view, secretFields(v.form), nil)
}

// showSecrets shows them, with the form for one more as it was sent.
func (v *visit) showSecrets(status int, found *client.Client, view *client.View, fields []*field, problems []page.Problem) error {
	d := secretsData{
		Path: v.at("clients", found.ID, "secrets"), Revision: found.Revision, None: noSecret(found), Most: client.MaxSecrets, Revealable: v.app.Settings.Revealable(),
	}
	edits := v.operations().MayEdit(found)
	working := 0
	for i := range view.Secrets {
		s := &view.Secrets[i]
		row := secretRow{ID: s.ID, Label: s.Label, Hint: s.Hint, Created: s.CreatedAt, Over: !found.Secrets[i].Live(v.Now())}
		if s.ExpiresAt != nil {
			row.Expires = *s.ExpiresAt
		}
		if s.LastUsedAt != nil {
			row.LastUsed = *s.LastUsedAt
		}
		if !row.Over {
			working++
		}
		at := d.Path + "/" + s.ID
		if edits {
			row.Retire = at + "/retire"
		}
		if v.may(admin.RevealSecrets) && d.Revealable && found.Secrets[i].Sealed != nil {
			row.Reveal = at + "/reveal"
		}
		d.Change = d.Change || row.Retire != "" || row.Reveal != ""
		d.Rows = append(d.Rows, row)
	}
	d.Full = working >= client.MaxSecrets
	if edits && d.None == "" {
		d.Add, d.Regenerate = fields, d.Path+"/regenerate"
	}
	p := v.clientPage(found, view, "secrets", d)
	p.Problems = problems
	return v.show(status, "client-secrets", p)
}

// noSecret says why a client has no secrets; "": it may have them.
func noSecret(c *client.Client) string {
	switch {
	case !c.Public || c.Settings.IssueSecret:
		return ""
	case c.Kind == client.Native:
		return "An app on a device is a public client: whoever has it can read what is in it, so a secret would prove nothing. It proves itself by PKCE. " +
			"Where its library insists on a secret, tick “" + issueSecret + "” in its settings."
	default:
		return "A public client runs where everybody can read it, in a browser for one, so it can keep no secret. It proves itself by PKCE."
	}
}

// secretFields is the form for one more secret.
func secretFields(form url.Values) []*field {
	list := []*field{
		{Name: "label", Label: "Label", Help: "What it is for, as the name of the machine that has it."},
		{Name: "expires_on", Label: "Works until the end of", Kind: "date", Help: "UTC. Left empty, it works until it is retired."},
		{
			Name: "retire_others_in_hours", Label: "Retire the others in", Kind: "number", Unit: "hours",
			Help: "0: they are dead at once. Left empty, they stay as they are.",
		},
	}
	for _, f := range list {
		f.Value = form.Get(f.Name)
	}
	return list
}

// addSecret makes one more secret, and shows it this once.
func (v *visit) addSecret() error {
	found, view, err := v.editable()
	if err != nil {
		return err
	}
	fields := secretFields(v.form)
	var problems fault.Problems
	label := strings.TrimSpace(v.form.Get("label"))
	asked := client.SecretFields{Label: &label}
	if text := v.form.Get("expires_on"); text != "" {
		end, err := time.Parse(time.DateOnly, text)
		if err != nil {
			problems.Add("expires_on", "Write a date as 2030-01-31.")
		}
		asked.ExpiresAt = new(end.Add(day))
	}
	if text := strings.TrimSpace(v.form.Get("retire_others_in_hours")); text != "" {
		hours, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			problems.Add("retire_others_in_hours", "Write a whole number of hours.")
		}
		asked.RetireOthersInHours = &hours
	}
	if err = problems.OrNil(); err == nil {
		old := v.working(found, &view)
		if hours := asked.RetireOthersInHours; hours != nil && *hours == 0 && len(old) > 0 && !v.checked("sure") {
			return v.askAdd(found, fields, old)
		}
		err = v.makeSecret(found, asked)
	}
	return v.refuseSecret(err, found, &view, fields)
}

// askAdd asks before the old secrets end at once, for the sake of one more.
func (v *visit) askAdd(found *client.Client, fields []*field, old []string) error {
	q := question{
		Text:    "Add a secret, and end the others now?",
		Effects: append(old, "What still uses one of them is refused at once; there is no undo.", "Tokens that are out live on."),
		Action:  v.r.URL.Path, Hidden: []hidden{{"sure", "yes"}, {"revision", v.form.Get("revision")}}, Button: "Add it, and end the others", Back: v.at("clients", found.ID, "secrets"),
	}
	for _, f := range fields {
		q.Hidden = append(q.Hidden, hidden{f.Name, f.Value})
	}
	return v.ask(http.StatusOK, v.belowClient(found, "Add a secret"), q)
}

// refuseSecret shows the form again, with what was refused of it.
func (v *visit) refuseSecret(err error, found *client.Client, view *client.View, fields []*field) error {
	if err == nil {
		return nil
	}
	status, refused, err := refusedForm(err)
	if err != nil {
		return err
	}
	for i := range refused {
		if refused[i].Field == "expires_at" {
			refused[i].Field = "expires_on"
		}
	}
	beside(refused, fields...)
	return v.showSecrets(status, found, view, fields, summary(refused, fields...))
}

type secretMade struct {
	Secret  string
	File    string // name of the file that it may be kept in
	ID      string
	Text    string // what it is
	Again   bool   // it can be seen again
	Back    string
	Expires time.Time
}

// secretOf is a secret of a client as a page shows it.
func secretOf(app *application.Application, clientID, secret string) secretMade {
	made := secretMade{Secret: secret, ID: clientID, File: clientID + ".secret.txt", Again: app.Settings.Revealable()}
	if made.Text = "It is not shown again; if it is lost, regenerate it."; made.Again {
		made.Text = "An owner can look at it again; each look is audited."
	}
	return made
}

// errMadeAlready refuses a form that was sent once more, as by a reload of the page
// that shows the secret: another one would end the one that was just kept.
var errMadeAlready = fault.Conflictf("No secret was made: the client was changed after this form was shown, maybe by sending it once already. Look at the secrets that there are.")

// makeSecret makes a secret and answers with the one page that shows it.
func (v *visit) makeSecret(found *client.Client, asked client.SecretFields) error {
	changed, fresh, text, err := v.operations().AddSecret(v.r.Context(), v.source, v.app, found.ID, asked, v.revision())
	if fault.KindOf(err) == fault.Precondition {
		return errMadeAlready
	}
	if err != nil {
		return err
	}
	made, said := secretOf(v.app, found.ID, text), "The others work as before."
	if hours := asked.RetireOthersInHours; hours != nil && len(changed.Secrets) > 1 {
		said = "The others work until " + written(v.Now().Add(time.Duration(*hours)*time.Hour)) + "."
		if *hours == 0 {
			said = "The others are dead."
		}
	} else if len(changed.Secrets) == 1 {
		said = "It is the only one."
	}
	made.Text, made.Expires = made.Text+" "+said, fresh.ExpiresAt
	return v.showSecret(changed, "New secret", made)
}

// showSecret is the page that shows a secret, in the answer to the form that
// asked for it.
func (v *visit) showSecret(c *client.Client, name string, made secretMade) error {
	made.Back = v.at("clients", c.ID, "secrets")
	p := v.belowClient(c, name)
	p.Data = made
	return v.show(http.StatusOK, "client-secret", p)
}

// overlaps are how long those that there are may go on working, in hours.
var overlaps = []option{
	{Value: "0", Label: "No longer", Help: "They are dead at once: what still uses one is refused."},
	{Value: "1", Label: "An hour"},
	{Value: "24", Label: "A day"},
	{Value: "72", Label: "Three days"},
	{Value: "168", Label: "A week", Help: "The longest."},
}

type regenerateData struct {
	Action, Back string
	Revision     int64 // of the client
	Overlap      *field
	Old          []string // the secrets that work now
}

// askRegenerate asks how long the old secrets are to work.
func (v *visit) askRegenerate() error {
	found, view, err := v.client()
	if err != nil {
		return err
	}
	return v.showRegenerate(http.StatusOK, found, &view, "24", nil)
}

func (v *visit) showRegenerate(status int, found *client.Client, view *client.View, chosen string, problems []page.Problem) error {
	if text := noSecret(found); text != "" {
		return fault.Conflictf("%s", text)
	}
	if !v.operations().MayEdit(found) {
		return errNotYours
	}
	p := v.belowClient(found, "Regenerate the secret")
	d := regenerateData{Action: v.r.URL.Path, Back: v.at("clients", found.ID, "secrets"), Revision: found.Revision, Overlap: &field{
		Name: "retire_others_in_hours", Label: "The old ones work for", Kind: "radios", Options: overlaps, Value: chosen,
	}, Old: v.working(found, view)}
	if len(d.Old) == 1 {
		d.Overlap.Label = "The old one works for"
	}
	beside(problems, d.Overlap)
	p.Data, p.Problems = d, problems
	return v.show(status, "client-regenerate", p)
}

// errNotYours says that a client is another's, or guarded.
var errNotYours = fault.Deniedf("Your role does not permit to change this client.")

// regenerate makes a secret in the place of those that there are.
func (v *visit) regenerate() error {
	found, view, err := v.client()
	if err != nil {
		return err
	}
	chosen := v.form.Get("retire_others_in_hours")
	hours, err := strconv.ParseInt(chosen, 10, 64)
	if err != nil || !slices.ContainsFunc(overlaps, func(o option) bool { return o.Value == chosen }) {
		err = fault.Invalidf("retire_others_in_hours", "Choose how long the old ones are to work.")
	} else {
		err = v.makeSecret(found, client.SecretFields{RetireOthersInHours: &hours})
	}
	if err == nil {
		return nil
	}
	status, refused, err := refusedForm(err)
	if err != nil {
		return err
	}
	return v.showRegenerate(status, found, &view, chosen, refused)
}

// secret gives the secret of the path.
func (v *visit) secret(view *client.View) (*client.SecretView, error) {
	i := slices.IndexFunc(view.Secrets, func(s client.SecretView) bool { return s.ID == v.r.PathValue("secret") })
	if i < 0 {
		return nil, web.ErrNotFound
	}
	return &view.Secrets[i], nil
}

// secretTitle names a secret.
func secretTitle(s *client.SecretView) string {
	if s.Label == "" {
		return "the secret that ends in …" + s.Hint
	}
	return "the secret “" + s.Label + "”, which ends in …" + s.Hint
}

// lastUse says when a secret was used.
func lastUse(s *client.SecretView) string {
	if s.LastUsedAt == nil {
		return "never used"
	}
	return "last used on " + written(*s.LastUsedAt)
}

// working names the secrets that work now, each with its last use.
func (v *visit) working(found *client.Client, view *client.View) (list []string) {
	for i := range view.Secrets {
		if found.Secrets[i].Live(v.Now()) {
			list = append(list, title(secretTitle(&view.Secrets[i]))+": "+lastUse(&view.Secrets[i])+".")
		}
	}
	return list
}

// askRetire asks before a secret ends.
func (v *visit) askRetire() error {
	found, view, err := v.client()
	if err != nil {
		return err
	}
	s, err := v.secret(&view)
	if err != nil {
		return err
	}
	if !v.operations().MayEdit(found) {
		return errNotYours
	}
	q := question{
		Text: "Retire " + secretTitle(s) + "?", Action: v.r.URL.Path, Button: "Retire", Back: v.at("clients", found.ID, "secrets"),
		Effects: []string{"What still uses it is refused at once; there is no undo.", "It was " + lastUse(s) + "."},
	}
	others := slices.ContainsFunc(found.Secrets, func(o client.Secret) bool { return o.ID != s.ID && o.Live(v.Now()) })
	if !others {
		q.Effects = append(q.Effects, "It is the only one that works: without it the client can get no token.")
	}
	q.Effects = append(q.Effects, "Tokens that are out live on.")
	return v.ask(http.StatusOK, v.belowClient(found, "Retire a secret"), q)
}

// retire ends a secret.
func (v *visit) retire() error {
	found, _, err := v.client()
	if err != nil {
		return err
	}
	if _, err := v.operations().RetireSecret(v.r.Context(), v.source, v.app, found.ID, v.r.PathValue("secret"), nil); err != nil {
		return err
	}
	return v.done(v.at("clients", found.ID, "secrets"), "retired")
}

// reveal shows a secret again; the look is audited.
func (v *visit) reveal() error {
	found, view, err := v.client()
	if err != nil {
		return err
	}
	s, err := v.secret(&view)
	if err != nil {
		return err
	}
	text, err := v.operations().Reveal(v.r.Context(), v.source, v.app, found.ID, s.ID)
	if err != nil {
		return err
	}
	made := secretOf(v.app, found.ID, text)
	made.Text = "This look at it is in the audit log."
	if s.ExpiresAt != nil {
		made.Expires = *s.ExpiresAt
	}
	return v.showSecret(found, "Secret", made)
}
