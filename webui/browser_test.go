package webui_test

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// missingPage is the one page that tests open although it does not exist.
const missingPage = "/repos/harbour/boat"

// patience is how long is waited for what has to happen: a bound for tests that
// fail, on any machine.
const patience = 2 * time.Minute

// tab is a page of a real browser.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string
}

// startChromium starts the one browser that the tests of this package share, and
// returns the context of it. TestMain ends it.
var startChromium = sync.OnceValues(func() (context.Context, error) {
	dir, err := os.MkdirTemp("", "chromium")
	if err != nil {
		return nil, err
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("/usr/bin/chromium"), chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(dir), chromedp.WindowSize(1280, 900))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancel := chromedp.NewContext(ctx)
	stopChromium = func() {
		cancel()
		stop()
		_ = os.RemoveAll(dir)
	}
	return ctx, chromedp.Do(ctx)
})

var stopChromium = func() {}

// newTab opens a tab with cookies of its own. It is closed with the test, which
// fails if the console had anything to complain about but what is expected,
// given by a part of its text, or if the page asked another server for anything.
func newTab(t *testing.T, s *site, expected ...string) *tab {
	t.Helper()
	browser, err := startChromium()
	must(t, err)
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	must(t, chromedp.Do(ctx))
	// Other tabs are open meanwhile: each behaves as the one in front.
	_, err = chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	must(t, err)

	base := s.http.URL // the same after a restart
	requests := chromedp.Events(ctx, network.RequestWillBeSent)
	messages := chromedp.Console(ctx)
	var trouble, elsewhere []string
	var listening sync.WaitGroup
	listening.Go(func() {
		for m, err := range messages {
			known := strings.HasSuffix(m.URL, missingPage)
			for _, text := range expected {
				known = known || strings.Contains(m.Text, text)
			}
			if err == nil && !known && (m.IsException() || m.Type == "error" || m.Type == "warning") {
				trouble = append(trouble, m.String())
			}
		}
	})
	listening.Go(func() {
		for r, err := range requests {
			if err == nil && !strings.HasPrefix(r.Request.URL, base+"/") && !strings.HasPrefix(r.Request.URL, "data:") {
				elsewhere = append(elsewhere, r.Request.URL)
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		listening.Wait()
		for _, url := range elsewhere {
			t.Errorf("the page asked for %s", url)
		}
		for _, m := range trouble {
			t.Errorf("console: %s", m)
		}
	})
	return &tab{t: t, ctx: ctx, base: base}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	must(b.t, chromedp.Do(b.ctx, steps...))
}

// open loads a page and returns when its scripts have started, also that of a
// log, which waits for the first paint.
func (b *tab) open(path string) {
	b.t.Helper()
	b.load(path)
	b.await(`!document.querySelector('#log:not([data-scripted])')`)
}

// load loads a page, whether it has scripts or not.
func (b *tab) load(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.base + path))
}

// eval returns the value of an expression in the page.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// await waits until an expression is true in the page.
func (b *tab) await(expression string) {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingMutation(), chromedp.WithPollingTimeout(patience))); err != nil {
		text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.body.innerText"))
		b.t.Fatalf("waiting for %s: %v\npage:\n%s", expression, err, text)
	}
}

// theme switches between light and dark.
func (b *tab) theme(name string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"},
		},
	})
	must(b.t, err)
}

// login opens an admin session by the form.
func (b *tab) login() {
	b.t.Helper()
	b.open("/login")
	b.do(chromedp.SendKeys(chromedp.CSS("#token"), adminToken), chromedp.Submit(chromedp.CSS("#token")))
	b.do(chromedp.WaitVisible(chromedp.CSS(`form[action="/logout"]`)))
}
