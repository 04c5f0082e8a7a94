package webui_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/slipway-ci/slipway/store"
)

func TestBrowserGraphIsLive(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	build := s.seedHarbour(s.repo("ada", "engine", false), 1)
	jobs, err := s.store.Jobs(t.Context(), build.ID)
	must(t, err)
	b := newTab(t, s)
	b.open("/repos/ada/engine/builds/1/graph")
	b.await(`document.querySelector('#g2-5')?.classList.contains('st-running')`)
	eval[bool](b, watchShifts)
	b.do(chromedp.Focus(chromedp.CSS("#g2-6")))
	s.finishStep(jobs[1], 5, store.Success, 0)
	b.await(`document.querySelector('#g2-5')?.classList.contains('st-success')`)
	if got := eval[string](b, "document.activeElement.id"); got != "g2-6" {
		t.Errorf("the focus went to %q", got)
	}
	s.startStep(jobs[1], 6, 0)
	s.finishStep(jobs[1], 6, store.Success, 0)
	b.await(`document.querySelector('#g2-6')?.classList.contains('st-success')`)
	if moved := eval[float64](b, "window.shifted"); moved > still {
		t.Errorf("the page moved by %v while it was live", moved)
	}

	// A step is a link, by the keyboard too.
	b.do(chromedp.KeyEvent("\r"))
	b.do(chromedp.WaitVisible(chromedp.CSS(`.step-head`)))
	if got := eval[string](b, "location.pathname"); got != "/repos/ada/engine/builds/1/jobs/2/steps/6" {
		t.Errorf("the key led to %s", got)
	}

	// A phone has a list in its place.
	b.do(chromedp.EmulateViewport(360, 740))
	b.open("/repos/ada/engine/builds/1/graph")
	if !eval[bool](b, `getComputedStyle(document.querySelector('.graph')).display === 'none' && document.querySelector('#lg2-5').getBoundingClientRect().height >= 24`) {
		t.Error("a phone does not show the list")
	}
}

// watchShifts adds up how much of the page moves without anybody's doing.
const watchShifts = `(window.shifted = 0, new PerformanceObserver((list) => {
	for (const e of list.getEntries()) if (!e.hadRecentInput) window.shifted += e.value;
}).observe({ type: 'layout-shift' }), true)`

// still is more than a duration moves by one digit, which becomes 10s after 9.9s,
// and less than a row by a line.
const still = 0.0001

func TestBrowserStepsDoNotMoveWhileLive(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, j, w := s.running(s.repo("ada", "engine", false), 1)
	must(t, w.Append(command("make", -1), output("one")))
	b := newTab(t, s)
	b.open("/repos/ada/engine/builds/1/jobs/1/steps/1")
	b.await(`document.querySelector('#live')?.textContent === ''`)
	eval[bool](b, watchShifts)
	s.finishStep(j, 1, store.Success, 0)
	s.startStep(j, 2, 0)
	b.await(`document.querySelectorAll('.steps .s-running').length === 1 && document.querySelector('.step-head')?.dataset.status === 'success'`)
	s.finishStep(j, 2, store.Failure, 1)
	b.await(`document.querySelector('.steps .exit')?.textContent === 'exit 1'`)
	if moved := eval[float64](b, "window.shifted"); moved > still {
		t.Errorf("the page moved by %v while it was live", moved)
	}
}

// On a phone the log of the step that failed begins on the first screen, below
// a window of the list that shows the step.
func TestBrowserPhoneShowsTheFailureAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.seedHarbour(s.repo("ada", "engine", false), 1)
	b := newTab(t, s)
	b.do(chromedp.EmulateViewport(360, 740))
	b.open("/repos/ada/engine/builds/1")
	b.await(`document.querySelector('[data-part="build-steps"]').scrollTop > 0`)
	const inside = `((e, of) => e.top >= of.top && e.bottom <= of.bottom)(document.querySelector('[aria-current="true"]').getBoundingClientRect(),
		document.querySelector('[data-part="build-steps"]').getBoundingClientRect())`
	if !eval[bool](b, inside) {
		t.Error("the selected step is out of the list's window")
	}
	plain := newTab(t, s)
	_, err := chromedp.Call(plain.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	must(t, err)
	plain.do(chromedp.EmulateViewport(360, 740))
	plain.load("/repos/ada/engine/builds/1")
	if !eval[bool](plain, inside) {
		t.Error("without scripts the selected step is out of the list's window")
	}
	if y := eval[float64](plain, "scrollY"); y != 0 {
		t.Errorf("without scripts the page is scrolled by %v", y)
	}
	if top := eval[float64](b, `document.querySelector('.step-head').getBoundingClientRect().bottom`); top > 740 {
		t.Errorf("the step's head ends at %v", top)
	}
}

func TestBrowserTimelineGrows(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.seedHarbour(s.repo("ada", "engine", false), 1)
	b := newTab(t, s)
	b.open("/repos/ada/engine/builds/1/timeline")
	was := eval[string](b, `[...document.querySelectorAll('.twords')].map((e) => e.textContent).join()`)
	// Nothing happens but that time passes.
	b.await(`[...document.querySelectorAll('.twords')].map((e) => e.textContent).join() !== ` + strconv.Quote(was))
}

func TestBrowserNotifiesWhoAskedForIt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, j, _ := s.running(s.repo("ada", "engine", false), 1)
	b := newTab(t, s)
	// A browser whose reader says yes, and that writes down what it shows.
	b.open("/repos/ada/engine/builds/1/graph")
	b.await(`document.querySelector('#watch') && !document.querySelector('#watch').hidden`)
	eval[bool](b, `(window.asked = 0, window.shown = [], window.Notification = class {
		static permission = 'default';
		static async requestPermission() { window.asked++; return this.permission = 'granted'; }
		constructor(title) { window.shown.push(title); }
		addEventListener() {}
	}, true)`)
	b.do(chromedp.Click(chromedp.CSS("#watch")))
	b.await(`document.querySelector('#watch')?.getAttribute('aria-pressed') === 'true'`)
	if asked := eval[int](b, "window.asked"); asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	s.finishJob(j, store.Failure, "step build failed: exit code 2", 1)
	b.await(`window.shown.length === 1 && window.shown[0].startsWith('Failed: ada/engine #1')`)
	b.await(`!document.querySelector('#watch')`)
}

// Every view is whole, and leads to the others, without a script.
func TestBrowserViewsNeedNoScript(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.seedHarbour(s.repo("ada", "engine", false), 1)
	b := newTab(t, s)
	_, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	must(t, err)
	b.load("/repos/ada/engine/builds/1")
	for _, view := range []struct{ text, shows string }{
		{"Graph", "#g2-5"}, {"Timeline", ".timeline .ph-pull"}, {"Pipeline", ".code tr"}, {"Steps", ".step-head"},
	} {
		b.do(chromedp.Click(chromedp.Search(`//nav[@aria-label="Views"]/a[text()="` + view.text + `"]`)))
		b.do(chromedp.WaitVisible(chromedp.CSS(view.shows)))
	}
	if !eval[bool](b, `!document.querySelector('#watch') || getComputedStyle(document.querySelector('#watch')).display === 'none'`) {
		t.Error("a button that needs a script is shown without one")
	}
}

func TestBrowserRestartsAPart(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.repo("ada", "engine", false)
	s.create(push(r, 1), job("lint", "vet"), job("test", "unit"))
	lint, unit := s.claim(), s.claim()
	s.finishStep(lint, 1, store.Success, 0)
	s.finishJob(lint, store.Success, "", 0)
	s.startStep(unit, 1, time.Second)
	s.finishStep(unit, 1, store.Failure, 1)
	s.finishJob(unit, store.Failure, "step unit failed: exit code 1", 1)
	b := newTab(t, s)
	b.login()
	for _, button := range []string{"#restart-failed", "#restart-step", "#restart"} {
		b.open("/repos/ada/engine/builds/1")
		b.do(chromedp.Click(chromedp.CSS(button)))
		b.do(chromedp.WaitVisible(chromedp.CSS(".flash")))
	}
	for i, want := range []store.Rerun{{FailedOnly: true}, {Job: 2, Step: 1}, {}} {
		again, err := s.store.Build(t.Context(), r.ID, int64(i+2))
		must(t, err)
		if again.Rerun != want {
			t.Errorf("build %d runs %+v again, want %+v", again.Number, again.Rerun, want)
		}
	}
}
