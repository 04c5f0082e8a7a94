package webui_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// holdAnswers keeps from the page what the server answers to its scripts, in the
// order in which it came, until it is released.
func (b *tab) holdAnswers() {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](`window.answers = []; window.now = window.fetch;
		window.fetch = (...of) => now(...of).then((r) => new Promise((ok) => answers.push(() => ok(r))))`))
}

// quiet returns after the page has had time for what was on its way when it was
// called: two more answers and two frames.
func (b *tab) quiet() {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](`(async () => {
		for (const _ of [1, 2]) { await (await (window.now ?? fetch)(location.href)).text(); await new Promise(requestAnimationFrame) }
	})()`, chromedp.EvalAwaitPromise))
}

// A search that was given up says nothing any more.
func TestBrowserForgetsASearchThatWasGivenUp(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.finished(0, numbered(10)...)
	b := newTab(t, s)
	b.open(stepPage)
	b.awaitView(inBox("#L10"))
	b.holdAnswers()
	b.retype()
	b.paste("text")
	b.awaitView(`window.answers.length === 1`)
	b.press(kb.Escape)
	b.awaitView(`document.activeElement.id === 'log-box'`)
	b.do(chromedp.Evaluate[chromedp.Void](`window.answers[0]()`))
	b.quiet()
	if got := eval[string](b, `document.querySelector('#log-search output').textContent + document.querySelectorAll('.hit').length`); got != "0" {
		t.Errorf("said and marked: %q", got)
	}
}

// A jump that another has overtaken does not come back when its rows arrive.
func TestBrowserStaysWithTheLastJump(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.finished(0, numbered(5000)...)
	b := newTab(t, s)
	b.open(stepPage)
	b.holdAnswers()
	// Both rows' blocks are near the second one, so that neither is given up.
	for i, jump := range []string{":1110", ":1060"} {
		b.retype()
		b.press(jump + kb.Enter)
		b.awaitView(fmt.Sprintf(`window.answers.length === %d`, i+1))
	}
	b.do(chromedp.Evaluate[chromedp.Void](`window.fetch = now; window.answers[1]()`))
	b.awaitView(inBox("#L1060"))
	b.do(chromedp.Evaluate[chromedp.Void](`window.answers[0]()`))
	b.awaitView(`document.querySelector('#L1110')`)
	b.quiet()
	if !eval[bool](b, inBox("#L1060")) {
		t.Error("the log is elsewhere")
	}
}

// What a list shows is never older than what it showed before.
func TestBrowserListsDoNotGoBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.repo("ada", "engine", false)
	s.failed(r, 1, output("x"))
	b := newTab(t, s)
	b.open("/repos/ada/engine")
	b.holdAnswers()
	b.do(chromedp.Evaluate[chromedp.Void](`window.told = 0; new EventSource(document.body.dataset.live).addEventListener('reload', () => told++)`))
	s.failed(r, 2, output("x"))
	b.awaitView(`window.told > 0 && window.answers.length === 1`)
	b.do(chromedp.Evaluate[chromedp.Void](`window.before = told`))
	s.failed(r, 3, output("x"))
	b.awaitView(`window.told > window.before`)
	b.quiet() // the page has been told too
	b.do(chromedp.Evaluate[chromedp.Void](`window.fetch = now; while (answers.length) answers.pop()()`))
	b.quiet()
	b.awaitView(`document.querySelector('a[href="/repos/ada/engine/builds/3"]')`)
}

// A list whose new state could not be had, such as from a server that starts
// again, is asked for until it comes.
func TestBrowserListsAreAskedForAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.repo("ada", "engine", false)
	s.failed(r, 1, output("x"))
	b := newTab(t, s)
	b.open("/repos/ada/engine")
	b.do(chromedp.Evaluate[chromedp.Void](`window.now = window.fetch; window.fetch = async () => { window.fetch = now; throw new TypeError('no connection') }`))
	s.create(push(r, 2), job("test", "build"))
	b.await(`document.querySelector('a[href="/repos/ada/engine/builds/2"]') && document.querySelector('#live').textContent === ''`)
}

// What a reader is to be told on the next page is not taken away by a list that
// reloads itself before he is there.
func TestBrowserListsLeaveWhatThePageSays(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.running(s.repo("ada", "engine", false), 1)
	b := newTab(t, s)
	b.login()
	b.open("/queue")
	b.do(chromedp.Evaluate[chromedp.Void](`(form => fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)), redirect: 'manual' }))(document.querySelector('form[action$="/cancel"]'))`))
	b.await(`document.querySelector('.item .reason')?.textContent === 'Canceling'`)
	b.open("/queue")
	if !eval[bool](b, `document.querySelector('.flash') !== null`) {
		t.Error("nothing is said")
	}
}

// A question stays open while the list changes that it is in.
func TestBrowserListsWaitForAnAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.repo("ada", "engine", false)
	s.running(r, 1)
	b := newTab(t, s)
	b.login()
	b.open("/queue")
	b.click("button[popovertarget]")
	b.do(chromedp.WaitVisible(chromedp.CSS("form[action$='/cancel'] .danger")))
	b.holdAnswers()
	s.create(push(r, 2), job("test", "build"))
	b.awaitView(`window.answers.length === 1`)
	b.do(chromedp.Evaluate[chromedp.Void](`window.fetch = now; answers[0]()`))
	b.quiet()
	if !eval[bool](b, `document.querySelector('.confirm:popover-open') !== null`) {
		t.Fatal("the question is gone")
	}
	b.press("\u001b")
	b.await(`document.querySelector('[aria-labelledby=waiting] .item')`)

	// Also if the press that opens it lasts until then.
	at := b.middle("button[popovertarget]")
	b.mouse(input.DispatchMouseEventTypeMousePressed, at)
	b.holdAnswers()
	s.create(push(r, 3), job("test", "build"))
	b.awaitView(`window.answers.length === 1`)
	b.do(chromedp.Evaluate[chromedp.Void](`window.fetch = now; answers[0]()`))
	b.quiet()
	b.mouse(input.DispatchMouseEventTypeMouseReleased, at)
	b.awaitView(`document.querySelector('.confirm:popover-open')`)
	b.quiet()
	if !eval[bool](b, `document.querySelector('.confirm:popover-open') !== null`) {
		t.Error("the question that was pressed for is gone")
	}
	b.press("\u001b")
	b.await(`document.querySelectorAll('[aria-labelledby=waiting] .item').length === 2`)
}
