package webui_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/systeminfo"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
)

// million makes a build that failed with a log of a million rows, 95 MB.
func (s *site) million() {
	s.t.Helper()
	s.create(push(s.repo("ada", "engine", false), 1), job("test", "build"))
	j := s.claim()
	s.startStep(j, 1, time.Hour)
	w := s.writer(j, 1)
	const total, commands = 1_000_000, 10
	batch := make([]logs.Line, 0, 1000)
	for i := range total {
		switch {
		case i%(total/commands) == 0:
			batch = append(batch, command(fmt.Sprintf("make part%d", i), 0))
		case i == 123_456:
			batch = append(batch, output("the needle in the haystack"))
		case i%3 == 0:
			batch = append(batch, output(fmt.Sprintf("\x1b[32mok\x1b[0m  \tharbour.example/ferry/hull/plank%07d\t%d.%03ds\tcoverage: %d.%d%% of statements, and some more words", i, i%7, i%1000, i%100, i%10)))
		default:
			batch = append(batch, output(fmt.Sprintf("%07d compiling github.com/harbour/ferry/internal/engine/cylinder_%d.go with a line as long as others", i, i*7919%10007)))
		}
		if len(batch) == cap(batch) {
			must(s.t, w.Append(batch...))
			batch = batch[:0]
		}
	}
	must(s.t, w.Close())
	s.finishStep(j, 1, store.Failure, 1)
	s.finishJob(j, store.Failure, "step build failed: exit code 1", 1)
}

// measure prints the 95th percentile of what took so long.
func measure(t *testing.T, what string, took []time.Duration) {
	t.Helper()
	slices.Sort(took)
	t.Logf("%s: median %v, p95 %v of %d", what, took[len(took)/2].Round(time.Millisecond), took[len(took)*95/100].Round(time.Millisecond), len(took))
}

// A log of a million lines is opened, jumped about in and searched. Times and
// memory are printed; what is held is what the reader sees.
func TestBrowserReadsAMillionLines(t *testing.T) {
	s := newSite(t)
	began := time.Now()
	s.million()
	t.Logf("written in %v", time.Since(began).Round(time.Millisecond))
	b := newTab(t, s)
	b.open("/login")
	blank := b.renderer()
	var paints, jumps, searches []time.Duration
	for range 60 {
		b.open(stepPage)
		b.awaitView(inBox("#L999981"))
		paints = append(paints, b.took(firstPaint))
	}
	measure(t, "first paint", paints)
	if h := eval[float64](b, `document.querySelector('#log-box').scrollHeight`); h < 1_500_000 {
		t.Errorf("the box scrolls over %v pixels", h)
	}

	b.click("[data-fold=open]")
	b.awaitView(`document.querySelector('#log-box').scrollHeight > 14e6`)
	for i := range 40 {
		n := 1 + (i*314_159+271_828)%1_000_000
		jumps = append(jumps, b.took(jump(n)))
		b.awaitView(inBox(fmt.Sprintf("#L%d", n)))
		b.awaitView(`document.querySelectorAll('.row').length < 1000`) // a reader looks before the next one
	}
	measure(t, "jump", jumps)
	// The scroll bar is that of the whole log.
	b.do(chromedp.Evaluate[chromedp.Void](`(b => { b.dispatchEvent(new WheelEvent('wheel')); b.scrollTop = b.scrollHeight / 2 })(document.querySelector('#log-box'))`))
	b.awaitView(`(n => n > 480000 && n < 520000)(Number(document.elementFromPoint(700, 600)?.closest('.row')?.id.slice(1)))`)

	b.retype()
	b.press("NEEDLE" + kb.Enter)
	b.await(`document.querySelector('#log-search output').textContent === '1 of 1'`)
	b.awaitView(inBox("#L123457"))
	for _, q := range []string{"q=needle", "q=needle&case=1", "q=nee.le&case=1&regex=1", "q=nee.le&regex=1", "q=cylinder"} {
		at := time.Now()
		total, first := s.searchAll(stepPage, q)
		searches = append(searches, time.Since(at))
		t.Logf("search %s: %v", q, searches[len(searches)-1].Round(time.Millisecond))
		if needle := strings.Contains(q, "ee"); needle && (total != 1 || first != 123_457) || !needle && total != 666_660 {
			t.Errorf("%s: %d hits, the first in row %d", q, total, first)
		}
	}
	if n := eval[int](b, `document.querySelectorAll('.row').length`); n > 2000 {
		t.Errorf("%d rows in the page", n)
	}
	if n := eval[int](b, `document.querySelectorAll('*').length`); n > 20_000 {
		t.Errorf("%d elements in the page", n)
	}
	t.Logf("elements %d, heap %.1f MB, renderer %d MB, of a small page %d MB", eval[int](b, `document.querySelectorAll('*').length`),
		eval[float64](b, `performance.memory.usedJSHeapSize`)/1e6, b.renderer()>>20, blank>>20)
}

// A log that grows while it is read, and faster than a browser draws, is followed
// to its end and stays within what browsers can scroll.
func TestBrowserFollowsBeyondAMillionLines(t *testing.T) {
	s := newSite(t)
	_, j, w := s.running(s.repo("ada", "engine", false), 1)
	const before, between, after = 1_000_000, 1_060_000, 1_120_000
	written := 0
	write := func(until int) {
		for written < until {
			batch := make([]logs.Line, 0, 1000)
			for range cap(batch) {
				if written++; written == between {
					batch = append(batch, command("make check", -1))
					continue
				}
				batch = append(batch, output(strconv.Itoa(written)))
			}
			must(t, w.Append(batch...))
		}
	}
	write(before)
	b := newTab(t, s)
	b.open("/repos/ada/engine/builds/1")
	b.awaitView(inBox("#L" + strconv.Itoa(before)))
	write(after)
	b.awaitView(inBox("#L" + strconv.Itoa(after)))
	if h := eval[float64](b, `document.querySelector('#log-box').scrollHeight`); h < 14e6 || h > 16e6 {
		t.Errorf("the box scrolls over %v pixels", h)
	}
	if n := eval[int](b, `document.querySelectorAll('.block').length`); n > 6000 {
		t.Errorf("%d blocks in the page", n)
	}
	if got := eval[string](b, `(o => o.length + ': ' + o[0]?.dataset.first + ' to ' + o[0]?.dataset.last)([...document.querySelectorAll('details.cmd .out')])`); got != "1: 1060001 to 1120000" {
		t.Errorf("commands with output %s", got)
	}
	s.finishStep(j, 1, store.Success, 0)
	// A row far from both ends comes as it should.
	b.do(chromedp.Evaluate[chromedp.Void](`(b => { b.dispatchEvent(new WheelEvent('wheel')); b.scrollTop = b.scrollHeight / 2 })(document.querySelector('#log-box'))`))
	b.awaitView(`(n => n > 540000 && n < 580000)(Number(document.elementFromPoint(700, 600)?.closest('.row')?.querySelector('.t').textContent))`)
}

// renderer returns how many bytes of memory the largest of the browser's renderers
// has resident, which is the tab's where there is no other.
func (b *tab) renderer() (most int64) {
	b.t.Helper()
	info, err := chromedp.CallBrowser(b.ctx, systeminfo.GetProcessInfo, cdp.Empty{})
	must(b.t, err)
	for _, p := range info.ProcessInfo {
		if p.Type != "renderer" {
			continue
		}
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.ID)) // see proc(5): pages, of which resident
		if os.IsNotExist(err) {
			continue
		}
		must(b.t, err)
		var size, resident int64
		_, err = fmt.Sscan(string(status), &size, &resident)
		must(b.t, err)
		most = max(most, resident*int64(os.Getpagesize()))
	}
	return most
}

// searchAll searches as a browser does, which asks on until all was searched.
func (s *site) searchAll(page, q string) (total, first int64) {
	s.t.Helper()
	for from := int64(1); from > 0; {
		_, body := s.get(http.DefaultClient, fmt.Sprintf("%s/search?%s&from=%d", page, q, from))
		var answer struct {
			Total, Next int64
			Rows        []int64
		}
		must(s.t, json.Unmarshal([]byte(body), &answer))
		if total += answer.Total; first == 0 && answer.Total > 0 {
			first = answer.Rows[0]
		}
		if answer.Next > 0 && answer.Next <= from {
			s.t.Fatalf("%s from %d goes on from %d", q, from, answer.Next)
		}
		from = answer.Next
	}
	return total, first
}

// took returns what a promise in the page says how many milliseconds something took.
func (b *tab) took(promise string) time.Duration {
	b.t.Helper()
	ms, err := chromedp.Run(b.ctx, chromedp.Evaluate[float64](promise, chromedp.EvalAwaitPromise))
	must(b.t, err)
	return time.Duration(ms * float64(time.Millisecond))
}

const firstPaint = `new Promise((done) => new PerformanceObserver((list) => {
	for (const e of list.getEntries()) if (e.name === 'first-contentful-paint') done(e.startTime);
}).observe({type: 'paint', buffered: true}))`

// jump goes to a row as a reader does, and returns after how many milliseconds
// it was painted.
func jump(n int) string {
	return fmt.Sprintf(`new Promise((done) => {
		const q = document.querySelector('#log-search [name=q]'), start = performance.now();
		q.value = ':%d';
		q.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true}));
		const look = () => document.querySelector('#L%d') ? requestAnimationFrame(() => done(performance.now() - start)) : requestAnimationFrame(look);
		look();
	})`, n, n)
}
