package webui_test

import (
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/slipway-ci/slipway/store"
)

// A reader watches a build from its first line to its verdict, without touching
// anything.
func TestBrowserFollowsABuild(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, j, w := s.running(s.repo("ada", "engine", false), 1)
	must(t, w.Append(notice("pulling"), command("make", -1), output("one")))
	b := newTab(t, s)
	b.open("/repos/ada/engine/builds/1")
	b.await(`document.querySelector('#L3 .t')?.textContent === 'one'`)

	must(t, w.Append(output("\x1b[31mtwo\x1b[0m"), unfinished("10%")))
	b.await(`document.querySelector('#rows #L4 .term-fgx1')?.textContent === 'two'`)
	b.await(`document.querySelector('#tail')?.textContent.includes('10%')`)
	must(t, w.Append(unfinished("10%\r90%")))
	b.await(`document.querySelector('#tail')?.textContent === '90%'`)
	must(t, w.Append(output("10%\r90%\rall"), command("make check", 0), output("checked")))
	b.await(`document.querySelector('#L5 .t')?.textContent === 'all' && document.querySelector('#tail')?.textContent === ''`)
	b.await(`document.querySelector('#L7')?.closest('details').open`)
	if eval[bool](b, `document.querySelector('#L2').closest('details').open`) {
		t.Error("the command that passed is still unfolded")
	}

	// The page goes on to the next step by itself.
	s.finishStep(j, 1, store.Success, 0)
	s.startStep(j, 2, 0)
	w2 := s.writer(j, 2)
	must(t, w2.Append(command("make test", -1), output("testing")))
	b.await(`document.querySelector('.step-head h2')?.textContent.includes('test') && document.querySelector('#L2 .t')?.textContent === 'testing'`)
	must(t, w2.Append(output("boom")))
	must(t, w2.Close())
	s.finishStep(j, 2, store.Failure, 2)
	s.finishJob(j, store.Failure, "step test failed: exit code 2", 2)
	b.await(`document.title.startsWith('Failed: ada/engine #1')`)
	b.await(`document.querySelector('details.cmd.failed .exit')?.textContent === 'exit code 2'`)
	b.await(`document.querySelector('.step-head .outcome')?.textContent === 'exit code 2'`)
	b.await(`document.querySelector('link[rel=icon]').href.endsWith('favicon-failure.svg')`)
	b.await(`document.querySelector('#L3 .t')?.textContent === 'boom'`)
}

// A link to a row is one to a row of its step: the next one, to which the page
// goes on, has its end in view, and its address.
func TestBrowserGoesOnFromALinkedRow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, j, w := s.running(s.repo("ada", "engine", false), 1)
	must(t, w.Append(numbered(5)...))
	w2 := s.writer(j, 2)
	t.Cleanup(func() { must(t, w2.Close()) })
	must(t, w2.Append(numbered(400)...))
	b := newTab(t, s)
	b.open("/repos/ada/engine/builds/1")
	b.click("#L3 .n")
	b.await(`location.hash === '#build:3'`)
	s.finishStep(j, 1, store.Success, 0)
	s.startStep(j, 2, 0)
	b.await(`document.querySelector('#log[data-scripted][data-step=test]')`)
	b.awaitView(inBox("#L400"))
	if got := b.address(); got != "/repos/ada/engine/builds/1" || eval[bool](b, `document.querySelector('.target') !== null`) {
		t.Errorf("the page of the next step has the address %s", got)
	}
}

// middle is where the middle of an element is in view.
func (b *tab) middle(selector string) []float64 {
	b.t.Helper()
	return eval[[]float64](b, `(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector('`+selector+`').getBoundingClientRect())`)
}

// mouse presses or releases the left button.
func (b *tab) mouse(kind input.DispatchMouseEventType, at []float64) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: kind, X: at[0], Y: at[1], Button: input.MouseButtonLeft, ClickCount: 1})
	must(b.t, err)
}

// A press on a link is a click also if what is around the link changes before the
// press ends.
func TestBrowserClicksWhileLive(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, j, _ := s.running(s.repo("ada", "engine", false), 1)
	b := newTab(t, s)
	b.open("/repos/ada/engine/builds/1/jobs/1/steps/1")
	at := b.middle(`[data-part="build-steps"] a[href$="/steps/2"]`)
	b.do(chromedp.Evaluate[chromedp.Void](`addEventListener('click', (e) => { e.preventDefault(); window.clicked = e.target.closest('a')?.pathname })`))
	b.mouse(input.DispatchMouseEventTypeMousePressed, at)
	s.finishStep(j, 1, store.Success, 0)
	b.await(`document.querySelector('.step-head')?.dataset.status === 'success'`)
	if eval[bool](b, `document.querySelector('.steps .s-running') === null`) {
		t.Error("the list has changed under the press")
	}
	b.mouse(input.DispatchMouseEventTypeMouseReleased, at)
	b.awaitView(`window.clicked === '/repos/ada/engine/builds/1/jobs/1/steps/2'`)
	b.await(`document.querySelector('.steps .s-running') === null`)
}

// A connection that breaks is taken up where it was: no row is missing, none
// comes twice.
func TestBrowserComesBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, j, w := s.running(s.repo("ada", "engine", false), 1)
	must(t, w.Append(command("make", -1), output("one")))
	b := newTab(t, s, "net::ERR_")
	b.open("/repos/ada/engine/builds/1")
	must(t, w.Append(output("two")))
	b.await(`document.querySelector('#L3')`)
	s.http.CloseClientConnections()
	must(t, w.Append(output("three")))
	b.await(`document.querySelector('#L4')`)
	s.finishStep(j, 1, store.Failure, 1)
	b.await(`document.querySelector('.step-head .outcome')?.textContent === 'exit code 1'`)
	if got := eval[string](b, `[...document.querySelectorAll('#rows .row .n')].map(n => n.textContent).join()`); got != "1,2,3,4" {
		t.Errorf("rows %s", got)
	}
}

// Lists reload themselves, and what has the focus keeps it.
func TestBrowserListsAreLive(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.repo("ada", "engine", false)
	s.failed(r, 1, output("x"))
	b := newTab(t, s)
	b.open("/repos/ada/engine")
	b.do(chromedp.Focus(chromedp.CSS(`a[href="/repos/ada/engine/builds/1"]`)))
	s.failed(r, 2, output("x"))
	b.await(`document.querySelector('a[href="/repos/ada/engine/builds/2"]')`)
	b.await(`document.activeElement.getAttribute('href') === '/repos/ada/engine/builds/1'`)
}
