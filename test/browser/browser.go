// Package browser starts Debian's chromium for tests: a new profile each, no
// network but what the test names, ended with the test. Its steps fail the test
// where they do not succeed. It also holds what is asked of every page: nothing
// that axe-core finds at WCAG 2.2 AA, nothing to scroll sideways. It knows no
// page of the server.
package browser

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// perStep bounds a step, the loading of a page included.
const perStep = 20 * time.Second

// Tab is one tab of a browser of its own.
type Tab struct {
	t   testing.TB
	ctx context.Context //nolint:containedctx // chromedp's handle of the tab
}

// Open starts a browser with an empty profile; it ends with the test.
func Open(t testing.TB) *Tab {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("%v; tools/need.sh test installs it", err)
	}
	// Not the test's own context: that ends before its cleanup does.
	allocator, stop := chromedp.NewExecAllocator(
		context.Background(),
		chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoFirstRun,
		chromedp.Flag("no-sandbox", true), chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("lang", "en"),
		chromedp.Flag("allow-pre-commit-input", true), // what comes before the first frame is drawn would be dropped
	)
	ctx, leave := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // asks the browser to end, and waits for it
		leave()
		stop()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	tab := &Tab{t, ctx}
	// As if its window were in front, whatever other windows there are.
	call(tab, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	return tab
}

// For gives the tab to a test of its own, without the cookies of the last one.
func (b *Tab) For(t testing.TB) *Tab {
	t.Helper()
	other := &Tab{t, b.ctx}
	call(other, network.ClearBrowserCookies, cdp.Empty{})
	return other
}

// Do takes chromedp's own steps.
func (b *Tab) Do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	Get(b, chromedp.Steps(steps...))
}

// Get takes a step of chromedp's that gives something.
func Get[T any](b *Tab, step chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, perStep)
	defer cancel()
	value, err := chromedp.Run(ctx, step)
	if err != nil {
		where, _ := chromedp.Run(b.ctx, chromedp.Location())
		text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.body.innerText"))
		b.t.Fatalf("at %s: %v\n%s", where, err, text)
	}
	return value
}

// call sends a command of the protocol.
func call[P, R any](b *Tab, command cdp.Command[P, R], params P) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, command, params); err != nil {
		b.t.Fatal(err)
	}
}

// Go opens an address. Chromium aborts a navigation now and then that begins
// while it puts the tab into another process; then it is begun once more.
func (b *Tab) Go(address string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, perStep)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
		b.Do(chromedp.Navigate(address))
	}
}

// Where gives the address of the page.
func (b *Tab) Where() string {
	b.t.Helper()
	return Get(b, chromedp.Location())
}

// Title gives the title of the page.
func (b *Tab) Title() string {
	b.t.Helper()
	return Get(b, chromedp.Title())
}

// find waits until a CSS selector finds something visible that has come to rest,
// brings it into view, and gives its middle. It asks the page itself, over and over: chromedp's own
// copy of the document does not follow every change of the page.
func (b *Tab) find(selector string) (x, y float64) {
	b.t.Helper()
	quoted := strconv.Quote(selector)
	var at, before []float64
	for deadline := time.Now().Add(perStep); len(at) == 0 || !slices.Equal(at, before); time.Sleep(polling) {
		if time.Now().After(deadline) {
			text := Get(b, chromedp.Evaluate[string]("document.body.innerText"))
			b.t.Fatalf("at %s there is no %s:\n%s", b.Where(), selector, text)
		}
		ctx, cancel := context.WithTimeout(b.ctx, perStep)
		before = at
		at, _ = chromedp.Run(ctx, chromedp.Evaluate[[]float64](`(() => { // while a page is loaded, it may be none
			const found = document.readyState === "complete" && document.querySelector(`+quoted+`);
			if (!found || !found.checkVisibility()) return [];
			found.scrollIntoView({block: "center"});
			const box = found.getBoundingClientRect();
			return [box.x + box.width / 2, box.y + box.height / 2];
		})()`))
		cancel()
	}
	return at[0], at[1]
}

// polling is how often a page is asked.
const polling = 20 * time.Millisecond

// Type clicks the field that a CSS selector finds, and types.
func (b *Tab) Type(selector, text string) {
	b.t.Helper()
	b.Click(selector)
	b.Press(text)
}

// Click clicks what a CSS selector finds, once it is visible.
func (b *Tab) Click(selector string) {
	b.t.Helper()
	x, y := b.find(selector)
	b.Do(chromedp.MouseClickXY(x, y))
}

// Press types on the keyboard, wherever the focus is.
func (b *Tab) Press(keys string) {
	b.t.Helper()
	b.Do(chromedp.KeyEvent(keys))
}

// Wait waits until a CSS selector finds something visible.
func (b *Tab) Wait(selector string) {
	b.t.Helper()
	b.find(selector)
}

// Text gives the text of what a CSS selector finds, once it is visible.
func (b *Tab) Text(selector string) string {
	b.t.Helper()
	b.find(selector)
	return Get(b, chromedp.Evaluate[string]("document.querySelector("+strconv.Quote(selector)+").innerText"))
}

// Size sets the width of the window, and whether the user prefers dark pages.
func (b *Tab) Size(width int64, dark bool) {
	b.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 800, DeviceScaleFactor: 1})
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

// Scripts says whether pages may run any.
func (b *Tab) Scripts(run bool) {
	b.t.Helper()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !run})
}

// Authenticator gives the browser one that keeps passkeys and verifies its user.
func (b *Tab) Authenticator() {
	b.t.Helper()
	call(b, webauthn.Enable, webauthn.EnableParams{})
	call(b, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})
}

// Picture writes a screenshot of the whole page.
func (b *Tab) Picture(path string) {
	b.t.Helper()
	if err := os.WriteFile(path, Get(b, chromedp.FullScreenshot(100)), 0o600); err != nil {
		b.t.Fatal(err)
	}
}
