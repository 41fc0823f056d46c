package signin_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/servertest"
)

var (
	secretText = regexp.MustCompile(`<code class="block">([A-Z2-7 ]+)</code>`)
	codeText   = regexp.MustCompile(`<li><code>([a-z0-9-]+)</code></li>`)
)

// code is what an authenticator app shows now.
func (a *agent) code(secret string) string {
	a.t.Helper()
	code, err := totp.GenerateCode(strings.ReplaceAll(secret, " ", ""), a.server.Clock.Now())
	if err != nil {
		a.t.Fatal(err)
	}
	return code
}

// enrol sets up an authenticator app, and gives its secret and the recovery
// codes.
func (a *agent) enrol() (secret string, codes []string) {
	a.t.Helper()
	page := a.get(a.at("/account/totp"))
	found := secretText.FindStringSubmatch(page.body)
	if found == nil {
		a.t.Fatalf("no secret on\n%s", page.body)
	}
	wrong := a.send(page, "/account/totp", "code", "000000")
	wrong.want(a.t, http.StatusBadRequest, "This code is not right", found[1])
	done := a.send(wrong, "/account/totp", "code", a.code(found[1]))
	done.want(a.t, http.StatusOK, "Your recovery codes")
	for _, m := range codeText.FindAllStringSubmatch(done.body, -1) {
		codes = append(codes, m[1])
	}
	if len(codes) != 10 {
		a.t.Fatalf("%d recovery codes on\n%s", len(codes), done.body)
	}
	return found[1], codes
}

// TestAnAppIsSetUpTwice, by a form that is sent once more: the codes were shown,
// and a page without any would say that these are all.
func TestAnAppIsSetUpTwice(t *testing.T) {
	a := start(t, servertest.Options{})
	a.person(ada)
	a.signIn(a.at("/signin"), ada, password)
	page := a.get(a.at("/account/totp"))
	code := a.code(secretText.FindStringSubmatch(page.body)[1])
	a.send(page, "/account/totp", "code", code).want(t, http.StatusOK, "Your recovery codes")
	again := a.send(page, "/account/totp", "code", code)
	again.leads(t, a.at("/account?done=totp"))
	a.get(again.to).want(t, http.StatusOK, "The authenticator app is set up.", "10 recovery codes are left.")
}

func TestASecondFactor(t *testing.T) {
	a := start(t, servertest.Options{})
	a.person(ada)
	a.signIn(a.at("/signin"), ada, password)
	secret, codes := a.enrol()
	a.get(a.at("/account")).want(t, http.StatusOK, "Each sign-in asks for a code", "10 recovery codes are left.")

	other := browse(t, a.server)
	other.get(other.at("/signin/totp")).leads(t, other.at("/signin"))
	sent := other.signIn(other.at("/signin"), ada, password)
	sent.leads(t, other.at("/signin/totp"))
	other.get(other.at("/account")).leads(t, other.at("/signin")) // nobody is signed in yet
	page := other.get(sent.to)
	page.want(t, http.StatusOK, "Enter the code of six digits")
	other.send(page, "/totp", "code", "123456").want(t, http.StatusBadRequest, "This code is not right")
	a.server.Clock.Advance(time.Minute) // the code that enrolled is used up
	other.send(page, "/totp", "code", a.code(secret)).leads(t, other.at("/account"))
	other.get(other.at("/account")).want(t, http.StatusOK, "this browser")

	third := browse(t, a.server)
	third.signIn(third.at("/signin"), ada, password)
	page = third.get(third.at("/signin/recovery"))
	third.send(page, "/recovery", "code", "aaaaa-aaaaa").want(t, http.StatusBadRequest, "This recovery code is not right")
	third.send(page, "/recovery", "code", codes[3]).leads(t, third.at("/account"))
	account := third.get(third.at("/account"))
	account.want(t, http.StatusOK, "9 recovery codes are left.")
	again := third.get(third.at("/account/recovery-codes"))
	again.want(t, http.StatusOK, "no longer good")
	third.send(again, "/recovery-codes").want(t, http.StatusOK, "Your recovery codes")
	remove := third.get(third.at("/account/totp/remove"))
	remove.want(t, http.StatusOK, "Remove the authenticator app?", "Back to your account")
	third.get(third.at("/account")).want(t, http.StatusOK, "10 recovery codes are left.")
	third.send(remove, "/totp/remove").leads(t, third.at("/account?done=totp-removed"))
	third.get(third.at("/account?done=totp-removed")).want(t, http.StatusOK, "The authenticator app was removed.", "Set up")
}

func TestASecondFactorThatComesTooLate(t *testing.T) {
	a := start(t, servertest.Options{})
	a.person(ada)
	a.signIn(a.at("/signin"), ada, password)
	secret, _ := a.enrol()
	other := browse(t, a.server)
	sent := other.signIn(other.at("/signin"), ada, password)
	page := other.get(sent.to)
	a.server.Clock.Advance(time.Hour)
	late := other.send(page, "/totp", "code", a.code(secret))
	late.leads(t, other.at("/signin?notice=expired"))
	other.get(late.to).want(t, http.StatusOK, "That took too long")
}

func TestSessionsAreEnded(t *testing.T) {
	a := start(t, servertest.Options{})
	a.person(ada)
	a.signIn(a.at("/signin"), ada, password)
	var others []*agent
	for _, words := range []string{"Mozilla/5.0 (iPhone) Safari/1", "Mozilla/5.0 (Windows NT 10.0) Edg/1", "x"} {
		b := browse(t, a.server)
		b.headers.Set("User-Agent", words)
		b.signIn(b.at("/signin"), ada, password)
		others = append(others, b)
	}
	account := a.get(a.at("/account"))
	account.want(t, http.StatusOK, "Safari on iPhone", "Edge on Windows", "Unknown browser", "End all other sessions")
	sids := regexp.MustCompile(`name="session" value="([^"]+)"`).FindAllStringSubmatch(account.body, -1)
	if len(sids) != 4 {
		t.Fatalf("%d sessions on\n%s", len(sids), account.body)
	}
	a.do(http.MethodPost, a.at("/account/sessions/end"), "session="+sids[1][1]).leads(t, a.at("/account?done=session"))
	live := 0
	for _, b := range others {
		if b.get(b.at("/account")).status == http.StatusOK {
			live++
		}
	}
	if live != 2 {
		t.Errorf("%d other sessions live after one was ended, want 2", live)
	}
	question := a.get(a.at("/account/sessions/end-others"))
	question.want(t, http.StatusOK, "Sessions that end now: 2.")
	a.send(question, "/sessions/end-others").leads(t, a.at("/account?done=sessions"))
	for _, b := range others {
		b.get(b.at("/account")).leads(t, b.at("/signin"))
	}
	a.do(http.MethodPost, a.at("/account/sessions/end"), "session="+sids[0][1]).leads(t, a.at("/signin/out"))
	a.get(a.at("/signin/out")).want(t, http.StatusOK, "You are signed out")
	a.get(a.at("/account")).leads(t, a.at("/signin"))
}

// TestAPasskeyIsRemoved after a question that names it.
func TestAPasskeyIsRemoved(t *testing.T) {
	a := start(t, servertest.Options{})
	u := a.person(ada)
	c := signin.Credential{
		ID: "cccccccccccccccccccc", ApplicationID: a.server.ApplicationID, UserID: u.UUID, Kind: signin.Passkey, Label: "Ada's laptop", Key: []byte{1},
		Data: []byte("{}"), CreatedAt: a.server.Clock.Now(),
	}
	event := audit.New(audit.System(), a.server.ApplicationID, "user.credential.add", "user:"+u.UUID, a.server.Clock.Now())
	if err := a.server.App.Store.Credentials().Add(t.Context(), &c, nil, event); err != nil {
		t.Fatal(err)
	}
	a.signIn(a.at("/signin"), ada, password)
	a.get(a.at("/account/passkeys/remove?id=no")).leads(t, a.at("/account"))
	question := a.get(a.at("/account/passkeys/remove?id=" + c.ID))
	question.want(t, http.StatusOK, "Ada's laptop no longer signs you in.")
	a.send(question, "/passkeys/remove").leads(t, a.at("/account?done=passkey-removed"))
	a.get(a.at("/account/passkeys/remove?id="+c.ID)).leads(t, a.at("/account"))
}

// TestOthersSessionsAreOutOfReach, whatever a form says.
func TestOthersSessionsAreOutOfReach(t *testing.T) {
	a := start(t, servertest.Options{})
	a.person(ada)
	a.person("eve@example.com")
	a.signIn(a.at("/signin"), ada, password)
	sid := regexp.MustCompile(`name="session" value="([^"]+)"`).FindStringSubmatch(a.get(a.at("/account")).body)[1]
	eve := browse(t, a.server)
	eve.signIn(eve.at("/signin"), "eve@example.com", password)
	eve.do(http.MethodPost, eve.at("/account/sessions/end"), "session="+sid)
	a.get(a.at("/account")).want(t, http.StatusOK)
}

func TestConnectedClients(t *testing.T) {
	a := start(t, servertest.Options{})
	u := a.person(ada)
	a.signIn(a.at("/signin"), ada, password)
	a.get(a.at("/account")).want(t, http.StatusOK, "No application has access")
	if _, err := a.server.App.Consents.Grant(t.Context(), audit.System(), a.server.ApplicationID, u.UUID, a.server.OwnerID, []string{"openid", "email"}); err != nil {
		t.Fatal(err)
	}
	a.get(a.at("/account")).want(t, http.StatusOK, "See your e-mail address", "Revoke access", "/account/clients/revoke?client="+a.server.OwnerID)
	a.get(a.at("/account/clients/revoke?client=nothing")).leads(t, a.at("/account"))
	question := a.get(a.at("/account/clients/revoke?client=" + a.server.OwnerID))
	question.want(t, http.StatusOK, "First owner loses access to your account at once.")
	a.get(a.at("/account")).want(t, http.StatusOK, "See your e-mail address") // the question alone revokes nothing
	a.send(question, "/clients/revoke").leads(t, a.at("/account?done=client"))
	a.get(a.at("/account?done=client")).want(t, http.StatusOK, "The access was revoked.", "No application has access")
	a.do(http.MethodPost, a.at("/account/clients/revoke"), "client=nothing").leads(t, a.at("/account?done=client"))
}

// tokens gives a client n access tokens of a user, as the grant `password` does.
func (a *agent) tokens(n int, u *user.User, clientID string, scopes ...string) []string {
	a.t.Helper()
	services := a.server.App
	app, err := services.Applications.Get(a.t.Context(), a.server.ApplicationID)
	if err != nil {
		a.t.Fatal(err)
	}
	c, err := services.Clients.Get(a.t.Context(), app.ID, clientID)
	if err != nil {
		a.t.Fatal(err)
	}
	texts := make([]string, n)
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() {
			minted, err := services.Tokens.Password(a.t.Context(), &token.Authorization{Application: app, Client: c, Issuer: a.server.Issuer, User: u, Scopes: scopes})
			if err != nil {
				a.t.Error(err)
				return
			}
			texts[i] = minted.Text
		})
	}
	wait.Wait()
	return texts
}

// living is how many of the tokens are alive.
func (a *agent) living(texts []string) (n int) {
	a.t.Helper()
	app, err := a.server.App.Applications.Get(a.t.Context(), a.server.ApplicationID)
	if err != nil {
		a.t.Fatal(err)
	}
	for _, text := range texts {
		_, ok, err := a.server.App.Tokens.Find(a.t.Context(), app, text)
		if err != nil {
			a.t.Error(err)
		}
		if ok {
			n++
		}
	}
	return n
}

// connected are the clients that an account shows.
func connected(account shown) (ids []string) {
	for _, m := range regexp.MustCompile(`/account/clients/revoke\?client=([^"]+)"`).FindAllStringSubmatch(account.body, -1) {
		ids = append(ids, m[1])
	}
	return ids
}

// TestTokensConnectAClient without a consent that is remembered.
func TestTokensConnectAClient(t *testing.T) {
	a := start(t, servertest.Options{})
	u, eve := a.person(ada), a.person("eve@example.com")
	a.signIn(a.at("/signin"), ada, password)
	a.api("/scopes", `{"name":"orders","description":"Read your orders","kind":"user"}`)
	a.api("/scopes", `{"name":"stock","description":"Count the stock","kind":"user"}`)
	made := func(document string) string { return a.api("/clients", document)["id"].(string) }
	billing := made(`{"name":"Billing sync","version":"2.1","kind":"spa","redirect_uris":["` + callback + `"],"scopes":["openid","orders","stock"]}`)
	till := made(`{"name":"Till","kind":"spa","redirect_uris":["` + callback + `"],"scopes":["stock"]}`)
	other := made(`{"name":"Warehouse","kind":"spa","redirect_uris":["` + callback + `"],"scopes":["stock"]}`)

	if _, err := a.server.App.Consents.Grant(t.Context(), audit.System(), a.server.ApplicationID, u.UUID, billing, []string{"openid"}); err != nil {
		t.Fatal(err)
	}
	a.server.Clock.Advance(time.Minute)
	mine := append(a.tokens(2, u, billing, "openid", "orders"), a.tokens(1, u, till, "stock")...)
	eves := append(a.tokens(1, eve, billing, "orders"), a.tokens(1, eve, other, "stock")...)
	account := a.get(a.at("/account"))
	account.want(t, http.StatusOK, "Billing sync 2.1", "Know you again", "Read your orders", "Till", "Count the stock")
	if ids := connected(account); !slices.Equal(ids, []string{billing, till}) {
		t.Errorf("%q are connected, want %q and %q", ids, billing, till)
	}
	if n := strings.Count(account.body, "Read your orders"); n != 1 {
		t.Errorf("a scope is listed %d times", n)
	}

	revoke := func(id, title string) {
		t.Helper()
		question := a.get(a.at("/account/clients/revoke?client=" + id))
		question.want(t, http.StatusOK, title+" loses access to your account at once.")
		a.send(question, "/clients/revoke").leads(t, a.at("/account?done=client"))
	}
	revoke(till, "Till")
	if ids := connected(a.get(a.at("/account"))); !slices.Equal(ids, []string{billing}) || a.living(mine) != 2 || a.living(eves) != 2 {
		t.Errorf("Till's access was revoked: %q are connected, %d tokens live and %d of another user", ids, a.living(mine), a.living(eves))
	}
	revoke(billing, "Billing sync 2.1")
	a.get(a.at("/account")).want(t, http.StatusOK, "No application has access")
	if a.living(mine) != 0 || a.living(eves) != 2 {
		t.Errorf("all access was revoked: %d tokens live, and %d of another user", a.living(mine), a.living(eves))
	}
}

// TestDeadTokensConnectNobody: those that ended, and those of a client that was
// switched off.
func TestDeadTokensConnectNobody(t *testing.T) {
	a := start(t, servertest.Options{})
	u := a.person(ada)
	a.signIn(a.at("/signin"), ada, password)
	a.tokens(1, u, a.server.OwnerID)
	a.get(a.at("/account")).want(t, http.StatusOK, "Revoke access")
	a.server.Clock.Advance(2 * time.Hour)
	a.get(a.at("/account")).want(t, http.StatusOK, "No application has access")

	made := a.api("/clients", `{"name":"Till","kind":"spa","redirect_uris":["`+callback+`"]}`)["id"].(string)
	a.tokens(1, u, made)
	a.get(a.at("/account")).want(t, http.StatusOK, "Till")
	off := a.server.Do(http.MethodPatch, "/api/v1/applications/"+a.server.ApplicationID+"/clients/"+made, a.server.OwnerID, a.server.OwnerSecret, "application/merge-patch+json", `{"active":false}`)
	if off.StatusCode != http.StatusOK {
		t.Fatal(off.Status)
	}
	a.get(a.at("/account")).want(t, http.StatusOK, "No application has access")
}

// TestTheAccountSaysThatThereIsMore than it reads.
func TestTheAccountSaysThatThereIsMore(t *testing.T) {
	a := start(t, servertest.Options{})
	u := a.person(ada)
	a.signIn(a.at("/signin"), ada, password)
	const more = "There may be more applications"
	a.tokens(token.MaxScan-1, u, a.server.OwnerID)
	if account := a.get(a.at("/account")); strings.Contains(account.body, more) {
		t.Errorf("all was read, and the page says %q", more)
	}
	a.tokens(1, u, a.server.OwnerID)
	a.get(a.at("/account")).want(t, http.StatusOK, more, "Revoke access")
}
