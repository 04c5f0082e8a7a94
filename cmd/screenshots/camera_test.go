package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What is wrong with a page is told, and its picture kept.
func TestCameraTellsWhatIsWrong(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/good", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<h1>Good</h1>") })
	mux.HandleFunc("/wide", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `<div id="beam" style="width: 3000px">Wide</div>`)
	})
	mux.HandleFunc("/loud", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "<script>console.error('all hands on deck')</script>")
	})
	mux.HandleFunc("/favicon.ico", func(http.ResponseWriter, *http.Request) {})
	server := httptest.NewServer(mux)
	defer server.Close()
	o := options{dir: t.TempDir(), only: regexp.MustCompile("desktop-dark"), log: t.Output()}
	c, err := openCamera(t.Context(), o, server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	c.take(t.Context(), []page{{name: "good", path: "/good"}, {name: "wide", path: "/wide"}, {name: "loud", path: "/loud"},
		{name: "gone", path: "/gone", anonymous: true}, {name: "expected", path: "/gone", status: http.StatusNotFound}})
	for _, name := range []string{"good", "wide", "loud", "gone", "expected"} {
		if _, err := os.Stat(filepath.Join(o.dir, name+"-desktop-dark.png")); err != nil {
			t.Errorf("no picture of %s: %v", name, err)
		}
	}
	told := errors.Join(c.trouble...).Error()
	for _, want := range []string{`wide-desktop-dark: it is wider than the screen: <div id="beam"`, "loud-desktop-dark: the console says:",
		"all hands on deck", "gone-desktop-dark: the server answered 404, not 200"} {
		if !strings.Contains(told, want) {
			t.Errorf("it does not tell %q:\n%s", want, told)
		}
	}
	if c.taken != 5 || len(c.trouble) != 3 {
		t.Errorf("%d pictures, trouble with %d", c.taken, len(c.trouble))
	}
}
