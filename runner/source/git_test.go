package source

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestIsolation gives git every chance to pick up this machine's configuration:
// files in the home directory, a template with hooks, and the environment.
func TestIsolation(t *testing.T) {
	home, marker := t.TempDir(), filepath.Join(t.TempDir(), "ran")
	run := "#!/bin/sh\ntouch " + marker + "\n"
	var hooks []string
	for _, hook := range []string{"post-checkout", "post-index-change", "reference-transaction", "pre-auto-gc", "fsmonitor-watchman"} {
		hooks = append(hooks, filepath.Join(home, "template", "hooks", hook))
	}
	for _, file := range append(slices.Clone(hooks), filepath.Join(home, "run")) {
		writeFile(t, file, run)
		if err := os.Chmod(file, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	config := `[init]
	templateDir = ` + home + `/template
[core]
	hooksPath = ` + home + `/template/hooks
	fsmonitor = ` + home + `/run
	askPass = ` + home + `/run
[credential]
	helper = !` + home + `/run
[filter "evil"]
	smudge = ` + home + `/run
	clean = ` + home + `/run
	required = true
[url "file:///nowhere/"]
	insteadOf = http://
[protocol]
	allow = always
`
	writeFile(t, filepath.Join(home, ".gitconfig"), config)
	writeFile(t, filepath.Join(home, "git", "config"), config)
	r := newRemote(t)
	sha := r.pushed("one", map[string]string{".gitattributes": "* filter=evil\n", "a": "1\n", ".gitmodules": "[submodule \"x\"]\n\tpath = x\n\turl = ext::" + home + "/run\n"})

	for name, value := range map[string]string{
		"HOME": home, "XDG_CONFIG_HOME": home, "GIT_CONFIG_GLOBAL": filepath.Join(home, ".gitconfig"),
		"GIT_TEMPLATE_DIR": filepath.Join(home, "template"), "GIT_ASKPASS": filepath.Join(home, "run"),
		"GIT_DIR": home, "GIT_WORK_TREE": home, "GIT_INDEX_FILE": filepath.Join(home, "index"),
		"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.hooksPath", "GIT_CONFIG_VALUE_0": filepath.Join(home, "template", "hooks"),
		"GIT_CONFIG_PARAMETERS": "'core.fsmonitor=" + home + "/run'", "GIT_EXTERNAL_DIFF": filepath.Join(home, "run"),
		"GIT_TRACE_CURL": filepath.Join(home, "trace"), "GIT_PROXY_COMMAND": filepath.Join(home, "run"),
	} {
		t.Setenv(name, value)
	}
	m := openMirrors(t)
	if err := m.Fetch(t.Context(), "1", r.remote(), "refs/heads/main", sha, FetchOptions{Tags: true}); err != nil {
		t.Fatal(err)
	}
	wrong := r.remote()
	wrong.Password = "wrong" // git would ask for another one
	if err := m.Fetch(t.Context(), "2", wrong, "refs/heads/main", sha, FetchOptions{}); !errors.Is(err, ErrAuth) {
		t.Error(err)
	}
	rc := mustTar(t, m, sha, TarOptions{Branch: "main"})
	headers, content := readTar(t, rc)
	if err := rc.Close(); err != nil {
		t.Error(err)
	}
	if content["a"] != "1\n" {
		t.Errorf("content: %q", content["a"])
	}
	for name := range headers {
		if strings.Contains(name, "hooks/") {
			t.Errorf("%s is in the checkout", name)
		}
	}
	for _, file := range []string{marker, filepath.Join(home, "trace"), filepath.Join(home, "index")} {
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%s was made", file)
		}
	}
}

// TestCancelKillsGitAndItsHelpers: the server sees the connection of
// git-remote-https end, and nothing of it is left.
func TestCancelKillsGitAndItsHelpers(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	sha := r.pushed("one", nil)
	reached, gone := make(chan struct{}), make(chan struct{})
	r.setIntercept(func(_ http.ResponseWriter, req *http.Request) bool {
		close(reached)
		<-req.Context().Done()
		close(gone)
		return true
	})
	ctx, cancel := context.WithCancelCause(t.Context())
	failed := make(chan error, 1)
	go func() {
		failed <- m.Fetch(ctx, "1", r.remote(), "refs/heads/main", sha, FetchOptions{})
	}()
	<-reached
	enough := errors.New("enough")
	cancel(enough)
	if err := <-failed; !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
	<-gone
	r.setIntercept(nil)
	mustFetch(t, m, r, sha) // it left nothing in the way
}

// TestKilledProcessLeavesNoGit: a process that is killed without a chance to
// clean up takes its gits with it, so that the next one may remove their locks.
func TestKilledProcessLeavesNoGit(t *testing.T) {
	r := newRemote(t)
	sha := r.pushed("one", nil)
	reached, gone := make(chan struct{}), make(chan struct{})
	r.setIntercept(func(_ http.ResponseWriter, req *http.Request) bool {
		close(reached)
		<-req.Context().Done()
		close(gone)
		return true
	})
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperFetchesForever$")
	cmd.Env = append(os.Environ(), helperURL+"="+r.remote().URL, helperSHA+"="+sha, "TMPDIR="+t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-reached
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // it was killed
	select {
	case <-gone:
	case <-time.After(40 * time.Second): // less than git's own limit for a stall
		t.Error("git is still connected")
	}
}

const (
	helperURL = "SLIPWAY_TEST_FETCH_URL"
	helperSHA = "SLIPWAY_TEST_FETCH_SHA"
)

// TestHelperFetchesForever is the process that TestKilledProcessLeavesNoGit kills.
func TestHelperFetchesForever(t *testing.T) {
	if os.Getenv(helperURL) == "" {
		return
	}
	remote := Remote{URL: os.Getenv(helperURL), AllowHTTP: true}
	err := openMirrors(t).Fetch(t.Context(), "1", remote, "refs/heads/main", os.Getenv(helperSHA), FetchOptions{})
	t.Errorf("ended: %v", err)
}

func TestFetchLimit(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	sha := r.pushed("one", nil)
	r.setIntercept(func(_ http.ResponseWriter, req *http.Request) bool {
		<-req.Context().Done()
		return true
	})
	err := m.Fetch(t.Context(), "1", r.remote(), "refs/heads/main", sha, FetchOptions{Limit: 50 * time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "no end after 50ms") {
		t.Errorf("got %v", err)
	}
}

func TestOutputIsBounded(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	sha := r.pushed("one", map[string]string{"big": strings.Repeat("x", 1<<20)})
	mustFetch(t, m, r, sha)
	g := gitCmd{gitDir: filepath.Join(m.dir, "1.git"), args: []string{"cat-file", "blob", sha + ":big"}}
	if _, err := m.git(t.Context(), g, 1000); !errors.Is(err, errTooMuch) {
		t.Error(err)
	}
	if out, err := m.git(t.Context(), g, 1<<20); err != nil || len(out) != 1<<20 {
		t.Errorf("%d bytes, %v", len(out), err)
	}
}

func TestTarStreamEnds(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	sha := r.pushed("one", map[string]string{"big": strings.Repeat("x", 4<<20)})
	mustFetch(t, m, r, sha)

	t.Run("closed early", func(t *testing.T) {
		rc := mustTar(t, m, sha, TarOptions{})
		if _, err := io.ReadFull(rc, make([]byte, 10)); err != nil {
			t.Error(err)
		}
		for range 2 {
			if err := rc.Close(); err != nil {
				t.Error(err)
			}
		}
		checkEmptyTmp(t, m)
	})
	t.Run("context ends", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		rc, err := m.Tar(ctx, "1", sha, TarOptions{})
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		// The writer ends though nobody reads.
		for deadline := time.Now().Add(20 * time.Second); len(checkouts(t, m)) > 0; runtime.Gosched() {
			if time.Now().After(deadline) {
				t.Fatal("the checkout stays")
			}
		}
		if _, err := io.Copy(io.Discard, rc); !errors.Is(err, context.Canceled) {
			t.Errorf("read: %v", err)
		}
		if err := rc.Close(); err != nil {
			t.Error(err)
		}
		checkEmptyTmp(t, m)
	})
	t.Run("file vanishes", func(t *testing.T) {
		rc := mustTar(t, m, sha, TarOptions{})
		// Now the writer's buffer is full, in the middle of the large file.
		if _, err := rc.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(filepath.Join(checkouts(t, m)[0], "big"), 1<<20); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, rc); err == nil {
			t.Error("the stream ended as if nothing had happened")
		}
		if err := rc.Close(); err != nil {
			t.Error(err)
		}
	})
}

func checkouts(t *testing.T, m *Mirrors) []string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(m.tmp, "checkout-*"))
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}

func TestTarRefuses(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	sha := r.pushed("one", nil)
	mustFetch(t, m, r, sha)
	for name, o := range map[string]TarOptions{
		"prefix":            {Prefix: "a/../../b"},
		"branch":            {Branch: "a..b"},
		"line end":          {Branch: "a\nb"},
		"url":               {URL: "ext::x"},
		"credential in url": {URL: "https://u:" + testToken + "@example.com/x"},
	} {
		if _, err := m.Tar(t.Context(), "1", sha, o); !errors.Is(err, ErrInvalid) || strings.Contains(err.Error(), testToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOpenWithoutGit(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := Open(t.TempDir(), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("opened without git")
	}
}

// TestCheckRef compares with git's own opinion.
func TestCheckRef(t *testing.T) {
	dir := t.TempDir()
	for _, ref := range []string{
		"refs/heads/main", "refs/heads/--upload-pack=x", "refs/tags/v1.0", "refs/pull/1/head", "refs/heads/ü", "refs/heads/a@b",
		"refs/heads/@", "refs/heads/a.lock", "refs/heads/a.lock/b", "refs/heads/.a", "refs/heads/a.", "refs/heads/a..b", "refs/heads/a b",
		"refs/heads/a\tb", "refs/heads/a~1", "refs/heads/a^", "refs/heads/a:b", "refs/heads/a?", "refs/heads/a*", "refs/heads/[a",
		`refs/heads/a\b`, "refs/heads/a@{1}", "refs/heads//a", "refs/heads/", "refs/heads/a\x7f", "refs/heads/$(id)", "refs/heads/a;b", "refs/x",
	} {
		_, err := tryGit(dir, "check-ref-format", ref)
		if got := checkRef(ref); (got == nil) != (err == nil) {
			t.Errorf("%q: %v, git says %v", ref, got, err)
		}
	}
	for _, ref := range []string{"", "refs", "refs/", "HEAD", "main", "heads/main", "-x", "/refs/heads/main"} {
		if checkRef(ref) == nil {
			t.Errorf("%q is accepted", ref)
		}
	}
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"refs/heads/main", "https://example.com/o/r.git", "ext::sh", "a/../b", "0../0", "https://x:y@h/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if checkRef(s) == nil && (!strings.HasPrefix(s, "refs/") || strings.ContainsAny(s, " \n\x00:")) {
			t.Errorf("ref %q", s)
		}
		if u, err := checkURL(s, true); err == nil && (u.Host == "" || u.User != nil || !strings.HasPrefix(strings.ToLower(s), "http") || strings.ContainsAny(s, " \n\x00")) {
			t.Errorf("url %q", s)
		}
		if p, err := cleanPrefix(s); err == nil && (strings.HasPrefix(p, "/") || slices.Contains(strings.Split(p, "/"), "..")) {
			t.Errorf("prefix %q → %q", s, p)
		}
	})
}
