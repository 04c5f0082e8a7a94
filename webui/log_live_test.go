package webui_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/slipway-ci/slipway/store"
)

// The end is followed until the reader scrolls up; then he is told what came.
func TestBrowserFollowsTheEndUntilScrolledUp(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, j, w := s.running(s.repo("ada", "engine", false), 1)
	must(t, w.Append(numbered(400)...))
	b := newTab(t, s)
	b.open("/repos/ada/engine/builds/1")
	b.awaitView(boxAtEnd)
	must(t, w.Append(output("followed")))
	b.await(`document.querySelector('#L401')`)
	b.awaitView(boxAtEnd)

	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('#log-box').scrollTop = 300`))
	b.await(`document.querySelector('#follow')?.textContent === 'Follow the end ↓'`)
	must(t, w.Append(output("not followed")))
	b.await(`document.querySelector('#follow')?.textContent === '1 new line ↓'`)
	must(t, w.Append(numbered(3000)...))
	b.await(`document.querySelector('#follow')?.textContent === '3,001 new lines ↓'`)
	if y := eval[float64](b, "document.querySelector('#log-box').scrollTop"); y != 300 {
		t.Errorf("scrolled to %v", y)
	}
	b.awaitView(`document.querySelectorAll('.row').length < 1200`) // the next frame lets go of the others
	b.click("#follow")
	b.awaitView(inBox("#L3402"))
	b.await(`!document.querySelector('#follow')`)
	must(t, w.Append(output("followed again")))
	b.awaitView(inBox("#L3403"))
	s.finishStep(j, 1, store.Success, 0)
	b.await(`document.querySelector('.step-head .word')?.textContent === 'Passed'`)
}

// A reader leaves the end also while the log becomes shorter.
func TestBrowserLeavesTheEndOfAShrinkingLog(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, _, w := s.running(s.repo("ada", "engine", false), 1)
	must(t, w.Append(numbered(400)...))
	b := newTab(t, s)
	b.open("/repos/ada/engine/builds/1")
	b.awaitView(boxAtEnd)
	// The page's own observer comes first; the scroll event of both in the next frame.
	b.do(chromedp.Evaluate[chromedp.Void](`(async () => {
		const frame = () => new Promise(requestAnimationFrame);
		const row = [...document.querySelectorAll('#rows .row')].at(-1);
		let told = 0;
		new ResizeObserver(() => { if (told++) document.querySelector('#log-box').scrollTop = 300 }).observe(document.querySelector('#rows'));
		await frame();
		await frame();
		row.remove();
	})()`, chromedp.EvalAwaitPromise))
	b.await(`document.querySelector('#follow')`)
	if y := eval[float64](b, "document.querySelector('#log-box').scrollTop"); y != 300 {
		t.Errorf("scrolled to %v", y)
	}
}

// A reader who follows a link to a row in the same log stays there.
func TestBrowserLeavesTheEndForALink(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, _, w := s.running(s.repo("ada", "engine", false), 1)
	must(t, w.Append(numbered(400)...))
	b := newTab(t, s)
	b.open(stepPage)
	b.awaitView(inBox("#L400"))
	b.do(chromedp.Evaluate[chromedp.Void](`location.hash = '#build:395'`)) // which is in view
	b.await(`document.querySelector('#L395.target') && document.querySelector('#follow')`)
	must(t, w.Append(numbered(100)...))
	b.await(`document.querySelector('#follow').textContent === '100 new lines ↓'`)
	if !eval[bool](b, inBox("#L395")) {
		t.Error("the row is not in view any more")
	}
}

// A reader follows a build through a restart of the server: no row is missing,
// none comes twice, and what the runner wrote meanwhile is there.
func TestBrowserFollowsThroughARestart(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, j, w := s.running(s.repo("ada", "engine", false), 1)
	must(t, w.Append(command("make", -1), output("one")))
	b := newTab(t, s, "net::ERR_")
	b.open("/repos/ada/engine/builds/1")
	must(t, w.Append(output("two"), unfinished("half a li")))
	b.await(`document.querySelector('#L3') && document.querySelector('#tail').textContent === 'half a li'`)

	restart := s.stop()
	must(t, w.Append(output("half a line"), output("four")))
	b.await(`document.querySelector('#live').textContent !== ''`) // the page says that it lost the connection
	must(t, w.Append(numbered(100)...))
	restart()
	b.awaitView(inBox("#L105"))
	must(t, w.Append(output("last")))
	b.awaitView(inBox("#L106"))
	s.finishStep(j, 1, store.Failure, 1)
	b.await(`document.querySelector('details.cmd.failed .exit')?.textContent === 'exit code 1' && document.querySelector('#tail').textContent === ''`)
	if !eval[bool](b, `[...document.querySelectorAll('#rows .row')].every((row, i) => row.id === 'L' + (i + 1))`) {
		t.Error("rows are missing or doubled")
	}
	if n := eval[int](b, `Number(document.querySelector('#rows .out').dataset.last)`); n != 106 {
		t.Errorf("the output ends at row %d", n)
	}
}
