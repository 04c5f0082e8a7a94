package docker_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/docker"
)

func writeLogins(t *testing.T, text string) docker.LoginFile {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return docker.LoginFile{Path: path}
}

// helper puts a credential helper into the PATH.
func helper(t *testing.T, name, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "docker-credential-"+name), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

func TestLoginFile(t *testing.T) {
	helper(t, "cloud", `read -r server; echo "{\"ServerURL\":\"$server\",\"Username\":\"of $server\",\"Secret\":\"short-lived\"}"`)
	helper(t, "token", `echo '{"Username":"<token>","Secret":"id"}'`)
	helper(t, "empty", `echo "credentials not found in native keychain"; exit 1`)
	helper(t, "broken", `echo "no such account" >&2; exit 1`)
	f := writeLogins(t, `{
		"auths": {
			"ghcr.io": {"auth": "YWxpY2U6czpjcmV0"},
			"registry.example:5000": {"username": "bob", "password": "pw"},
			"https://old.example/v1/": {"username": "carol", "password": "pw"},
			"https://index.docker.io/v1/": {"username": "dave", "password": "pw"},
			"helped.example": {"username": "written", "password": "pw"}
		},
		"credHelpers": {"helped.example": "cloud", "token.example": "token", "none.example": "empty", "broken.example": "broken", "evil.example": "../x"}
	}`)
	for registry, want := range map[string]runner.Login{
		"ghcr.io":               {Username: "alice", Password: "s:cret", Holder: "server/ghcr.io/alice"},
		"registry.example:5000": {Username: "bob", Password: "pw", Holder: "server/registry.example:5000/bob"},
		"old.example":           {Username: "carol", Password: "pw", Holder: "server/old.example/carol"},
		"docker.io":             {Username: "dave", Password: "pw", Holder: "server/docker.io/dave"},
		"helped.example":        {Username: "of helped.example", Password: "short-lived", Holder: "server/helped.example/of helped.example"},
		"token.example":         {IdentityToken: "id", Holder: "server/token.example/"},
		"none.example":          {},
		"other.example":         {},
	} {
		got, err := f.Login(t.Context(), registry)
		if err != nil {
			t.Errorf("%s: %v", registry, err)
		}
		if got != want {
			t.Errorf("%s: %v, want %v", registry, got, want)
		}
	}
	for registry, want := range map[string]string{"broken.example": "no such account", "evil.example": `"../x" cannot be the name`} {
		if _, err := f.Login(t.Context(), registry); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", registry, err, want)
		}
	}
	passwords := slices.Sorted(slices.Values(f.Passwords()))
	if d := cmp.Diff([]string{"YWxpY2U6czpjcmV0", "pw", "pw", "pw", "pw", "s:cret"}, passwords); d != "" {
		t.Errorf("passwords (-want +got):\n%s", d)
	}
}

func TestLoginFileThatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		`{`: "unexpected end of JSON",
		`{"auths": {"ghcr.io": {"auth": "YWxpY2U="}}}`: "auth of ghcr.io is no base64 of user:password",
	} {
		if err := writeLogins(t, text).Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", text, err, want)
		}
	}
	missing := docker.LoginFile{Path: filepath.Join(t.TempDir(), "none.json")}
	if err := missing.Check(); err == nil {
		t.Error("a file that is not there is fine")
	}
	missing.Optional = true
	if err := missing.Check(); err != nil {
		t.Error(err)
	}
	if l, err := missing.Login(t.Context(), "ghcr.io"); err != nil || !l.IsZero() {
		t.Errorf("login %v, error %v", l, err)
	}
}
