package source

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func oidOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

func pointerTo(content string) string {
	return fmt.Sprintf("version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n", oidOf(content), len(content))
}

// lfsHost is r's LFS server, and another host that has the files.
type lfsHost struct {
	r     *remoteRepo
	store *httptest.Server

	mu     sync.Mutex
	files  map[string]string // by OID; guarded by mu
	stored []*http.Request   // guarded by mu
	href   string            // if not empty, where the files are said to be; guarded by mu
}

func newLFS(t *testing.T, r *remoteRepo, files ...string) *lfsHost {
	h := &lfsHost{r: r, files: map[string]string{}}
	for _, f := range files {
		h.files[oidOf(f)] = f
	}
	h.store = httptest.NewServer(http.HandlerFunc(h.serveFile))
	t.Cleanup(h.store.Close)
	r.setIntercept(h.batch)
	return h
}

// downloads returns the requests for files so far.
func (h *lfsHost) downloads() []*http.Request {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.stored
}

// at makes the remote say that a file is at href.
func (h *lfsHost) at(href, file, content string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.href, h.files[oidOf(file)] = href, content
}

func (h *lfsHost) serveFile(w http.ResponseWriter, req *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stored = append(h.stored, req)
	fmt.Fprint(w, h.files[strings.TrimPrefix(req.URL.Path, "/")])
}

func (h *lfsHost) batch(w http.ResponseWriter, req *http.Request) bool {
	if req.URL.Path != "/repo.git/info/lfs/objects/batch" {
		return false
	}
	if _, pass, _ := req.BasicAuth(); pass != testToken {
		w.WriteHeader(http.StatusUnauthorized)
		return true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	type object = map[string]any
	var in struct {
		Operation string
		Objects   []struct {
			OID  string
			Size int64
		}
	}
	if err := json.NewDecoder(req.Body).Decode(&in); err != nil || in.Operation != "download" {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return true
	}
	var out []object
	for _, o := range in.Objects {
		answer := object{"oid": o.OID, "size": o.Size}
		if _, ok := h.files[o.OID]; ok {
			href := h.store.URL + "/" + o.OID
			if h.href != "" {
				href = h.href
			}
			answer["actions"] = object{"download": object{"href": href, "header": object{"X-Grant": "yes"}}}
		} else {
			answer["error"] = object{"code": 404, "message": "Object does not exist"}
		}
		out = append(out, answer)
	}
	_ = json.NewEncoder(w).Encode(object{"objects": out})
	return true
}

func fetchLFS(t *testing.T, m *Mirrors, r *remoteRepo, sha string) error {
	t.Helper()
	return m.Fetch(t.Context(), "1", r.remote(), "refs/heads/main", sha, FetchOptions{LFS: true})
}

func TestLargeFiles(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	large, script := strings.Repeat("large ", 5000), "#!/bin/sh\n"+strings.Repeat("true\n", 300)
	h := newLFS(t, r, large, script)
	r.write(map[string]string{"run": pointerTo(script)})
	if err := os.Chmod(filepath.Join(r.work, "run"), 0o755); err != nil {
		t.Fatal(err)
	}
	sha := r.pushed("one", map[string]string{"a/large.bin": pointerTo(large), "again": pointerTo(large),
		"text": pointerTo(large) + "and more\n", ".lfsconfig": "[lfs]\n\turl = file:///etc\n"})
	if err := fetchLFS(t, m, r, sha); err != nil {
		t.Fatal(err)
	}
	if n := len(h.downloads()); n != 2 {
		t.Errorf("%d downloads, want 2", n)
	}
	for _, req := range h.downloads() {
		if req.Header.Get("Authorization") != "" || req.Header.Get("X-Grant") != "yes" {
			t.Errorf("headers: %v", req.Header)
		}
	}
	n := r.requestCount()
	dir := unpack(t, m, sha, TarOptions{LFS: true})
	for file, want := range map[string]string{"a/large.bin": large, "again": large, "run": script, "text": pointerTo(large) + "and more\n"} {
		if got, err := os.ReadFile(filepath.Join(dir, file)); err != nil || string(got) != want {
			t.Errorf("%s: %.40q, %v", file, got, err)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "run")); err != nil || info.Mode().Perm()&0o100 == 0 {
		t.Errorf("run: %v, %v", info, err)
	}
	if err := fetchLFS(t, m, r, sha); err != nil || r.requestCount() != n || len(h.downloads()) != 2 {
		t.Errorf("a second time: %v, %d requests, %d downloads", err, r.requestCount()-n, len(h.downloads()))
	}
	plain := unpack(t, m, sha, TarOptions{})
	if got, err := os.ReadFile(filepath.Join(plain, "again")); err != nil || string(got) != pointerTo(large) {
		t.Errorf("not asked for: %q, %v", got, err)
	}
}

func TestLargeFilesThatCannotBeHad(t *testing.T) {
	large := strings.Repeat("large ", 100)
	r, m := newRemote(t), openMirrors(t)
	h := newLFS(t, r)
	sha := r.pushed("one", map[string]string{"large": pointerTo(large)})
	if err := fetchLFS(t, m, r, sha); !errors.Is(err, ErrCommitNotFound) || !strings.Contains(err.Error(), "Object does not exist") {
		t.Errorf("of which the remote has nothing: %v", err)
	}
	h.at("", large, "something else")
	if err := fetchLFS(t, m, r, sha); err == nil || !strings.Contains(err.Error(), "is not the file") {
		t.Errorf("of another content: %v", err)
	}
	for _, href := range []string{"file:///etc/passwd", "ftp://127.0.0.1/x", "::", "/etc/passwd"} {
		h.at(href, large, large)
		if err := fetchLFS(t, m, r, sha); err == nil || !strings.Contains(err.Error(), "address") {
			t.Errorf("at %s: %v", href, err)
		}
	}
	wrong := r.remote()
	wrong.Password = ""
	if err := m.fetchLarge(t.Context(), "1", wrong, sha); !errors.Is(err, ErrAuth) {
		t.Errorf("without a credential: %v", err)
	}
	if _, err := m.Tar(t.Context(), "1", sha, TarOptions{LFS: true}); !errors.Is(err, ErrCommitNotFound) {
		t.Errorf("a checkout: %v", err)
	}
	checkEmptyTmp(t, m)
	h.at("", large, large)
	if err := fetchLFS(t, m, r, sha); err != nil {
		t.Errorf("at last: %v", err)
	}
}

func TestParsePointer(t *testing.T) {
	good := pointerTo("x")
	if p, ok := parsePointer([]byte(good)); !ok || p.oid != oidOf("x") || p.size != 1 {
		t.Errorf("got %+v, %v", p, ok)
	}
	for _, bad := range []string{"", good + "\n", " " + good, strings.TrimSuffix(good, "\n"), strings.Replace(good, "sha256", "sha1", 1),
		strings.Replace(good, "size 1", "size -1", 1), strings.Replace(good, "size 1", "size 9999999999999999999", 1)} {
		if p, ok := parsePointer([]byte(bad)); ok {
			t.Errorf("%q: %+v", bad, p)
		}
	}
}
