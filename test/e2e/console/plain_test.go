package console_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/ostiary/ostiary/test/browser"
)

// TestWithoutScripts makes a client, searches for it, revokes its token and
// deletes it, in a browser that runs no script.
func TestWithoutScripts(t *testing.T) {
	s := filled(t, "Billing sync")
	s.Scripts(false)
	s.signIn()
	s.Go(s.url + "/console/apps/shop/clients")
	s.Type("#field-q", "sync service")
	s.Press(kb.Enter)
	s.Wait("#results tbody tr")
	if text := s.Text("#results"); !strings.Contains(text, "Billing sync service") || strings.Contains(text, "Billing sync web") {
		t.Errorf("the search finds\n%s", text)
	}
	s.Click(`.head a[href$="/new-client"]`)
	s.Click(`.cards a[href*="service"]`)
	s.Type("#field-name", "Nightly report")
	s.Type("#field-allowed_ips", "no address")
	s.Click("main form button.primary")
	s.Wait(".summary")
	if name := browser.Get(s.Tab, chromedp.Evaluate[string](`document.querySelector("#field-name").value`)); name != "Nightly report" {
		t.Errorf("the name that was typed is now %q", name)
	}
	s.Go(s.url + "/console/apps/shop/tokens")
	s.Click(`tbody button[name=one]`)
	s.Click("main form button.danger")
	s.Wait(".notice")
	s.Go(s.url + "/console/apps/shop/clients/" + worker + "/delete")
	s.Type("main form input[name=typed]", "Billing sync service")
	s.Click("main form button.danger")
	s.Wait(".notice")
	answer := s.server.Do(http.MethodPost, "/shop/oauth2/token", worker, workerSecret, "application/x-www-form-urlencoded", "grant_type=client_credentials&scope=orders")
	if answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("the client that was deleted gets %d", answer.StatusCode)
	}
}

// TestByKeyboard signs in and makes a client without a mouse.
func TestByKeyboard(t *testing.T) {
	s := empty(t)
	s.Go(s.url + "/console")
	s.Wait("#field-email:focus") // it is given when the page is drawn
	s.Press(s.server.AdminEmail + kb.Tab + s.server.AdminPassword + kb.Enter)
	s.Wait("nav.side")
	s.Press(kb.Tab)
	if text := s.focused("textContent"); !strings.Contains(text, "Skip") {
		t.Errorf("the first stop is %q, not the way past the navigation", text)
	}
	s.tabTo(`nav.side a[href$="/clients"]`)
	s.Press(kb.Enter)
	s.Wait("#results")
	s.tabTo(`a[href$="/new-client"]`)
	s.Press(kb.Enter)
	s.Wait(".cards")
	s.tabTo(`.cards a[href*="service"]`)
	s.Press(kb.Enter)
	s.Wait("#field-name")
	s.tabTo("#field-name")
	s.Press("Nightly report" + kb.Enter)
	s.Wait(".secret")
}

// TestCopying: a press copies once, whatever of the page was swapped before, and
// the button says in the end what it said.
func TestCopying(t *testing.T) {
	s := filled(t, "Billing sync")
	s.signIn()
	s.Go(s.url + "/console/apps/shop/clients/" + worker + "/endpoints")
	s.Wait("[data-copy]:not([hidden])")
	s.Do(chromedp.Evaluate[chromedp.Void](`copied = 0; later = []; button = document.querySelector("[data-copy]"); label = button.innerHTML;
		navigator.clipboard.writeText = async () => { copied++; };
		window.setTimeout = (f) => later.push(f);
		document.dispatchEvent(new CustomEvent("htmx:afterSwap", {detail: {target: document.createElement("p")}}));
		button.click()`))
	s.Do(chromedp.Evaluate[chromedp.Void](`button.click()`))
	said := browser.Get(s.Tab, chromedp.Evaluate[string](`button.textContent`))
	if n := browser.Get(s.Tab, chromedp.Evaluate[int](`copied`)); n != 2 || said != "Copied" {
		t.Errorf("two presses copy %d times; the button says %q", n, said)
	}
	if !browser.Get(s.Tab, chromedp.Evaluate[bool](`later.forEach((f) => f()); button.innerHTML === label`)) {
		t.Error("the button does not say again what it does")
	}
}

// TestTwoClicks: a form that is on its way is not sent again by a second click.
func TestTwoClicks(t *testing.T) {
	s := filled(t, "Billing sync")
	s.signIn()
	s.Go(s.url + "/console/apps/shop/clients/" + worker + "/secrets")
	s.Wait("main form button.primary")
	n := browser.Get(s.Tab, chromedp.Evaluate[int](`times = 0; button = document.querySelector("main form button.primary");
		window.addEventListener("submit", (e) => { if (!e.defaultPrevented) times++; e.preventDefault(); });
		button.click(); button.click(); times`))
	if n != 1 {
		t.Errorf("two clicks send the form %d times", n)
	}
}

// focused gives a property of what has the focus.
func (s *stage) focused(property string) string {
	s.t.Helper()
	return browser.Get(s.Tab, chromedp.Evaluate[string](`String(document.activeElement.`+property+`)`))
}

// tabTo presses the tabulator until what a selector finds has the focus, and
// fails where that is not to be seen.
func (s *stage) tabTo(selector string) {
	s.t.Helper()
	const most = 120
	for range most {
		if browser.Get(s.Tab, chromedp.Evaluate[bool](`document.activeElement.matches('`+selector+`')`)) {
			if seen := browser.Get(s.Tab, chromedp.Evaluate[string](`getComputedStyle(document.activeElement).outlineStyle`)); seen == "none" {
				s.t.Errorf("the focus on %s is not to be seen", selector)
			}
			return
		}
		s.Press(kb.Tab)
	}
	s.t.Fatalf("the tabulator does not lead to %s", selector)
}
