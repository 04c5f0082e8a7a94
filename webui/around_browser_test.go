package webui_test

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/slipway-ci/slipway/store"
)

// The form keeps what was typed, says beside the field what is wrong with it, and
// has the focus there.
func TestBrowserSavesSettings(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.repo("ada", "engine", false)
	b := newTab(t, s, "status of 422")
	b.login()
	b.open("/repos/ada/engine/settings")
	b.click("label[for=volumes]")
	b.click("#pipeline_file")
	b.press("../ci\r")
	b.do(chromedp.WaitVisible(chromedp.CSS("#pipeline_file-problem[role=alert]")))
	// The page may be seen before all of it is there, and has the focus with a later frame.
	b.awaitView(`document.readyState !== 'loading' && document.activeElement.matches('#pipeline_file[aria-invalid=true][aria-describedby~=pipeline_file-problem]') && document.activeElement.value === '../ci' && volumes.checked`)
	b.wantSettings(s, store.RepoSettings{})

	b.do(chromedp.Evaluate[chromedp.Void]("pipeline_file.select()"))
	b.press("ci/\r")
	b.do(chromedp.WaitVisible(chromedp.CSS(".flash[role=status]")))
	b.awaitView(`document.readyState !== 'loading' && pipeline_file.value === 'ci/' && volumes.checked && !document.querySelector('[aria-invalid], .problem')`)
	b.wantSettings(s, store.RepoSettings{PipelineFile: "ci/", Trust: store.Trust{Volumes: true}})

	b.open("/repos/ada/engine/settings")
	b.await(`pipeline_file.value === 'ci/' && volumes.checked && !document.querySelector('.flash')`)
}

func (b *tab) wantSettings(s *site, want store.RepoSettings) {
	b.t.Helper()
	r, err := s.store.Repo(b.t.Context(), "ada", "engine")
	must(b.t, err)
	if r.RepoSettings != want {
		b.t.Errorf("stored are %+v, want %+v", r.RepoSettings, want)
	}
}

// A webhook is worked out again after a question, which the keyboard answers too.
func TestBrowserRedelivers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const guid = "7a1f0000-9c1e-11ef-8b1a-325096b39f47"
	_, err := s.store.AddDelivery(t.Context(), store.Delivery{GUID: guid, Event: "push", Repo: "ada/engine", SHA: sha1, Body: []byte("{}")})
	must(t, err)
	must(t, s.store.FinishDelivery(t.Context(), guid, store.DeliveryIgnored, "there is no pipeline file in it", 0))
	b := newTab(t, s)
	b.login()
	b.open("/deliveries")
	b.click(".list .name")
	b.click("[popovertarget=redeliver]")
	b.do(chromedp.WaitVisible(chromedp.CSS("#redeliver .primary")))
	b.press("\u001b")
	b.do(chromedp.WaitNotVisible(chromedp.CSS("#redeliver .primary")))
	b.await(`document.activeElement.matches('[popovertarget=redeliver]')`)
	b.wantDelivery(s, guid, store.DeliveryIgnored)

	b.press("\r")
	b.do(chromedp.WaitVisible(chromedp.CSS("#redeliver .primary")))
	b.press("\t")
	b.await(`document.activeElement.matches('#redeliver .primary')`)
	b.press("\r")
	b.do(chromedp.WaitVisible(chromedp.CSS(".flash[role=status]")))
	b.await(`document.querySelector('h1 .word')?.textContent === 'Waiting' && !document.querySelector('[popovertarget=redeliver]')`)
	b.wantDelivery(s, guid, store.DeliveryPending)
}

func (b *tab) wantDelivery(s *site, guid string, want store.DeliveryStatus) {
	b.t.Helper()
	d, err := s.store.DeliveryByGUID(b.t.Context(), guid)
	must(b.t, err)
	if d.Status != want {
		b.t.Errorf("the delivery is %s, want %s", d.Status, want)
	}
}

// Lists have pages, which keep what was filtered for.
func TestBrowserPagesThroughLists(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.repo("ada", "engine", false)
	for n := range 70 {
		pushed := push(r, int64(n+1))
		if n%2 == 1 {
			pushed.Branch, pushed.Ref = "dev", "refs/heads/dev"
		}
		s.create(pushed, job("test", "build"))
		_, err := s.store.AddDelivery(t.Context(), store.Delivery{GUID: fmt.Sprintf("guid-%02d", n), Event: "push", Repo: fmt.Sprintf("ada/r%d", n%10), Body: []byte("{}")})
		must(t, err)
	}
	b := newTab(t, s)
	b.login()
	for _, list := range []struct {
		path         string
		first, older int // how many rows
		row          string
	}{
		{"/repos/ada/engine", 30, 30, "#40"},
		{"/repos/ada/engine?branch=dev", 30, 5, "#10"},
		{"/deliveries", 50, 20, "guid-19"},
		{"/deliveries?q=ada/&status=pending", 50, 20, "guid-19"},
	} {
		b.open(list.path)
		b.wantRows(list.first)
		b.follow(".pages [rel=next]")
		b.wantRows(list.older)
		b.await(fmt.Sprintf(`document.querySelector('.item').textContent.includes(%q)`, list.row))
		b.follow(".pages a:not([rel])")
		b.wantRows(list.first)
		_, want, _ := strings.Cut(list.path, "?")
		if _, got, _ := strings.Cut(b.address(), "?"); !sameQuery(t, got, want) {
			t.Errorf("the newest of %s are at %s", list.path, b.address())
		}
	}
}

// follow presses a link and waits for the page that it leads to.
func (b *tab) follow(selector string) {
	b.t.Helper()
	_, err := chromedp.RunResponse(b.ctx, chromedp.Click(chromedp.CSS(selector)))
	must(b.t, err)
}

func (b *tab) wantRows(n int) {
	b.t.Helper()
	b.await(fmt.Sprintf(`document.querySelectorAll('.list .item').length === %d`, n))
}

func sameQuery(t *testing.T, a, b string) bool {
	t.Helper()
	x, err := url.ParseQuery(a)
	must(t, err)
	y, err := url.ParseQuery(b)
	must(t, err)
	return maps.EqualFunc(x, y, slices.Equal)
}
