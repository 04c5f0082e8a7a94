package webui_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/slipway-ci/slipway/store"
)

// A reader watches a build from its first line to its verdict, without touching
// anything.
func TestBrowserFollowsABuild(t *testing.T) {
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
	if eval[bool](b, `document.querySelector('#L5')?.closest('details').open`) {
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

// A connection that breaks is taken up where it was: no row is missing, none
// comes twice.
func TestBrowserComesBack(t *testing.T) {
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

// The end is followed until the reader scrolls up, and again after a click.
func TestBrowserFollowsTheEndUntilScrolledUp(t *testing.T) {
	s := newSite(t)
	_, _, w := s.running(s.repo("ada", "engine", false), 1)
	for i := range 200 {
		must(t, w.Append(output(fmt.Sprintf("line %d", i+1))))
	}
	b := newTab(t, s)
	b.open("/repos/ada/engine/builds/1")
	const atEnd = `document.querySelector('#rows').lastElementChild.lastElementChild.getBoundingClientRect().bottom <= innerHeight`
	b.await(atEnd)
	must(t, w.Append(output("followed")))
	b.await(`document.querySelector('#L201')`)
	b.await(atEnd)

	b.do(chromedp.Evaluate[chromedp.Void](`scrollTo(0, 200)`))
	b.await(`document.querySelector('#follow')`)
	must(t, w.Append(output("not followed")))
	b.await(`document.querySelector('#L202')`)
	if y := eval[float64](b, "scrollY"); y != 200 {
		t.Errorf("scrolled to %v", y)
	}
	b.do(chromedp.Click(chromedp.CSS("#follow")))
	b.await(atEnd)
	b.await(`!document.querySelector('#follow')`)
}

func TestBrowserFoldsAndLinksLines(t *testing.T) {
	s := newSite(t)
	s.failed(s.repo("ada", "engine", false), 1, command("go vet", -1), output("fine"), command("go test", 0), output("FAIL"))
	b := newTab(t, s)
	b.open("/repos/ada/engine/builds/1#L2")
	// The line of the address is shown, though its command was folded.
	b.await(`document.querySelector('#L2.target') && document.querySelector('#L2')?.closest('details').open`)

	b.do(chromedp.Click(chromedp.CSS("#L4 .n")))
	b.await(`document.querySelector('#L4.target') && !document.querySelector('#L2.target')`)
	if got := strings.TrimPrefix(eval[string](b, "location.href"), b.base); got != "/repos/ada/engine/builds/1/jobs/1/steps/2#L4" {
		t.Errorf("the address is %s", got)
	}
	// A line number in a summary is a link, and does not fold.
	b.do(chromedp.Click(chromedp.CSS("#L3 .n")))
	b.await(`document.querySelector('#L3.target') && document.querySelector('#L3')?.closest('details').open`)
	b.do(chromedp.Click(chromedp.CSS("#L3 .t")))
	b.await(`!document.querySelector('#L3')?.closest('details').open`)
	b.do(chromedp.Click(chromedp.CSS("[data-fold=open]")))
	b.await(`document.querySelectorAll('details.cmd[open]').length === 2`)
	b.do(chromedp.Click(chromedp.CSS("[data-fold=close]")))
	b.await(`document.querySelectorAll('details.cmd[open]').length === 0`)

	// Copied text has no line numbers.
	b.do(chromedp.Click(chromedp.CSS("[data-fold=open]")))
	if got := eval[string](b, `(getSelection().selectAllChildren(document.getElementById('rows')), getSelection().toString())`); strings.ContainsAny(got, "1234") {
		t.Errorf("selected text %q", got)
	}
}

// A link to a line before the window leads to the window around it.
func TestBrowserFindsALineFarAway(t *testing.T) {
	s := newSite(t)
	var all = make([]string, 3000)
	r := s.repo("ada", "engine", false)
	s.create(push(r, 1), job("test", "build"))
	j := s.claim()
	s.startStep(j, 1, 0)
	w := s.writer(j, 1)
	for i := range all {
		must(t, w.Append(output(fmt.Sprintf("text %d", i+1))))
	}
	must(t, w.Close())
	s.finishStep(j, 1, store.Success, 0)
	s.finishJob(j, store.Success, "", 0)

	_, page := s.get(s.browser(), "/repos/ada/engine/builds/1")
	wantAll(t, page, "lines 2,001 to 3,000 of 3,000", `href="/repos/ada/engine/builds/1/jobs/1/steps/1?line=2000#L2000"`, ">text 2001<", ">text 3000<")
	wantNone(t, page, ">text 2000<", "Later lines")
	_, page = s.get(s.browser(), "/repos/ada/engine/builds/1/jobs/1/steps/1?line=700")
	wantAll(t, page, "lines 200 to 1,199 of 3,000", "Earlier lines", "Later lines", "To the end", ">text 700<")

	b := newTab(t, s)
	b.open("/repos/ada/engine/builds/1#L700")
	b.await(`document.querySelector('#L700.target')?.getBoundingClientRect().top > 0`)
}

// Lists reload themselves, and what has the focus keeps it.
func TestBrowserListsAreLive(t *testing.T) {
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

// Hostile output shows as text.
func TestBrowserShowsHostileOutputAsText(t *testing.T) {
	s := newSite(t)
	const evil = `<img src=x onerror="document.title='pwned'"><script>document.title='pwned'</script>`
	_, _, w := s.running(s.repo("ada", "engine", false), 1)
	must(t, w.Append(output(evil)))
	b := newTab(t, s)
	b.open("/repos/ada/engine/builds/1")
	must(t, w.Append(command(evil, -1), output("\x1b]8;;javascript:document.title='pwned'\x07\x1b[1m"+evil)))
	b.await(`document.querySelector('#L3')`)
	for _, id := range []string{"L1", "L3"} {
		if got := eval[string](b, `document.querySelector('#`+id+` .t')?.textContent`); got != evil {
			t.Errorf("%s shows %q", id, got)
		}
	}
	if eval[bool](b, `document.title === 'pwned' || document.querySelector('#log img, #log script, #log .t a') !== null`) {
		t.Error("the output was taken for HTML")
	}
}
