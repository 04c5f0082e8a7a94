package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/runner/runnertest"
	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
	"github.com/slipway-ci/slipway/store/storetest"
)

// patient is a healthy server's surroundings, for tests to spoil: settings in
// the environment, a data directory, and a stand-in GitHub with a repository.
type patient struct {
	*testing.T
	data   string
	github *githubtest.Server
	now    *atomic.Pointer[time.Time] // on GitHub
}

// isNow sets GitHub's clock.
func (p *patient) isNow(t time.Time) { p.now.Store(&t) }

func newPatient(t *testing.T) *patient {
	t.Helper()
	runnertest.Docker(t) // says what is missing if there is no engine
	p := &patient{T: t, data: filepath.Join(t.TempDir(), "data"), now: new(atomic.Pointer[time.Time])}
	p.isNow(time.Now())
	var err error
	p.github, err = githubtest.New(githubtest.Options{Token: testToken, Now: func() time.Time { return *p.now.Load() }})
	p.must(err)
	t.Cleanup(func() { p.must(p.github.Close()) })
	p.must(p.github.Start("127.0.0.1:0"))
	_, err = p.github.AddRepo(t.Context(), "acme", "app", githubtest.RepoOptions{Private: true})
	p.must(err)
	p.must(os.Mkdir(p.data, 0o700))
	p.fill()
	for name, value := range map[string]string{
		"SLIPWAY_URL": "https://ci.example.org", "SLIPWAY_DATA": p.data, "SLIPWAY_GITHUB_URL": p.github.URL(),
		"SLIPWAY_GITHUB_TOKEN": testToken, "SLIPWAY_WEBHOOK_SECRET": strings.Repeat("s", 32),
		"SLIPWAY_ADMIN_TOKEN": strings.Repeat("a", 32), "SLIPWAY_JOB_NETWORKS": "10.176.0.0/16",
	} {
		t.Setenv(name, value)
	}
	return p
}

func (p *patient) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// fill makes a database and a log, as a server leaves them.
func (p *patient) fill() {
	s := storetest.OpenAt(p, p.database(), nil)
	_, err := s.UpsertRepo(p.Context(), store.Repo{RemoteID: 1, Owner: "acme", Name: "app"})
	p.must(err)
	p.must(s.Close())
	l, err := logs.Open(filepath.Join(p.data, "logs"), logs.Options{})
	p.must(err)
	w, err := l.Create("1/1/1")
	p.must(err)
	p.must(w.Append(logs.Line{Text: []byte("a line")}))
	p.must(w.Close())
}

func (p *patient) database() string { return filepath.Join(p.data, "slipway.db") }

// examine runs the doctor, and returns what it found and the exit code.
func (p *patient) examine(args ...string) (found findings, code int) {
	p.Helper()
	code, out, errs := slipway(p.T, p.TempDir(), append([]string{"doctor", "--format=json"}, args...)...)
	var report struct{ Findings findings }
	if err := json.Unmarshal([]byte(out), &report); err != nil || errs != "" {
		p.Fatalf("%v: %s%s", err, out, errs)
	}
	return report.Findings, code
}

// wants runs the doctor and expects a finding.
func (p *patient) wants(check string, l level, text string, args ...string) {
	p.Helper()
	found, code := p.examine(args...)
	wantFinding(p.T, found, check, l, text)
	if mend := l == levelMend; mend && code != 1 {
		p.Errorf("exit code %d", code)
	}
}

func wantFinding(t *testing.T, found findings, check string, l level, text string) {
	t.Helper()
	for _, f := range found {
		if f.Check == check && f.Level == l && strings.Contains(f.Finding, text) {
			if l != levelOK && f.Remedy == "" {
				t.Errorf("no remedy: %+v", f)
			}
			return
		}
	}
	t.Errorf("no finding %q of %s with %q:\n%+v", l, check, text, found)
}

func TestDoctorOfAHealthyServer(t *testing.T) {
	p := newPatient(t)
	found, code := p.examine()
	wantCode := 0
	for _, f := range found {
		if f.Level == levelMend {
			wantCode = 1 // of the engine that the tests run on
		}
	}
	if code != wantCode {
		t.Errorf("exit code %d", code)
	}
	for check, text := range map[string]string{
		"settings": "complete", "public URL": "https://ci.example.org/webhook", "data directory": "no server uses it now", "database": "sound",
		"engine": "Docker", "logs": "1 in", "GitHub": "classic token of slipway-bot", "access": "acme/app", "clock": "right",
	} {
		wantFinding(t, found, check, levelOK, text)
	}

	unlock, err := lockData(p.data)
	p.must(err)
	p.wants("data directory", levelOK, "a server uses it")
	p.must(unlock())

	_, out, _ := slipway(t, t.TempDir(), "doctor")
	for _, want := range []string{"ok: GitHub: ", "ok: database: sound", "warnings"} {
		if !strings.Contains(out, want) {
			t.Errorf("the lines lack %q:\n%s", want, out)
		}
	}
}

func TestDoctorOfSettings(t *testing.T) {
	p := newPatient(t)
	for _, tt := range []struct {
		variable, value, check string
		level                  level
		text                   string
	}{
		{"SLIPWAY_WEBHOOK_SECRET", "", "settings", levelMend, "no webhook secret"},
		{"SLIPWAY_WEBHOOK_SECRET", "hunter2", "settings", levelWarning, "has 7 characters"},
		{"SLIPWAY_ADMIN_TOKEN", "", "settings", levelWarning, "no admin token"},
		{"SLIPWAY_GITHUB_TOKEN", "", "settings", levelMend, "no GitHub credential"},
		{"SLIPWAY_GITHUB_TOKEN", "with\nnewline", "settings", levelMend, "characters in it that no token has"},
		{"SLIPWAY_URL", "http://ci.example.org", "public URL", levelWarning, "not encrypted"},
		{"SLIPWAY_URL", "https://localhost", "public URL", levelMend, "their own machine"},
		{"SLIPWAY_URL", "https://127.0.0.1:8080", "public URL", levelMend, "their own machine"},
		{"SLIPWAY_DATA", p.data + "/none", "data directory", levelWarning, "does not exist yet"},
		{"SLIPWAY_DATA", p.database(), "data directory", levelMend, "is no directory"},
		{"DOCKER_HOST", "unix:///nowhere/docker.sock", "engine", levelMend, "/nowhere/docker.sock"},
		{"SLIPWAY_JOB_NETWORKS", "172.20.0.0/16", "job networks", levelWarning, "takes other networks from"},
		{"SLIPWAY_JOB_NETWORKS", "127.0.0.0/16", "job networks", levelMend, "127.0.0.1"},
		{"SLIPWAY_MAX_JOBS", "-1", "settings", levelMend, "must be at least 1"},
		{"SLIPWAY_URL", "ci.example.org", "settings", levelMend, `SLIPWAY_URL is "ci.example.org"`},
		{"SLIPWAY_RUNTIME", "runsc-of-the-test", "runtime", levelMend, "no runtime \"runsc-of-the-test\", only"},
		{"SLIPWAY_REGISTRIES_FILE", p.data + "/none.json", "settings", levelMend, "none.json"},
		{"SLIPWAY_BUILD_DNS", "9.9.9.9,169.254.169.253", "DNS of builds", levelMend, "169.254.169.253, which builds cannot reach"},
		{"SLIPWAY_BUILD_DNS", "9.9.9.9", "DNS of builds", levelOK, "9.9.9.9"},
	} {
		t.Run(tt.variable+"="+tt.value, func(t *testing.T) {
			q := *p
			q.T = t
			t.Setenv(tt.variable, tt.value)
			q.wants(tt.check, tt.level, tt.text)
		})
	}
}

func TestDoctorOfAPrivateURL(t *testing.T) {
	for _, u := range []string{"https://10.1.2.3", "https://buildbox", "https://ci.local"} {
		d := &doctor{config: config{URL: u}}
		wantFinding(t, named("public URL", d.checkURL(t.Context())), "public URL", levelMend, "private network")
		d.config.GitHubURL = "https://github.example.org" // which may stand beside it
		wantFinding(t, named("public URL", d.checkURL(t.Context())), "public URL", levelOK, u)
	}
}

// named puts a check's name on its findings.
func named(check string, found findings) findings {
	for i := range found {
		found[i].Check = check
	}
	return found
}

func TestDoctorOfGitHub(t *testing.T) {
	p := newPatient(t)
	all := githubtest.Grants{Contents: true, Statuses: true}
	p.github.Grant(all)
	p.wants("GitHub", levelOK, "a fine-grained token")
	p.wants("access", levelOK, "acme/app")
	p.wants("access", levelMend, "acme/other does not exist", "--repo=acme/other")
	p.github.Grant(githubtest.Grants{Contents: true})
	p.wants("access", levelMend, "acme/app: no status can be written")
	p.github.Grant(githubtest.Grants{Statuses: true})
	p.wants("access", levelMend, "acme/app cannot be cloned")
	all.Expires = time.Now().Add(24 * time.Hour)
	p.github.Grant(all)
	p.wants("GitHub", levelWarning, "expires on")
	for scopes, want := range map[string]level{"gist": levelMend, "repo:status": levelWarning, "repo, delete_repo": levelWarning} {
		p.github.Grant(githubtest.Grants{Classic: strings.Split(scopes, ", "), Contents: true, Statuses: true})
		p.wants("GitHub", want, scopes)
	}

	p.isNow(time.Now().Add(-90 * time.Second))
	p.wants("clock", levelWarning, "ahead by 1m")
	p.isNow(time.Now().Add(59*time.Minute + 30*time.Second))
	p.wants("clock", levelMend, "behind by 59m")
	p.isNow(time.Now())

	p.github.FailNext(githubtest.ScopeAPI, 100, http.StatusUnauthorized, nil)
	p.wants("GitHub", levelMend, "wrong or has expired")
	p.github.ClearFaults()
	p.github.Drop(githubtest.ScopeAPI, 100)
	p.wants("GitHub", levelMend, "cannot be reached")
	found, _ := p.examine()
	wantFinding(t, found, "clock", levelWarning, "does not answer")
	wantFinding(t, found, "database", levelOK, "sound")
}

func TestDoctorOfData(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(*patient)
		check string
		level level
		text  string
	}{
		{"References", func(p *patient) {
			storetest.Exec(p, p.database(), `INSERT INTO commits (repo_id, sha, change) VALUES (1, 'a', 1);
				PRAGMA foreign_keys = 0; INSERT INTO statuses (repo_id, sha, context, state, description, target_url, version, next_at) VALUES (99, 'a', 'b', 'c', 'd', 'e', 1, 1)`)
		}, "database", levelMend, "refer to nothing in statuses"},
		{"OldSchema", func(p *patient) {
			storetest.Exec(p, p.database(), `DELETE FROM goose_db_version WHERE version_id > 1`)
		}, "database", levelWarning, "schema 1 is behind"},
		{"NewSchema", func(p *patient) {
			storetest.Exec(p, p.database(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`)
		}, "database", levelMend, "a newer slipway"},
		{"Index", func(p *patient) {
			storetest.Exec(p, p.database(), `CREATE INDEX spoilt ON repos (name);
				PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = 'CREATE INDEX spoilt ON repos (owner)' WHERE name = 'spoilt'`)
		}, "database", levelMend, "is damaged"},
		{"Overwritten", func(p *patient) { p.overwrite(p.database(), 4096, 4096*8) }, "database", levelMend, "cannot be read"},
		{"NoDatabase", func(p *patient) { p.must(os.WriteFile(p.database(), []byte(strings.Repeat("text", 999)), 0o600)) }, "database", levelMend, "cannot be read"},
		{"Logs", func(p *patient) { p.overwrite(filepath.Join(p.data, "logs/1/1/1.log"), 90, 4) /* its rows */ }, "logs", levelMend, "damaged: 1 of the newest 1, such as 1/1/1"},
		{"OpenToAll", func(p *patient) { p.must(os.Chmod(p.data, 0o755)) }, "data directory", levelWarning, "others of this machine"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPatient(t)
			tt.spoil(p)
			p.wants(tt.check, tt.level, tt.text)
		})
	}
}

// overwrite spoils n bytes of a file.
func (p *patient) overwrite(path string, at, n int) {
	p.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	p.must(err)
	_, err = f.WriteAt([]byte(strings.Repeat("\xa5", n)), int64(at))
	p.must(err)
	p.must(f.Close())
}

// One that hangs is cut off, and hides nothing.
func TestDoctorOfWhatHangs(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	var r recorder
	runChecks(t.Context(), []check{
		{"stuck", 10 * time.Millisecond, func(c context.Context) findings { <-release; return nil }},
		{"slow", 10 * time.Millisecond, func(c context.Context) (found findings) { <-c.Done(); found.ok("fine"); return found }},
		{"quick", time.Minute, func(context.Context) (found findings) { found.ok("fine"); return found }},
	}, &r)
	if len(r.all) != 3 {
		t.Fatalf("got %+v", r.all)
	}
	wantFinding(t, r.all, "stuck", levelMend, "no answer within 10ms")
	wantFinding(t, r.all, "slow", levelMend, "no answer within 10ms")
	wantFinding(t, r.all, "quick", levelOK, "fine")
}

// recorder keeps what is reported.
type recorder struct{ all findings }

func (r *recorder) found(f findings) { r.all = append(r.all, f...) }
func (r *recorder) waiting([]string) {}

// What is waited for is shown and erased again; no more of it than fits a line.
func TestDoctorProgress(t *testing.T) {
	var out, progress strings.Builder
	r := &doctorReport{out: &out, progress: &progress}
	r.waiting([]string{"one", "two", "three", "four", "five"})
	r.found(findings{{Check: "one", Level: levelOK, Finding: "fine"}})
	if got, want := progress.String(), "looking at one, two, three and 2 more\r\x1b[K"; got != want {
		t.Errorf("progress %q, want %q", got, want)
	}
	if got, want := out.String(), "ok: one: fine\n"; got != want {
		t.Errorf("output %q, want %q", got, want)
	}
}

func TestDoctorTable(t *testing.T) {
	var out strings.Builder
	r := &doctorReport{out: &out, table: true}
	f := findings{{Check: "one", Level: levelMend, Finding: "something is wrong with what has a name that is long, CVE-2026-1234", Remedy: "mend it"},
		{Check: "one", Level: levelWarning, Finding: "odd"}}
	r.found(f)
	if err := r.end(); err == nil || err.Error() != "exit code 1" {
		t.Errorf("ended with %v", err)
	}
	want := `mend     one             something is wrong with what has a name that is long,
                         CVE-2026-1234
                         → mend it
warning                  odd

1 to mend, warnings: 1
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}
