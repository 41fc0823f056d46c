package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/chromedp"
)

// axe is the script of axe-core, from npm, of the version that the lock file
// names. It is put in by the protocol, past the page's own policy.
var axe = sync.OnceValues(func() (string, error) {
	_, here, _, _ := runtime.Caller(0)
	directory := filepath.Join(filepath.Dir(here), "..", "node")
	script := filepath.Join(directory, "node_modules", "axe-core", "axe.min.js")
	if _, err := os.Stat(script); err != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		install := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
		install.Dir = directory
		if out, err := install.CombinedOutput(); err != nil {
			return "", fmt.Errorf("npm ci: %w\n%s", err, out)
		}
	}
	text, err := os.ReadFile(script)
	return string(text), err
})

const audit = `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(
	result => result.violations.map(v => v.id + v.nodes.map(n => "\n  " + n.html + "\n  " + n.failureSummary).join("")))`

// Accessible fails the test for what axe-core finds at WCAG 2.2 AA or against
// its best practices, and where the page is wider than the window.
func (b *Tab) Accessible(name string) {
	b.t.Helper()
	script, err := axe()
	if err != nil {
		b.t.Fatal(err)
	}
	b.Do(chromedp.Evaluate[chromedp.Void](script))
	found := Get(b, chromedp.Evaluate[[]string](audit, chromedp.EvalAwaitPromise))
	if len(found) > 0 {
		b.t.Errorf("%s at %s:\n%s", name, b.Where(), strings.Join(found, "\n"))
	}
	over := Get(b, chromedp.Evaluate[int]("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
	if over > 0 {
		b.t.Errorf("%s: the page is %d pixels wider than the window", name, over)
	}
}
