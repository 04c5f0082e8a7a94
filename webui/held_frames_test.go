package webui_test

import (
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/slipway-ci/slipway/store"
)

// holdFrames keeps frames from the scripts of pages that are opened from now on,
// as a browser does that is busy or draws another tab, until they are released.
// window.taken is the last row that a stream has given the page.
func (b *tab) holdFrames() {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `{
		const draw = requestAnimationFrame, on = EventSource.prototype.addEventListener;
		window.held = [];
		window.requestAnimationFrame = (f) => window.held ? window.held.push(f) : draw(f);
		window.release = () => { const all = held; window.held = undefined; for (const f of all) draw(f); };
		EventSource.prototype.addEventListener = function (type, f) {
			on.call(this, type, (e) => { f(e); if (type === 'rows') window.taken = Number(e.lastEventId); });
		};
	}`})
	must(b.t, err)
}

func (b *tab) releaseFrames() {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](`release()`))
}

// A log that has nothing when it is opened, and then comes faster than the
// browser draws, has all its rows.
func TestBrowserFollowsAFastLogFromItsBeginning(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, _, w := s.running(s.repo("ada", "engine", false), 1)
	b := newTab(t, s)
	b.holdFrames()
	b.load(stepPage)
	b.releaseFrames()
	b.await(`document.querySelector('#log[data-scripted] .log-empty')`)
	b.do(chromedp.Evaluate[chromedp.Void](`window.held = []`))
	must(t, w.Append(numbered(5000)...))
	b.awaitView(`window.taken === 5000`)
	b.releaseFrames()
	b.awaitView(inBox("#L5000"))
	if eval[bool](b, `document.querySelector('.log-empty') !== null`) {
		t.Error("the log says that there is no output")
	}
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('#log-box').scrollTop = 0`))
	b.awaitView(inBox("#L1"))
}

// The build goes on to its next step before the first frame, for which the script
// of the log waits: it begins once.
func TestBrowserGoesOnBeforeTheFirstFrame(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, j, _ := s.running(s.repo("ada", "engine", false), 1)
	b := newTab(t, s)
	b.holdFrames()
	b.load("/repos/ada/engine/builds/1")
	w := s.writer(j, 2)
	t.Cleanup(func() { must(t, w.Close()) })
	must(t, w.Append(command("make test", -1), output("testing")))
	s.finishStep(j, 1, store.Success, 0)
	s.startStep(j, 2, 0)
	b.await(`document.querySelector('#log[data-scripted][data-step=test]')`)
	b.releaseFrames()
	b.quiet()
	if got := eval[string](b, `document.querySelector('#L2 .t')?.textContent ?? ''`); got != "testing" {
		t.Errorf("row 2 has %q", got)
	}
}
