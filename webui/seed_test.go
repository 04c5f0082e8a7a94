package webui_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
	"github.com/slipway-ci/slipway/store/storetest"
	"github.com/slipway-ci/slipway/webui"
)

const adminToken = "correct horse battery staple"

const sha1 = "4f9c0e1a7b2d3c4e5f60718293a4b5c6d7e8f901"

// site is a server with the pages on a real store, and the hand that fills it.
type site struct {
	t     testing.TB
	store *store.Store
	logs  *logs.Store
	ui    *webui.UI
	echo  *echo.Echo
	http  *httptest.Server
	done  chan struct{}
	past  atomic.Int64              // by how much the store's clock is behind, in nanoseconds
	still atomic.Pointer[time.Time] // where it stands; nil if it runs
	asked atomic.Pointer[func()]    // called once, when the time is asked for next
}

// now is the time of the store.
func (s *site) now() time.Time {
	if f := s.asked.Swap(nil); f != nil {
		(*f)()
	}
	now := time.Now()
	if still := s.still.Load(); still != nil {
		now = *still
	}
	return now.Add(-time.Duration(s.past.Load()))
}

// atOnce does something in no time.
func (s *site) atOnce(do func()) {
	now := time.Now()
	s.still.Store(&now)
	do()
	s.still.Store(nil)
}

// at does something so long ago.
func (s *site) at(ago time.Duration, do func()) {
	s.past.Store(int64(ago))
	do()
	s.past.Store(0)
}

func newSite(t testing.TB, change ...func(*webui.Options)) *site {
	t.Helper()
	s := &site{t: t, echo: echo.New(), done: make(chan struct{})}
	s.store = storetest.Open(t, s.now)
	var err error
	s.logs, err = logs.Open(t.TempDir(), logs.Options{})
	must(t, err)
	o := webui.Options{
		Store: s.store, Logs: s.logs, AdminToken: adminToken, Version: "1.2.3",
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Done: s.done,
	}
	for _, f := range change {
		f(&o)
	}
	s.ui, err = webui.New(o)
	must(t, err)
	s.echo.HTTPErrorHandler = s.ui.HandleError
	s.ui.Register(s.echo)
	s.http = httptest.NewServer(s.echo)
	t.Cleanup(func() {
		s.shutDown()
		s.http.Close()
	})
	return s
}

// shutDown ends the streams, as a server does that stops.
func (s *site) shutDown() {
	select {
	case <-s.done:
	default:
		close(s.done)
	}
}

// stop ends the server, and returns what starts another one at its address, on
// the same stores.
func (s *site) stop() (restart func()) {
	s.t.Helper()
	s.shutDown()
	s.http.CloseClientConnections()
	s.http.Close()
	return func() {
		s.t.Helper()
		s.done = make(chan struct{})
		ui, err := webui.New(webui.Options{Store: s.store, Logs: s.logs, AdminToken: adminToken, Done: s.done})
		must(s.t, err)
		s.ui, s.echo = ui, echo.New()
		s.ui.Register(s.echo)
		listener, err := new(net.ListenConfig).Listen(s.t.Context(), "tcp", s.http.Listener.Addr().String())
		must(s.t, err)
		s.http = httptest.NewUnstartedServer(s.echo)
		must(s.t, s.http.Listener.Close())
		s.http.Listener = listener
		s.http.Start()
	}
}

func (s *site) repo(owner, name string, private bool) store.Repo {
	s.t.Helper()
	all, err := s.store.Repos(s.t.Context(), true)
	must(s.t, err)
	r, err := s.store.UpsertRepo(s.t.Context(), store.Repo{
		RemoteID: int64(1000 + len(all)), Owner: owner, Name: name, Private: private, DefaultBranch: "main",
		CloneURL: "https://github.example/" + owner + "/" + name + ".git",
		HTMLURL:  "https://github.example/" + owner + "/" + name,
	})
	must(s.t, err)
	return r
}

// push is a build of a push, to be changed before it is created.
func push(r store.Repo, number int64) store.Build {
	return store.Build{
		RepoID: r.ID, Number: number, Planned: true, Event: "push", Ref: "refs/heads/main", Branch: "main",
		SHA: sha1, Message: "Teach the ferry to wait", Author: "Ada Lovelace", Sender: "ada",
		Files: []string{".slipway.yml"},
	}
}

// job is a workflow with a service and steps of these names.
func job(name string, steps ...string) store.NewJob {
	w := pipeline.Workflow{Name: name, File: ".slipway.yml", OnSuccess: true}
	j := store.NewJob{Name: name, OnSuccess: true}
	for _, s := range steps {
		commands := []string{"go vet ./...", "go test ./..."}
		w.Steps = append(w.Steps, pipeline.Step{Name: s, Kind: pipeline.KindCommands, Image: "golang:1.26", Commands: commands})
		j.Steps = append(j.Steps, store.NewStep{Name: s, Kind: string(pipeline.KindCommands), Image: "golang:1.26"})
	}
	plan, err := json.Marshal(w)
	if err != nil {
		panic(err)
	}
	j.Plan = plan
	return j
}

func (s *site) create(b store.Build, jobs ...store.NewJob) store.Build {
	s.t.Helper()
	b, err := s.store.CreateBuild(s.t.Context(), b, jobs)
	must(s.t, err)
	return b
}

// claim starts the next job of the queue.
func (s *site) claim() store.Job {
	s.t.Helper()
	j, err := s.store.Claim(s.t.Context())
	must(s.t, err)
	return j
}

func (s *site) startStep(j store.Job, number int, ago time.Duration) {
	s.t.Helper()
	must(s.t, s.store.StartStep(s.t.Context(), j.ID, number, time.Now().Add(-ago)))
}

func (s *site) finishStep(j store.Job, number int, status store.Status, exit int) {
	s.t.Helper()
	st := store.Step{JobID: j.ID, Number: number, Status: status, Exited: true, ExitCode: exit, FinishedAt: time.Now()}
	if exit != 0 {
		st.Reason = fmt.Sprintf("exit code %d", exit)
	}
	must(s.t, s.store.FinishStep(s.t.Context(), st))
}

func (s *site) finishJob(j store.Job, status store.Status, reason string, step int) {
	s.t.Helper()
	must(s.t, s.store.FinishJob(s.t.Context(), j.ID, status, reason, step))
}

// writer opens the log of a step.
func (s *site) writer(j store.Job, step int) *logs.Writer {
	s.t.Helper()
	w, err := s.logs.Create(store.LogKey(j.BuildID, j.Number, step))
	must(s.t, err)
	return w
}

// Lines of a log, written now.
func command(text string, exit int) logs.Line {
	return logs.Line{Stream: logs.Stdout, Kind: logs.Command, Time: time.Now(), Text: []byte(text), End: true, Exit: exit}
}

func output(text string) logs.Line {
	return logs.Line{Stream: logs.Stdout, Time: time.Now(), Text: []byte(text), End: true}
}

func notice(text string) logs.Line {
	return logs.Line{Kind: logs.Notice, Time: time.Now(), Text: []byte(text), End: true}
}

func unfinished(text string) logs.Line {
	return logs.Line{Stream: logs.Stdout, Time: time.Now(), Text: []byte(text), Open: true}
}

// failed makes a build whose second step failed, with this output.
func (s *site) failed(r store.Repo, number int64, out ...logs.Line) store.Build {
	s.t.Helper()
	b := s.create(push(r, number), job("test", "build", "test", "deploy"))
	j := s.claim()
	s.startStep(j, 1, 40*time.Second)
	s.finishStep(j, 1, store.Success, 0)
	s.startStep(j, 2, 12*time.Second)
	w := s.writer(j, 2)
	must(s.t, w.Append(out...))
	must(s.t, w.Close())
	s.finishStep(j, 2, store.Failure, 2)
	s.finishJob(j, store.Failure, "step test failed: exit code 2", 2)
	b, err := s.store.BuildByID(s.t.Context(), b.ID)
	must(s.t, err)
	return b
}

// running makes a build whose first step runs, and opens its log.
func (s *site) running(r store.Repo, number int64) (store.Build, store.Job, *logs.Writer) {
	s.t.Helper()
	b := s.create(push(r, number), job("test", "build", "test"))
	j := s.claim()
	s.startStep(j, 1, time.Second)
	w := s.writer(j, 1)
	s.t.Cleanup(func() { must(s.t, w.Close()) })
	return b, j, w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// browser is a client that keeps cookies and doesn't follow redirects.
func (s *site) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	must(s.t, err)
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}
