package webui_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestThemeIsRememberedWithoutScript(t *testing.T) {
	s := newSite(t)
	c := s.browser()
	_, page := s.get(c, "/")
	wantAll(t, page, `<html lang="en">`, `content="light dark"`, `value="" aria-pressed="true"`)
	choose := func(theme, next string) *http.Response {
		res, _ := s.post(c, "/theme", url.Values{"theme": {theme}, "next": {next}})
		return res
	}
	if res := choose("dark", "/login?next=/"); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/login?next=/" {
		t.Errorf("answer %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
	_, page = s.get(c, "/")
	wantAll(t, page, `<html lang="en" data-theme="dark">`, `name="color-scheme" content="dark"`, `value="dark" aria-pressed="true"`)
	if res := choose("pink", "/"); res.StatusCode != http.StatusBadRequest {
		t.Errorf("unknown theme: %d", res.StatusCode)
	}
	if res := choose("", "https://evil.example/"); res.Header.Get("Location") != "/" {
		t.Errorf("leads to %q", res.Header.Get("Location"))
	}
	_, page = s.get(c, "/")
	wantNone(t, page, "data-theme")
}

// The switch works in place, and the next page comes in the chosen colours.
func TestBrowserSwitchesTheme(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := newTab(t, s)
	b.theme("light")
	b.open("/")
	const ground = "getComputedStyle(document.body).backgroundColor"
	light := eval[string](b, ground)
	b.do(chromedp.Click(chromedp.CSS(`.theme button[value=dark]`)))
	b.await(`document.querySelector('.theme button[value=dark]').getAttribute('aria-pressed') === 'true'`)
	dark := eval[string](b, ground)
	if dark == light {
		t.Errorf("both are %s", dark)
	}
	b.open("/login")
	if got := eval[string](b, ground); got != dark {
		t.Errorf("the next page has %s", got)
	}
	b.do(chromedp.Click(chromedp.CSS(`.theme button[value=""]`)))
	b.await(`!document.documentElement.hasAttribute('data-theme')`)
	if got := eval[string](b, ground+" + document.cookie"); got != light {
		t.Errorf("without a choice: %s", got)
	}
}
