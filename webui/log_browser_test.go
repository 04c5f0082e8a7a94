package webui_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
)

const stepPage = "/repos/ada/engine/builds/1/jobs/1/steps/1"

// finished makes a build whose only step has ended with this log.
func (s *site) finished(exit int, lines ...logs.Line) {
	s.t.Helper()
	s.create(push(s.repo("ada", "engine", false), 1), job("test", "build"))
	j := s.claim()
	s.startStep(j, 1, 0)
	w := s.writer(j, 1)
	must(s.t, w.Append(lines...))
	must(s.t, w.Close())
	status := store.Success
	if exit != 0 {
		status = store.Failure
	}
	s.finishStep(j, 1, status, exit)
	s.finishJob(j, status, "", 1)
}

// numbered are n rows of output.
func numbered(n int) (lines []logs.Line) {
	for i := range n {
		lines = append(lines, output(fmt.Sprintf("text %d", i+1)))
	}
	return lines
}

// inBox is true if an element is in view in the box of the log.
func inBox(element string) string {
	return fmt.Sprintf(`(() => { const r = document.querySelector('%s')?.getBoundingClientRect(), b = document.querySelector('#log-box').getBoundingClientRect();
		return r && r.height > 0 && r.top >= b.top - 1 && r.bottom <= b.bottom + 1 })()`, element)
}

// awaitView waits until an expression is true of what is in view, which changes
// without the page's elements changing.
func (b *tab) awaitView(expression string) {
	b.t.Helper()
	poll := chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(patience))
	if _, err := chromedp.Run(b.ctx, poll); err != nil {
		b.t.Fatalf("waiting for %s: %v", expression, err)
	}
}

// boxAtEnd is true if the box is scrolled to its end.
const boxAtEnd = `(b => b.scrollHeight - b.clientHeight - b.scrollTop < 2)(document.querySelector('#log-box'))`

// press types into what has the focus.
func (b *tab) press(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// paste puts a text into what has the focus, all at once: of a text whose keys
// come slowly the beginning is searched for too, and may have as many hits.
func (b *tab) paste(text string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, input.InsertText, input.InsertTextParams{Text: text})
	must(b.t, err)
}

// pressCtrl presses a key with Control.
func (b *tab) pressCtrl(key string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(key, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
}

func (b *tab) click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// retype empties the search field and puts the focus into it.
func (b *tab) retype() {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('#log-search [name=q]').value = ''; document.querySelector('#log-search [name=q]').focus()`))
}

// times chooses which times are shown beside the rows.
func (b *tab) times(value string) {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](`(s => { s.value = '` + value + `'; s.dispatchEvent(new Event('change')) })(document.querySelector('#log-times'))`))
}

// address is what the address bar shows after the server's name.
func (b *tab) address() string {
	b.t.Helper()
	return strings.TrimPrefix(eval[string](b, "location.href"), b.base)
}

// The log opens where the step failed, with the command that failed unfolded.
func TestBrowserOpensLogAtTheFailure(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	lines := append([]logs.Line{command("go vet", -1)}, numbered(3000)...)
	lines = append(append(lines, command("go test", 0)), numbered(3000)...)
	s.finished(1, lines...)
	b := newTab(t, s)
	b.open("/repos/ada/engine/builds/1")
	b.awaitView(inBox("#L5983")) // 20 rows before the end
	if got := eval[string](b, `[...document.querySelectorAll('details.cmd')].map(d => d.open).join()`); got != "false,true" {
		t.Errorf("open: %s", got)
	}
	b.await(`document.querySelector('.cmd.failed .exit').textContent === 'exit code 1'`)
	if n := eval[int](b, `document.querySelectorAll('.row').length`); n > 1000 {
		t.Errorf("%d rows in the page", n)
	}
}

// The first paint shows what the log was opened for, be its script late or lost.
func TestBrowserOpensLogBeforeTheScript(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.finished(1, append([]logs.Line{command("go test", 0)}, numbered(3000)...)...)
	b := newTab(t, s, "net::ERR_BLOCKED_BY_CLIENT")
	_, err := chromedp.Call(b.ctx, network.SetBlockedURLs, network.SetBlockedURLsParams{
		URLPatterns: []*network.BlockPattern{{URLPattern: "*://*:*/*log.js", Block: true}},
	})
	must(t, err)
	for path, row := range map[string]string{"/repos/ada/engine/builds/1": "#L2982", stepPage + "?line=701": "#L701"} {
		b.load(path)
		b.awaitView(inBox(row))
		if y := eval[float64](b, "scrollY"); y != 0 {
			t.Errorf("%s is scrolled by %v", path, y)
		}
	}
}

// All commands are in the page, and unfold wherever their rows are.
func TestBrowserFoldsCommands(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var lines []logs.Line
	for i := range 5 {
		lines = append(append(lines, command(fmt.Sprintf("make part%d", i), 0)), numbered(1000)...)
	}
	s.finished(0, lines...)
	b := newTab(t, s)
	b.open(stepPage)
	b.awaitView(inBox("#L5005"))
	b.click(`[data-fold=close]`)
	b.await(`document.querySelectorAll('details.cmd[open]').length === 0`)
	b.click(`#L1002 .t`) // the text of the second command
	b.await(`document.querySelector('#L1002').closest('details').open`)
	b.awaitView(inBox("#L1003"))
	b.click(`#L1002 .n`) // a number links, and does not fold
	b.await(`document.querySelector('#L1002.target')`)
	if !eval[bool](b, `document.querySelector('#L1002').closest('details').open`) {
		t.Error("a click on the number folds")
	}
	b.click(`[data-fold=open]`)
	b.await(`document.querySelectorAll('details.cmd[open]').length === 5`)
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('#log-box').scrollTo(0, 1e9)`))
	b.awaitView(inBox("#L5005"))
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('#log-box').scrollTo(0, 0)`))
	b.awaitView(inBox("#L2"))
}

func TestBrowserLinksRowsAndRanges(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.finished(0, numbered(3000)...)
	b := newTab(t, s)
	b.open("/repos/ada/engine/builds/1#build:700-702") // far before the window
	b.await(`document.querySelectorAll('.row.target').length === 3`)
	b.awaitView(inBox("#L700"))
	b.click("#L701 .n")
	b.await(`document.querySelectorAll('.row.target').length === 1 && document.querySelector('#L701.target')`)
	if got := b.address(); got != stepPage+"?line=701#build:701" {
		t.Errorf("address %s", got)
	}
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('#L704 .n').dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true, shiftKey: true}))`))
	b.await(`document.querySelectorAll('.row.target').length === 4`)
	if got := b.address(); got != stepPage+"?line=701#build:701-704" {
		t.Errorf("address %s", got)
	}
	// It leads there again, and the page comes with the row.
	_, page := s.get(s.browser(), stepPage+"?line=701")
	wantAll(t, page, `<div class="row target goal" id="L701"`)
	b.open(stepPage + "?line=701&again=1#build:701-704")
	b.await(`document.querySelectorAll('.row.target').length === 4`)
	b.awaitView(inBox("#L701"))
	// Links of old still lead somewhere.
	b.open(stepPage + "?of=old#L1500")
	b.await(`document.querySelector('#L1500.target')`)
	b.awaitView(inBox("#L1500"))
	b.await(`document.querySelector('#L1501')`)
	// Copied text has no numbers in it.
	copied := eval[string](b, `(() => { const r = new Range(); r.setStartBefore(document.querySelector('#L1500')); r.setEndAfter(document.querySelector('#L1501'));
		getSelection().removeAllRanges(); getSelection().addRange(r); return getSelection().toString() })()`)
	if copied = strings.TrimSpace(copied); copied != "text 1500\ntext 1501" {
		t.Errorf("copied %q", copied)
	}
}

// A search looks through the whole log, and shows what it finds.
func TestBrowserSearchesTheLog(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	lines := numbered(5000)
	lines[99] = output("an \x1b[31mer\x1b[1mror\x1b[0m here, and another Error")
	lines[2999] = output("one more ERROR")
	s.finished(0, append([]logs.Line{command("true", -1)}, lines...)...)
	b := newTab(t, s)
	b.open(stepPage)
	b.click("[data-fold=close]")
	b.do(chromedp.Focus(chromedp.CSS("#log-box")))
	b.pressCtrl("f")
	b.await(`document.activeElement.name === 'q'`)
	b.paste("error")
	b.await(`document.querySelector('#log-search output').textContent === '1 of 2'`)
	b.awaitView(inBox("#L101"))
	b.await(`document.querySelector('#L101.now') && CSS.highlights.get('log-hit').size === 2`)
	b.await(`document.activeElement.name === 'q'`)
	b.press(kb.Enter)
	b.awaitView(inBox("#L3001"))
	b.await(`document.querySelector('#log-search output').textContent === '2 of 2' && document.querySelector('#L3001.now')`)
	b.awaitView(marksDrawn)
	b.click(`[data-hit="-1"]`)
	b.awaitView(inBox("#L101"))

	b.click(`[name=case]`)
	b.await(`document.querySelector('#log-search output').textContent === '1 of 1'`)
	b.click(`[name=regex]`)
	b.retype()
	b.press("text 49[0-9]{2}$")
	b.await(`document.querySelector('#log-search output').textContent === '1 of 100'`)
	b.awaitView(inBox("#L4901"))
	b.press("(")
	b.await(`document.querySelector('#log-search output').textContent.startsWith('not a regular expression: missing closing )')`)
	b.retype()
	b.press(":2500" + kb.Enter)
	b.awaitView(inBox("#L2500"))
	b.await(`location.hash === '#build:2500'`)
	b.retype()
	b.press("nowhere")
	b.await(`document.querySelector('#log-search output').textContent === 'no hits'`)
	b.press(kb.Escape)
	b.await(`document.activeElement.id === 'log-box' && document.querySelector('#log-search output').textContent === '' && document.querySelector('#log-search [name=q]').value === ''`)
}

// What the server had no time for is asked of it again: the hits add up.
func TestBrowserSearchGoesOn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	lines := numbered(3000)
	lines[99], lines[1999] = output("an error"), output("an error")
	s.finished(0, lines...)
	b := newTab(t, s)
	b.open(stepPage)
	b.awaitView(inBox("#L3000"))
	b.do(chromedp.Evaluate[chromedp.Void](`(fetch => { window.fetch = (url, o) => !String(url).includes('/search?') || !String(url).endsWith('&from=1') ? fetch(url, o)
		: Promise.resolve(new Response('{"total":1,"rows":[100],"spread":[100],"next":1500}')) })(window.fetch)`))
	b.retype()
	b.paste("error")
	b.await(`document.querySelector('#log-search output').textContent === '1 of 2'`)
	b.press(kb.Enter)
	b.awaitView(inBox("#L2000"))
	b.await(`document.querySelector('#log-search output').textContent === '2 of 2'`)
}

// marksDrawn is true if there is something in the scale beside the scroll bar.
const marksDrawn = `(c => c.width > 0 && c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 0))(document.querySelector('.log-marks'))`

// Ctrl+F is the browser's own, except in the log; and pressed twice, there too.
func TestBrowserKeepsItsOwnSearch(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.finished(0, numbered(10)...)
	b := newTab(t, s)
	b.open(stepPage)
	b.awaitView(inBox("#L10"))
	b.do(chromedp.Evaluate[chromedp.Void](`addEventListener('keydown', e => { window.taken = e.defaultPrevented })`))
	for _, c := range []struct {
		focus string
		taken bool
	}{{"a.logo", false}, {"#log-box", true}, {"#log-search [name=q]", false}} {
		b.do(chromedp.Focus(chromedp.CSS(c.focus)))
		b.pressCtrl("f")
		if got := eval[bool](b, "window.taken"); got != c.taken {
			t.Errorf("with the focus in %s taken is %v", c.focus, got)
		}
	}
}

// Times and wrapping are as the reader left them.
func TestBrowserRemembersLooks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	lines := numbered(50)
	lines[10] = output(strings.Repeat("wide ", 200))
	s.finished(0, lines...)
	b := newTab(t, s)
	b.open(stepPage)
	b.awaitView(`document.querySelector('#L11')?.clientHeight > 30`)
	b.click("#log-wrap")
	b.awaitView(`document.querySelector('#L11').clientHeight < 30 && document.querySelector('#log-box').scrollWidth > 3000`)
	b.times("relative")
	b.awaitView(`document.querySelector('#L11').dataset.at === '00:00'`)
	b.open("/")
	b.open(stepPage)
	b.awaitView(`document.querySelector('#L11')?.clientHeight < 30 && document.querySelector('#L11').dataset.at === '00:00' && document.querySelector('#log-times').value === 'relative'`)
	b.times("absolute")
	b.await(`/^\d\d:\d\d:\d\d$/.test(document.querySelector('#L11').dataset.at)`)
	b.times("none")
	b.awaitView(`document.querySelector('#L11').dataset.at === undefined`)
	b.click("#log-wrap")
	b.awaitView(`document.querySelector('#L11').clientHeight > 30`)
}

func TestBrowserShowsAllOfALongRow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.finished(0, output(strings.Repeat("0123456789", 10_000)+"<end>"), output("after"))
	b := newTab(t, s)
	b.open(stepPage)
	b.await(`document.querySelector('#L2')`)
	if n := eval[int](b, `document.querySelector('#L1 .t').textContent.length`); n > 9000 {
		t.Errorf("the cut row has %d characters", n)
	}
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('#L1 .cut').click()`))
	b.await(`document.querySelector('#L1 .t').textContent.length === 100005 && document.querySelector('#L1 .t').textContent.endsWith('<end>')`)
}

// A long line of a command would push its output off the screen.
func TestBrowserCutsLongCommands(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	long := "echo " + strings.Repeat("0123456789", 200) + "<end>"
	s.finished(0, command(long, -1), output("out"))
	b := newTab(t, s)
	b.do(chromedp.EmulateViewport(360, 740))
	b.open(stepPage)
	b.await(`document.querySelector('.cmd > .cut') && document.querySelector('#L1 .t').textContent.length < 400`)
	if h := eval[int](b, `document.querySelector('.cmd > summary').offsetHeight`); h > 370 {
		t.Errorf("the command is %d high on a phone", h)
	}
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('.cmd > .cut').click()`))
	b.await(`document.querySelector('#L1 .t').textContent.endsWith('<end>') && !document.querySelector('.cut') && document.querySelector('.cmd').open`)

	b.open("/")
	b.open(stepPage)
	b.retype()
	b.press("<end>")
	b.await(`document.querySelector('#L1.now .t')?.textContent.endsWith('<end>') && CSS.highlights.get('log-hit-now')?.size === 1`)
}

// A true colour is shown as it is, where it can be read; also in rows that come
// later.
func TestBrowserShowsTrueColours(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, _, w := s.running(s.repo("ada", "engine", false), 1)
	const colours = "\x1b[38;2;10;20;130mtext\x1b[48;2;200;255;210mground\x1b[0m"
	must(t, w.Append(output(colours)))
	b := newTab(t, s)
	b.open("/repos/ada/engine/builds/1")
	must(t, w.Append(output(colours)))
	b.await(`document.querySelector('#L2')`)
	for _, row := range []string{"#L1", "#L2"} {
		for element, want := range map[string]string{"[data-fg]": "color rgb(10, 20, 130)", "[data-bg]": "backgroundColor rgb(200, 255, 210)"} {
			property, value, _ := strings.Cut(want, " ")
			if got := eval[string](b, `getComputedStyle(document.querySelector('`+row+" "+element+`')).`+property); got != value {
				t.Errorf("%s %s has the %s %s, want %s", row, element, property, got, value)
			}
		}
	}
}

// Hostile output shows as text, in the page and in what is fetched later.
func TestBrowserShowsHostileOutputAsText(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const evil = `<img src=x onerror="document.title='pwned'"><script>document.title='pwned'</script>`
	_, _, w := s.running(s.repo("ada", "engine", false), 1)
	must(t, w.Append(output(evil)))
	must(t, w.Append(numbered(1000)...))
	b := newTab(t, s)
	b.open("/repos/ada/engine/builds/1")
	must(t, w.Append(command(evil, -1), output("\x1b]8;;javascript:document.title='pwned'\x07\x1b[1m"+evil),
		output("\x1b]8;;https://a.example/\"onclick=\"document.title='pwned'\x07link\x1b]8;;\x07\x1b]1337;File=inline=1:AA==\x07\x1b]0;pwned\x07")))
	b.await(`document.querySelector('#L1003')`)
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('#log-box').scrollTop = 0`))
	b.awaitView(inBox("#L1"))
	for _, id := range []string{"L1", "L1002", "L1003"} {
		if got := eval[string](b, `document.querySelector('#`+id+` .t')?.textContent ?? ''`); got != evil && id != "L1003" {
			t.Errorf("%s shows %q", id, got)
		}
	}
	b.do(chromedp.Focus(chromedp.CSS("#log-search [name=q]")))
	b.press("onerror=")
	b.await(`document.querySelector('#log-search output').textContent === '1 of 3'`)
	if eval[bool](b, `document.title.includes('pwned') || document.querySelector('#log img, #log script, #log [onclick], #log .t a:not([href^=https])') !== null`) {
		t.Error("the output was taken for HTML")
	}
}

// What is written is soon on the page. How soon is printed.
func TestBrowserShowsRowsSoon(t *testing.T) {
	s := newSite(t)
	_, _, w := s.running(s.repo("ada", "engine", false), 1)
	must(t, w.Append(numbered(10)...))
	b := newTab(t, s)
	b.open("/repos/ada/engine/builds/1")
	b.awaitView(inBox("#L10"))
	b.do(chromedp.Evaluate[chromedp.Void](`window.shown = []; new MutationObserver(() => {
		for (const r of document.querySelectorAll('#rows .row[data-t]:not([data-seen])')) { r.dataset.seen = ''; shown.push(Date.now() - r.dataset.t); }
	}).observe(document.querySelector('#rows'), {childList: true, subtree: true})`))
	for i := range 40 {
		must(t, w.Append(output(fmt.Sprintf("row %d", i))))
		b.await(fmt.Sprintf(`document.querySelector('#L%d')`, 11+i))
	}
	t.Logf("from written to shown: at most %v ms", eval[float64](b, `Math.max(...shown.slice(10))`))
}
