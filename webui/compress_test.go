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
	total := 0
	seen := map[string]bool{}
	todo := []string{"/repos/ada/engine/builds/1"}
	for len(todo) > 0 {
		address := todo[0]
		todo = todo[1:]
		if seen[address] {
			continue
		}
		seen[address] = true
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
	if len(seen) < 8 || total > 100_000 {
		t.Errorf("%d bytes in %d parts", total, len(seen))
	}
	t.Logf("%d bytes in %d parts", total, len(seen))
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
