package console_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/servertest"
)

// madeUser makes a user by the form, and gives the path of the record.
func (r *rig) madeUser(pairs ...string) string {
	r.t.Helper()
	a := r.post(r.at("/users/new"), pairs...).shows(http.StatusSeeOther)
	path, _, _ := strings.Cut(a.location, "?")
	return path
}

// stored is the user of a path.
func (r *rig) stored(path string) *user.User {
	r.t.Helper()
	u, err := r.App.People.Get(r.t.Context(), r.ApplicationID, path[strings.LastIndexByte(path, '/')+1:])
	if err != nil {
		r.t.Fatal(err)
	}
	return u
}

func TestUsers(t *testing.T) {
	r := start(t, servertest.Options{})
	r.get(r.at("/users")).shows(http.StatusOK, "There are no users yet", "Make the first one")
	path := r.madeUser("email", "anna@example.com", "email_verified", "true", "roles", "buyer\nseller", "password", "a pass that nobody guesses",
		"attributes.displayName", "Anna <b>", "attributes.birthday", "1980-02-29", "attributes.primaryAddress.city", "Ulm",
		"attributes.photos", `[{"type":"normal","value":"https://example.com/<p>"}]`)
	page := r.get(path).shows(http.StatusOK, "Anna &lt;b&gt;", `value="anna@example.com"`, "verified; another address is not", "buyer\nseller</textarea>",
		`value="1980-02-29"`, `value="Ulm"`, "https://example.com/&lt;p&gt;", "<details class=\"group-of-fields\" open>")
	r.get(r.at("/users?q=anna&active=true&role=buyer")).shows(http.StatusOK, "anna@example.com", "Anna &lt;b&gt;", "seller")
	r.get(r.at("/users?q=berta")).shows(http.StatusOK, "No user is like that")
	for _, odd := range []string{"?q=%00", "?role=%ff", "?cursor=x", "?cursor=%7B%22s%22%3A-1%7D"} {
		r.get(r.at("/users" + odd)).shows(http.StatusSeeOther)
	}

	save := func(pairs ...string) *answer { return r.post(path, pairs...) }
	save("revision", page.revision(), "email", "berta@example.com", "email_verified", "", "roles", "seller", "attributes.displayName", "Berta", "attributes.photos", "").
		shows(http.StatusSeeOther)
	u := r.stored(path)
	if u.Email != "berta@example.com" || !u.EmailVerifiedAt.IsZero() || u.Attributes["photos"] != nil || u.Attributes["birthday"] != "1980-02-29" {
		t.Errorf("stored: %+v", u)
	}
	late := save("revision", page.revision(), "email", "anna@example.com", "roles", "buyer", "attributes.displayName", "Anna").
		shows(http.StatusPreconditionFailed, "What differs from what is stored now", "berta@example.com", "Berta", `value="anna@example.com"`)
	save("revision", late.revision(), "email", "anna@example.com", "roles", "buyer", "attributes.displayName", "Anna").shows(http.StatusSeeOther)
	if u := r.stored(path); u.Email != "anna@example.com" {
		t.Errorf("stored: %+v", u)
	}
}

func TestRefusedUsers(t *testing.T) {
	r := start(t, servertest.Options{})
	r.madeUser("email", "anna@example.com")
	r.post(r.at("/users/new"), "email", "ANNA@example.com", "attributes.displayName", hostile[0]).shows(http.StatusConflict, `id="problem-email"`, "&lt;script&gt;").lacksMarkup()
	r.post(r.at("/users/new"), "email", "x", "roles", "fine\n"+strings.Repeat("r", 101), "password", "secret-typed", "attributes.birthday", "never",
		"attributes.primaryAddress.zip", strings.Repeat("1", 51), "attributes.photos", `[{"value":1}]`).
		shows(http.StatusUnprocessableEntity, `id="problem-email"`, "Entry 2: Write 1 to 100", `id="problem-attributes.birthday"`,
			`id="problem-attributes.primaryAddress.zip"`, "Entry 1, value: Write a string.").lacks("secret-typed")
	r.post(r.at("/users/new"), "email", "b@example.com", "attributes.photos", `[{"`, "attributes.profiles", "<script>alert(1)</script>").
		shows(http.StatusUnprocessableEntity, "This is no JSON", "[{&#34;</textarea>").lacksMarkup()
	r.post(r.at("/users/new"), "email", "b@example.com", "password", "short").shows(http.StatusUnprocessableEntity, `id="problem-password"`).lacks(`value="short"`)
}

// What a user is made of comes out as text, whatever it is.
func TestHostileUsers(t *testing.T) {
	r := start(t, servertest.Options{})
	for i, text := range hostile {
		name := text[:min(len(text), 250)]
		path := r.madeUser("roles", text[:min(len(text), 90)], "attributes.displayName", name, "attributes.aboutMe", text,
			"attributes.profiles", `[{"domain":"`+strings.ReplaceAll(name, `"`, `\"`)+`"}]`)
		for _, below := range []string{"", "/signin", "/access", "/deactivate", "/delete", "/sessions"} {
			r.get(path + below).shows(http.StatusOK).lacksMarkup()
		}
		if got := r.stored(path).Attributes["aboutMe"]; got != text {
			t.Errorf("%d: stored %q", i, got)
		}
	}
	r.get(r.at("/users")).shows(http.StatusOK).lacksMarkup()
}

var linkShown = regexp.MustCompile(`http://[^"< ]+/signin/link\?token=[A-Za-z0-9_-]+`)

func TestPasswordsAndResetLinks(t *testing.T) {
	r := start(t, servertest.Options{})
	path := r.madeUser("email", "anna@example.com")
	r.get(path+"/signin").shows(http.StatusOK, "The user has no password.", "Make a reset link")
	r.post(path+"/password", "password", "password1").shows(http.StatusUnprocessableEntity, `id="problem-password"`).lacks("password1")
	r.post(path+"/password", "password", "").shows(http.StatusUnprocessableEntity, `id="problem-password"`)
	r.post(path+"/password", "password", "a pass that nobody guesses").shows(http.StatusSeeOther)
	r.get(path+"/signin").shows(http.StatusOK, "The user has a password.")

	made := r.post(path+"/reset-link").shows(http.StatusCreated, "It is shown now, and never again")
	link := linkShown.FindString(made.body)
	if made.header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(link, r.Issuer+"/signin/link?token=") {
		t.Fatalf("%q, %v", link, made.header)
	}
	r.get(strings.TrimPrefix(link, r.URL)).shows(http.StatusSeeOther)
	r.get(path + "/signin").lacks("/signin/link")
}

func TestEndsOfUsers(t *testing.T) {
	r := start(t, servertest.Options{})
	path := r.madeUser("email", "anna@example.com", "attributes.displayName", "Anna")
	app, err := r.App.Applications.Get(t.Context(), r.ApplicationID)
	if err != nil {
		t.Fatal(err)
	}
	agent := session.SignIn{ACR: session.OneFactor, UserAgent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0 <script>alert(1)</script>"}
	var sids []string
	for range 3 {
		s, _, err := r.App.Sessions.Begin(t.Context(), audit.System(), app, r.stored(path), agent)
		if err != nil {
			t.Fatal(err)
		}
		sids = append(sids, s.SID)
	}
	r.get(path+"/signin").shows(http.StatusOK, "It ends at once, for good: 3 sessions, 0 live tokens", "Firefox on Linux", "one factor", sids[0], "End all…").lacksMarkup()
	r.post(path+"/session", "session", sids[0]).shows(http.StatusSeeOther)
	r.post(path+"/session", "session", "\x00").shows(http.StatusBadRequest)
	r.get(path + "/signin").shows(http.StatusOK).lacks(sids[0])
	r.get(path+"/sessions").shows(http.StatusOK, "2 sessions end now")
	r.post(path + "/sessions").shows(http.StatusSeeOther)
	r.get(path+"/signin").shows(http.StatusOK, "signed in nowhere", "from the next sign-in on")

	r.get(path+"/deactivate").shows(http.StatusOK, "Dies now, for good: 0 sessions, 0 live tokens")
	r.post(path + "/deactivate").shows(http.StatusSeeOther)
	r.get(path+"/signin").shows(http.StatusOK, "inactive").lacks("Make a reset link")
	r.post(path + "/reset-link").shows(http.StatusConflict)
	r.get(path + "/activate").shows(http.StatusOK)
	r.post(path + "/activate").shows(http.StatusSeeOther)

	r.get(path+"/delete").shows(http.StatusOK, "Type <code>anna@example.com</code>")
	r.post(path+"/delete", "typed", "Anna").shows(http.StatusUnprocessableEntity, "Nothing was done", `href="#field-typed"`)
	r.post(path+"/delete", "typed", "anna@example.com", "revision", "1").shows(http.StatusPreconditionFailed, "changed by somebody else", "Delete the user")
	r.post(path+"/delete", "typed", "anna@example.com").shows(http.StatusSeeOther)
	r.get(path).shows(http.StatusNotFound)
	r.get(r.at("/users/%00")).shows(http.StatusNotFound)
}

func TestCredentialsAndConsents(t *testing.T) {
	r := start(t, servertest.Options{})
	path := r.madeUser("email", "anna@example.com")
	u := r.stored(path)
	c := signin.Credential{
		ID: "cccccccccccccccccccc", ApplicationID: r.ApplicationID, UserID: u.UUID, Kind: signin.Passkey, Label: `<script>alert(1)`, Key: []byte{1}, Data: []byte("{}"),
		CreatedAt: r.Clock.Now(),
	}
	if err := r.App.Store.Credentials().Add(t.Context(), &c, nil, audit.New(audit.System(), r.ApplicationID, "user.credential.add", "x", r.Clock.Now())); err != nil {
		t.Fatal(err)
	}
	r.get(path+"/signin").shows(http.StatusOK, "&lt;script&gt;alert(1)", "passkey").lacksMarkup()
	r.get(path+"/credential?id="+c.ID).shows(http.StatusOK, "will be removed").lacksMarkup()
	r.get(path + "/credential?id=no").shows(http.StatusNotFound)
	r.post(path+"/credential", "id", c.ID).shows(http.StatusSeeOther)
	r.post(path+"/credential", "id", c.ID).shows(http.StatusNotFound)

	granted, err := r.App.Consents.Grant(t.Context(), audit.System(), r.ApplicationID, u.UUID, r.OwnerID, []string{"openid", "email"})
	if err != nil {
		t.Fatal(err)
	}
	r.get(path+"/access").shows(http.StatusOK, "First owner", "openid", "Take back", "Clients have 0 live tokens of this user")
	r.get(path + "/access?cursor=x").shows(http.StatusSeeOther)
	r.get(path+"/consent?id="+granted.ID).shows(http.StatusOK, "granted to First owner")
	other := r.madeUser("email", "berta@example.com")
	r.post(other+"/consent", "id", granted.ID).shows(http.StatusNotFound)
	r.get(path + "/consent?id=%00").shows(http.StatusNotFound)
	r.post(path+"/consent", "id", granted.ID).shows(http.StatusSeeOther)
	r.get(path+"/access").shows(http.StatusOK, "granted nothing", "once the user agrees")
}

func TestWhoChangesUsers(t *testing.T) {
	r := start(t, servertest.Options{})
	path := r.madeUser("email", "anna@example.com")
	r.as(admin.Manager).get(path).shows(http.StatusOK, "Save", "Deactivate")
	for _, role := range []admin.Role{admin.Developer, admin.Viewer} {
		other := r.as(role)
		other.get(r.at("/users")).shows(http.StatusOK, "anna@example.com").lacks("New user")
		other.get(path).shows(http.StatusOK, "anna@example.com").lacks("Save", "/deactivate", "Delete…")
		other.get(path+"/signin").shows(http.StatusOK).lacks("Make a reset link", "Set a password")
		other.get(path + "/access").shows(http.StatusOK)
		for _, below := range []string{"", "/password", "/reset-link", "/credential", "/session", "/sessions", "/consent", "/deactivate", "/activate", "/delete"} {
			other.post(path+below, "email", "b@example.com", "typed", "anna@example.com").shows(http.StatusForbidden)
		}
		other.post(r.at("/users/new"), "email", "b@example.com").shows(http.StatusForbidden)
	}
	if u := r.stored(path); u.Email != "anna@example.com" || u.Inactive {
		t.Errorf("stored: %+v", u)
	}
}
