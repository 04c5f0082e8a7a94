package webui_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// pageCase is a page in a state that is worth looking at.
type pageCase struct {
	name, path string
	tab        *tab
}

// everyPage returns all pages, in a tab of a server that has everything and in
// one of a fresh server. A new page is added here.
func everyPage(full, fresh *tab) []pageCase {
	return []pageCase{
		{"home", "/", full},
		{"builds", "/repos/harbour/buoy", full},
		{"branches", "/repos/harbour/buoy/branches", full},
		{"pulls", "/repos/harbour/buoy/pulls", full},
		{"settings", "/repos/harbour/ferry/settings", full},
		{"queue", "/queue", full},
		{"deliveries", "/deliveries", full},
		{"delivery", "/deliveries/7a1f0000-9c1e-11ef-8b1a-325096b39f47", full},
		{"search", "/search?q=ferry", full},
		{"docs", "/docs", full},
		{"docs-pipeline", "/docs/pipeline", fresh},
		{"docs-search", "/docs?q=token", fresh},
		{"queue-empty", "/queue", fresh},
		{"search-nothing", "/search?q=xyzzy", fresh},
		{"closed", "/deliveries", fresh},
		{"nothing", "/repos/harbour/ferry?branch=none", full},
		{"passed", "/repos/harbour/ferry/builds/1", full},
		{"skipped", "/repos/harbour/ferry/builds/1/jobs/1/steps/2", full},
		{"failed", "/repos/harbour/ferry/builds/2", full},
		{"problems", "/repos/harbour/ferry/builds/3", full},
		{"approval", "/repos/harbour/ferry/builds/4", full},
		{"running", "/repos/harbour/ferry/builds/5", full},
		{"graph", "/repos/harbour/ferry/builds/6/graph", full},
		{"timeline", "/repos/harbour/ferry/builds/6/timeline", full},
		{"pipeline", "/repos/harbour/ferry/builds/6/pipeline", full},
		{"broken", "/repos/harbour/ferry/builds/3/pipeline", full},
		{"missing", missingPage, fresh},
		{"no-repos", "/", fresh},
		{"login", "/login", fresh},
	}
}

// Every page, in both themes, on a desktop and on the smallest phone: nothing
// is wider than the screen, axe has nothing to say, the console is silent, and
// nothing is asked of another server. For the looks there is `make screenshots`.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	axe := axeScript(t)
	s, empty := newSite(t), newSite(t)
	s.seedEverything()
	for _, v := range []view{{"desktop", 1280, 900}, {"phone", 360, 740}} {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			full, fresh := newTab(t, s), newTab(t, empty, "status of 403")
			full.login()
			for _, p := range everyPage(full, fresh) {
				t.Run(p.name, func(t *testing.T) {
					b := *p.tab
					b.t = t
					b.wantGood(p, v, axe)
				})
			}
		})
	}
}

// view is the screen that a page is looked at on.
type view struct {
	name          string
	width, height int64
}

// wantGood looks at a page as a reader has it at first, and with all unfolded.
func (b *tab) wantGood(p pageCase, v view, axe string) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(v.width, v.height))
	b.open(p.path)
	b.wantFits(v.width)
	for _, theme := range themes {
		b.theme(theme)
		b.wantTheme(theme)
	}
	eval[bool](b, "[...document.querySelectorAll('details')].every(d => d.open = true)")
	b.wantFits(v.width)
	for _, theme := range themes {
		b.theme(theme)
		b.wantAccessible(axe)
	}
}

var themes = []string{"light", "dark"}

func (b *tab) wantFits(width int64) {
	b.t.Helper()
	if w := eval[int64](b, "document.documentElement.scrollWidth"); w > width {
		b.t.Errorf("the page is %d wide: %s", w, eval[string](b, widest))
	}
}

// widest names an element that stands out of the page.
const widest = `[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth)
	.map(e => e.outerHTML.slice(0, 120)).slice(-1)[0] ?? 'none'`

func (b *tab) wantTheme(name string) {
	b.t.Helper()
	want := map[string]string{"light": "rgb(245, 246, 248)", "dark": "rgb(11, 14, 18)"}[name]
	if got := eval[string](b, "getComputedStyle(document.body).backgroundColor"); got != want {
		b.t.Errorf("background %s", got)
	}
}

// axeScript returns the source of axe-core, which .ci/setup fetches and checks.
func axeScript(t *testing.T) string {
	t.Helper()
	path := os.Getenv("SLIPWAY_AXE")
	if path == "" {
		out, err := exec.CommandContext(t.Context(), "../.ci/setup", "axe", "--", "printenv", "SLIPWAY_AXE").Output()
		if err != nil {
			t.Fatalf("fetch axe-core (npm is needed, or SLIPWAY_AXE with the path of its axe.min.js): %v", err)
		}
		path = strings.TrimSpace(string(out))
	}
	script, err := os.ReadFile(path)
	must(t, err)
	return string(script)
}

// axeRun has what axe found wrong as one text, "" if nothing is.
const axeRun = `axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})
	.then(r => r.violations.map(v => v.id + ': ' + v.help + v.nodes.map(n => '\n  ' + n.html.slice(0, 200) + '\n    ' +
		n.failureSummary.replaceAll('\n', ' ')).join('')).join('\n'))`

// wantAccessible fails for what axe finds on the page.
func (b *tab) wantAccessible(axe string) {
	b.t.Helper()
	if !eval[bool](b, "'axe' in window") {
		b.do(chromedp.Evaluate[chromedp.Void](axe))
	}
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](axeRun, chromedp.EvalAwaitPromise))
	must(b.t, err)
	if found != "" {
		b.t.Errorf("axe: %s", found)
	}
}
