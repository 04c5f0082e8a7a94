package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// page is a page that a picture is taken of.
type page struct {
	name, path string
	// status is what the server answers; 0 means 200.
	status int64
	// anonymous is how a visitor sees it who is not logged in.
	anonymous bool
	// noScript is how it looks without JavaScript.
	noScript bool
	// readme: the README shows the top of it.
	readme bool
}

// screens are those that each page is looked at on, and themes their colours.
var (
	screens = []screen{{"desktop", 1280, 900}, {"phone", 360, 740}}
	themes  = []string{"light", "dark"}
	readme  = screen{"readme", 1280, 720}
)

type screen struct {
	name          string
	width, height int64
}

// look is how long a page may take to load and be taken.
const look = time.Minute

// camera is a browser with two tabs: an admin's and a visitor's.
type camera struct {
	options
	base    string // URL of the server
	admin   *tab
	visitor *tab
	close   func()
	taken   int
	trouble []error // what is wrong with the pages that were looked at
}

// tab has cookies of its own, and hears what its console says.
type tab struct {
	ctx   context.Context
	heard chan struct{} // gets one when the console said that
	mu    sync.Mutex    // guards said
	// said is what the console had to complain of since it was last asked.
	said []string
}

// that is said to the console to hear what it said before.
const that = "slipway: that is all"

func openCamera(ctx context.Context, o options, base string) (*camera, error) {
	dir, err := os.MkdirTemp("", "slipway-chromium-")
	if err != nil {
		return nil, err
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("/usr/bin/chromium"), chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true), chromedp.UserDataDir(dir))
	ctx, stop := chromedp.NewExecAllocator(ctx, opts...)
	browser, cancel := chromedp.NewContext(ctx)
	c := &camera{options: o, base: base}
	var listening sync.WaitGroup
	c.close = func() {
		cancel()
		stop()
		listening.Wait()
		_ = os.RemoveAll(dir)
	}
	if err = chromedp.Do(browser); err == nil {
		if c.admin, err = openTab(browser, &listening); err == nil {
			c.visitor, err = openTab(browser, &listening)
		}
	}
	if err != nil {
		c.close()
		return nil, fmt.Errorf("start chromium: %w", err)
	}
	return c, nil
}

// openTab opens a tab, which closes with the browser, as what listens to it ends.
func openTab(browser context.Context, listening *sync.WaitGroup) (*tab, error) {
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	context.AfterFunc(browser, cancel)
	if err := chromedp.Do(ctx); err != nil {
		cancel()
		return nil, err
	}
	t := &tab{ctx: ctx, heard: make(chan struct{}, 1)}
	messages := chromedp.Console(ctx)
	listening.Go(func() {
		for m, err := range messages {
			if err == nil && m.Text == that {
				t.heard <- struct{}{}
			} else if err == nil && (m.IsException() || m.Type == "error" || m.Type == "warning") {
				t.mu.Lock()
				t.said = append(t.said, m.String())
				t.mu.Unlock()
			}
		}
	})
	return t, nil
}

// complaints returns what the console said since it was asked last.
func (t *tab) complaints(ctx context.Context) ([]string, error) {
	if err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf("console.debug(%q)", that))); err != nil {
		return nil, err
	}
	select {
	case <-t.heard:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	said := t.said
	t.said = nil
	return said, nil
}

// login opens a session in the admin's tab.
func (c *camera) login(token string) error {
	ctx, cancel := context.WithTimeout(c.admin.ctx, look)
	defer cancel()
	field := chromedp.CSS("#token")
	err := chromedp.Do(ctx, chromedp.Navigate(c.base+"/login"), chromedp.SendKeys(field, token), chromedp.Submit(field),
		chromedp.WaitVisible(chromedp.CSS(`form[action="/logout"]`)))
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	return nil
}

// take takes pictures of whole pages on all screens, until ctx ends.
func (c *camera) take(ctx context.Context, pages []page) {
	for _, p := range pages {
		for _, s := range screens {
			for _, theme := range themes {
				if ctx.Err() == nil {
					c.picture(p, s, theme, chromedp.FullScreenshot(100))
				}
			}
		}
	}
}

// takeReadme takes those that the README shows.
func (c *camera) takeReadme(pages []page) {
	for _, p := range pages {
		if p.readme {
			c.picture(p, readme, "light", chromedp.CaptureScreenshot())
		}
	}
}

// picture takes one picture, and keeps it whatever is wrong with the page.
func (c *camera) picture(p page, s screen, theme string, shoot chromedp.Action[[]byte]) {
	name := strings.Join([]string{p.name, s.name, theme}, "-")
	if s == readme {
		name = s.name + "-" + p.name
	}
	if !c.only.MatchString(name) {
		return
	}
	t := c.admin
	if p.anonymous {
		t = c.visitor
	}
	png, err := c.shoot(t, p, s, theme, shoot)
	if png != nil {
		err = errors.Join(err, os.WriteFile(filepath.Join(c.dir, name+".png"), png, 0o644))
		c.taken++
	}
	if err != nil {
		c.trouble = append(c.trouble, fmt.Errorf("%s: %w", name, err))
	}
}

// settled is true when what the page does at first is done and painted.
const settled = `document.fonts.ready.then(() => new Promise(done => {
	const look = () => document.querySelector('#log:not([data-scripted])') ? requestAnimationFrame(look) : requestAnimationFrame(() => requestAnimationFrame(() => done(true)));
	look();
}))`

// widest names an element that stands out of the page, "" if none does.
const widest = `document.documentElement.scrollWidth <= innerWidth ? '' : ([...document.querySelectorAll('body *')]
	.filter(e => e.getBoundingClientRect().right > innerWidth).map(e => e.outerHTML.slice(0, 120)).pop() ?? 'something')`

// shoot opens the page and takes the picture. There is one with an error too, if
// that is about the page.
func (c *camera) shoot(t *tab, p page, s screen, theme string, picture chromedp.Action[[]byte]) (png []byte, err error) {
	ctx, cancel := context.WithTimeout(t.ctx, look)
	defer cancel()
	_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
	if err != nil {
		return nil, err
	}
	_, err = chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: p.noScript})
	if err != nil {
		return nil, err
	}
	response, err := chromedp.RunResponse(ctx, chromedp.EmulateViewport(s.width, s.height), chromedp.Navigate(c.base+p.path))
	if err != nil {
		return nil, err
	}
	if !p.noScript {
		if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](settled, chromedp.EvalAwaitPromise)); err != nil {
			return nil, err
		}
	}
	wide, err := chromedp.Run(ctx, chromedp.Evaluate[string](widest))
	if err != nil {
		return nil, err
	}
	if png, err = chromedp.Run(ctx, picture); err != nil {
		return nil, err
	}
	said, err := t.complaints(ctx)
	if err != nil {
		return png, err
	}
	var wrong []error
	if want := max(p.status, 200); response.Status != want {
		wrong = append(wrong, fmt.Errorf("the server answered %d, not %d", response.Status, want))
	} else if len(said) > 0 && want == 200 {
		wrong = append(wrong, fmt.Errorf("the console says: %s", strings.Join(said, "; ")))
	}
	if wide != "" {
		wrong = append(wrong, fmt.Errorf("it is wider than the screen: %s", wide))
	}
	return png, errors.Join(wrong...)
}
