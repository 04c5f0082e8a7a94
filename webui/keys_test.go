package webui_test

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

func TestBrowserKeys(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.repo("ada", "engine", false)
	s.failed(r, 1, output("x"))
	s.failed(r, 2, output("x"))
	b := newTab(t, s)
	b.open("/repos/ada/engine")
	b.press("j")
	b.await(`document.activeElement.getAttribute('href') === '/repos/ada/engine/builds/2'`)
	b.press("jj") // there is no third row
	b.await(`document.activeElement.getAttribute('href') === '/repos/ada/engine/builds/1'`)
	b.press("k")
	b.await(`document.activeElement.getAttribute('href') === '/repos/ada/engine/builds/2'`)

	b.press("f")
	b.await(`document.activeElement.getAttribute('href') === '/repos/ada/engine/builds/1'`)
	b.press("f") // and again from the top
	b.await(`document.activeElement.getAttribute('href') === '/repos/ada/engine/builds/2'`)

	b.press("?")
	b.await(`document.querySelector('#keys').open && document.querySelectorAll('#keys dt').length > 8`)
	b.press("/") // not while a dialog is open
	b.await(`document.activeElement.closest('#keys')`)
	b.press("\u001b")
	b.await(`!document.querySelector('#keys').open`)

	b.press("/")
	b.await(`document.activeElement.name === 'q'`)
	b.press("j?gq") // typed, not done
	// The protocol sends the slash as a character of its own, unlike a keyboard.
	if got := eval[string](b, `document.activeElement.value`); strings.TrimPrefix(got, "/") != "j?gq" {
		t.Errorf("the field has %q", got)
	}
	b.press("\u001b")
	b.await(`document.activeElement === document.body`)

	b.press("gq")
	b.do(chromedp.WaitVisible(chromedp.CSS("#waiting")))
	b.open("/repos/ada/engine/builds/1/jobs/1/steps/1")
	b.press("f")
	b.do(chromedp.WaitVisible(chromedp.CSS(".steps a[aria-current][href$='/steps/2']")))
	b.await(`document.documentElement.classList.contains('scripted')`) // which hears the next keys
	b.press("gb")
	b.do(chromedp.WaitVisible(chromedp.CSS("[data-builds][aria-current]")))
}

// A build is canceled from the queue with a question before, without scripts.
func TestBrowserCancelsFromTheQueueWithoutScripts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	build, _, _ := s.running(s.repo("ada", "engine", false), 1)
	b := newTab(t, s)
	b.login()
	_, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	must(t, err)
	b.open("/queue")
	b.do(chromedp.Click(chromedp.CSS("button[popovertarget]")), chromedp.WaitVisible(chromedp.CSS("form[action$='/cancel'] .danger")))
	b.do(chromedp.Click(chromedp.CSS("[popovertargetaction=hide]")), chromedp.WaitNotVisible(chromedp.CSS("form[action$='/cancel'] .danger")))
	got, err := s.store.BuildByID(t.Context(), build.ID)
	must(t, err)
	if got.Cancels != 0 {
		t.Fatal("canceled without an answer")
	}
	b.do(chromedp.Click(chromedp.CSS("button[popovertarget]")), chromedp.Click(chromedp.CSS("form[action$='/cancel'] .danger")),
		chromedp.WaitVisible(chromedp.CSS(".flash")))
	got, err = s.store.BuildByID(t.Context(), build.ID)
	must(t, err)
	if got.Cancels != 1 {
		t.Errorf("%d requests to cancel", got.Cancels)
	}
}

// The queue changes by itself when a job is claimed.
func TestBrowserQueueIsLive(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.create(push(s.repo("ada", "engine", false), 1), job("test", "build"))
	b := newTab(t, s)
	b.open("/queue")
	b.await(`document.querySelector('[aria-labelledby=waiting] .item')`)
	s.claim()
	b.await(`document.querySelector('[aria-labelledby=running] .item') && !document.querySelector('[aria-labelledby=waiting] .item')`)
}
