package webui_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/store/logs"
)

// fetch returns what is sent for an address to who takes this encoding, and
// what it is.
func (s *site) fetch(address, encoding string) (sent, body []byte, header http.Header) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.http.URL+address, nil)
	must(s.t, err)
	req.Header.Set("Accept-Encoding", encoding)
	res, err := http.DefaultTransport.RoundTrip(req)
	must(s.t, err)
	defer res.Body.Close()
	sent, err = io.ReadAll(res.Body)
	must(s.t, err)
	if res.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: status %d", address, res.StatusCode)
	}
	if res.Header.Get("Content-Encoding") != "gzip" {
		return sent, sent, res.Header
	}
	z, err := gzip.NewReader(bytes.NewReader(sent))
	must(s.t, err)
	body, err = io.ReadAll(z)
	must(s.t, err)
	return sent, body, res.Header
}

var (
	linked   = regexp.MustCompile(`(?:href|src)="(/static/[^"]+)"`)
	imported = regexp.MustCompile(`from '\./([^']+)'`)
)

// A reader with a slow line has the page of a failed build, with a full window
// of its log, after 100 KB.
func TestFirstLoadOfABuildIsSmall(t *testing.T) {
	s := newSite(t)
	r := s.repo("ada", "engine", false)
	lines := []logs.Line{command("go test ./...", -1)}
	for i := range 3000 {
		lines = append(lines, output(fmt.Sprintf("ok  \tharbour.example/ferry/part%d\t%d.%03ds", i*7919%3000, i%7, i*37%1000)))
	}
	s.failed(r, 1, lines...)
	total, parts := s.firstLoad("/repos/ada/engine/builds/1")
	if len(parts) < 8 || total > 100_000 {
		t.Errorf("%d bytes in %v", total, parts)
	}
	t.Logf("%d bytes in %d parts", total, len(parts))
}

// What a log needs comes with the pages that have one, and all of it.
func TestOnlyLogsLoadTheCodeOfLogs(t *testing.T) {
	s := newSite(t)
	s.failed(s.repo("ada", "engine", false), 1, output("x"))
	for path, want := range map[string]bool{"/": false, "/queue": false, "/docs": false, "/repos/ada/engine": false,
		"/repos/ada/engine/builds/1/graph": false, "/repos/ada/engine/builds/1": true} {
		_, parts := s.firstLoad(path)
		for _, script := range []string{"log.js", "log-rows.js", "log-live.js", "log-search.js"} {
			has := slices.ContainsFunc(parts, func(p string) bool { return strings.HasSuffix(p, "/"+script) })
			if has != want {
				t.Errorf("%s loads %s: %t", path, script, has)
			}
		}
	}
}

// firstLoad returns how many bytes are sent to who has nothing of a page yet, and
// the addresses of what it consists of.
func (s *site) firstLoad(page string) (total int, parts []string) {
	s.t.Helper()
	seen := map[string]bool{}
	todo := []string{page}
	for len(todo) > 0 {
		address := todo[0]
		todo = todo[1:]
		if seen[address] {
			continue
		}
		seen[address] = true
		parts = append(parts, address)
		sent, body, _ := s.fetch(address, "gzip, br")
		total += len(sent)
		for _, m := range linked.FindAllSubmatch(body, -1) {
			todo = append(todo, string(m[1]))
		}
		for _, m := range imported.FindAllSubmatch(body, -1) {
			if strings.HasSuffix(address, ".js") {
				todo = append(todo, path.Dir(address)+"/"+string(m[1]))
			}
		}
	}
	return total, parts
}

func TestAnswersAreCompressedForWhoTakesIt(t *testing.T) {
	s := newSite(t)
	s.seedHarbour(s.repo("ada", "engine", false), 1)
	for encoding, packed := range map[string]bool{"gzip": true, "br, gzip;q=0.5": true, "": false, "identity": false, "gzip;q=0": false} {
		_, body, header := s.fetch("/repos/ada/engine/builds/1/graph", encoding)
		if got := header.Get("Content-Encoding") == "gzip"; got != packed || header.Get("Vary") != "Accept-Encoding" || !bytes.Contains(body, []byte("</html>")) {
			t.Errorf("%q: compressed: %t, %v", encoding, got, header)
		}
	}
}

// The token of a form is another one in each page, so that the length of a page
// does not tell it, and all of them are good.
func TestFormTokensAreMasked(t *testing.T) {
	s := newSite(t)
	s.failed(s.repo("ada", "engine", false), 1, output("x"))
	c, first := s.admin()
	_, page := s.get(c, "/")
	second := csrfField.FindStringSubmatch(page)[1]
	if first == second {
		t.Error("two pages have the same token")
	}
	for _, token := range []string{first, second} {
		if res, _ := s.post(c, "/repos/ada/engine/builds/1/restart", url.Values{"csrf": {token}}); res.StatusCode != http.StatusSeeOther {
			t.Errorf("status %d", res.StatusCode)
		}
	}
	for _, token := range []string{"", "00", first[:len(first)-2] + "zz", strings.Repeat("0", len(first)), first[:len(first)/2]} {
		if res, _ := s.post(c, "/repos/ada/engine/builds/1/restart", url.Values{"csrf": {token}}); res.StatusCode != http.StatusForbidden {
			t.Errorf("token %q: status %d", token, res.StatusCode)
		}
	}
}
