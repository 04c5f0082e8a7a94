package webui_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/labstack/echo/v4"

	"github.com/slipway-ci/slipway/store"
)

// hide puts the page into the background, as far as its scripts know, or back.
func (b *tab) hide(hidden bool) {
	b.t.Helper()
	value := map[bool]string{true: "true", false: "false"}[hidden]
	b.do(chromedp.Evaluate[chromedp.Void](`Object.defineProperty(document, 'hidden', { configurable: true, value: ` + value + ` });
		document.dispatchEvent(new Event('visibilitychange'))`))
}

// A browser has six connections to a server: pages in the background let go of
// theirs, and are what they would be once they are looked at.
func TestBrowserNeedsNoConnectionInTheBackground(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	left := make(chan string, 20) // streams that were closed, by the end of their address
	s.echo.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			err := next(c)
			if path := c.Request().URL.Path; strings.HasSuffix(path, "/events") || strings.HasSuffix(path, "/stream") {
				left <- path[strings.LastIndexByte(path, '/'):]
			}
			return err
		}
	})
	_, j, w := s.running(s.repo("ada", "engine", false), 1)
	must(t, w.Append(command("make", -1), output("one")))
	b := newTab(t, s)
	b.open("/repos/ada/engine/builds/1/jobs/1/steps/1")
	must(t, w.Append(output("two")))
	b.await(`document.querySelector('#L3')`)

	b.hide(true)
	for closed := map[string]bool{}; len(closed) < 2; {
		closed[<-left] = true
	}
	must(t, w.Append(output("three")))
	must(t, w.Close())
	s.finishStep(j, 1, store.Failure, 1)
	b.quiet()
	if eval[bool](b, `document.querySelector('#L4') !== null || document.querySelector('.step-head .outcome') !== null`) {
		t.Error("the page went on without a connection")
	}
	b.hide(false)
	b.await(`document.querySelector('#L4') && document.querySelector('.step-head .outcome')?.textContent === 'exit code 1'`)
	if got := eval[string](b, `[...document.querySelectorAll('#rows .row .n')].map(n => n.textContent).join()`); got != "1,2,3,4" {
		t.Errorf("rows %s", got)
	}
}

// A server that takes no more streams is not asked for them ever again as fast.
func TestBrowserAsksLessAndLessOften(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, _, w := s.running(s.repo("ada", "engine", false), 1)
	must(t, w.Append(command("make", -1), output("one")))
	b := newTab(t, s)
	b.open("/repos/ada/engine/builds/1/jobs/1/steps/1")
	b.await(`document.querySelector('#L2')`)
	b.hide(true)
	// From now on streams are refused, and waiting takes no time.
	b.do(chromedp.Evaluate[chromedp.Void](`window.waits = {}; window.EventSource = class {
			static CLOSED = 2;
			constructor(url) { this.of = String(url).includes('/stream') ? 'log' : 'page'; waits[this.of] ??= []; window.asking = this.of }
			addEventListener(type, f) { if (type === 'error') queueMicrotask(() => { this.readyState = 2; window.asking = this.of; f() }) }
			close() {}
		};
		window.setTimeout = (f, ms) => { const all = waits[window.asking]; if (!all || all.length >= 8) return 0; all.push(ms); queueMicrotask(f); return 1 }`))
	b.hide(false)
	b.awaitView(`waits.log?.length === 8`)
	if got := eval[string](b, `waits.log.join()`); got != "1000,2000,4000,8000,16000,30000,30000,30000" {
		t.Errorf("the log's stream is asked for after %s ms", got)
	}
}
