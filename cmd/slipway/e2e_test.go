package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/docker"
	"github.com/slipway-ci/slipway/runner/runnertest"
	"github.com/slipway-ci/slipway/server/github/githubtest"
)

const (
	testToken  = "ghp_testtokentesttoken"
	testSecret = "webhook-secret"
	testAdmin  = "admin-token-of-the-test"
	// patience bounds every wait of these tests; none of them waits for time to pass.
	patience = 6 * time.Minute
)

// world is a stand-in GitHub and a slipway server that hears its webhooks, with
// the words that the tests are written in.
type world struct {
	testing.TB
	ctx    context.Context
	github *githubtest.Server
	image  string
	config config

	addr     string // where the server listens
	app      *app
	stop     func() // stops the server gracefully and waits for it
	serverID string
}

// newWorld starts both. change may alter the server's configuration.
func newWorld(t testing.TB, change ...func(*config)) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	gh, err := githubtest.New(githubtest.Options{Token: testToken, WebhookSecret: testSecret, AnonymousPush: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := gh.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := gh.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	w := &world{TB: t, ctx: ctx, github: gh, image: runnertest.Image(t)}
	w.config = config{
		Addr: freeAddr(t), URL: "http://ci.example", Data: filepath.Join(t.TempDir(), "data"), GitHubURL: gh.URL(),
		MaxJobs: 4, MaxSteps: 8, JobTimeout: 5 * time.Minute, Grace: 5 * time.Second, StepMemory: 512 << 20,
		StepPIDs: 512, StepOutput: 1 << 30, StepLog: 64 << 20, JobNetworks: "10.177.0.0/16", Pool: 1,
		githubToken: testToken, webhookSecret: testSecret, adminToken: testAdmin,
		retryBase: 20 * time.Millisecond, sandboxFlags: sandboxFlags{SandboxBinary: runnertest.SandboxBinary(t)},
	}
	for _, f := range change {
		f(&w.config)
	}
	if err := w.config.validate(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.wantNothingLeft) // the last thing before the stand-in closes
	w.start()
	w.addr = w.app.listener.Addr().String()
	w.config.Addr = w.addr // where the webhooks go, also after a restart
	if err := gh.AddWebhook(w.url("/webhook")); err != nil {
		t.Fatal(err)
	}
	return w
}

// start starts the server on the world's data directory.
func (w *world) start() {
	w.Helper()
	a, err := openApp(w.ctx, w.config, slog.New(slog.NewTextHandler(w.Output(), &slog.HandlerOptions{Level: w.config.level()})))
	if err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.ctx))
	ended := make(chan error, 1)
	go func() { ended <- a.run(ctx) }()
	stopped := false
	w.app = a
	w.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			w.Errorf("server: %v", err)
		}
		a.close()
	}
	w.Cleanup(w.stop)
	if w.serverID, err = a.store.ServerID(w.ctx); err != nil {
		w.Fatal(err)
	}
}

func (w *world) url(path string) string { return "http://" + w.addr + path }

// repo makes a repository "acme/<name>".
func (w *world) repo(name string, private ...bool) *githubtest.Repo {
	w.Helper()
	r, err := w.github.AddRepo(w.ctx, "acme", name, githubtest.RepoOptions{Private: len(private) > 0 && private[0]})
	if err != nil {
		w.Fatal(err)
	}
	return r
}

// files is a tree with a pipeline, in which IMAGE stands for the test image,
// and further files as path, content, path, content …
func (w *world) files(pipeline string, more ...string) map[string]string {
	m := map[string]string{".slipway.yml": strings.ReplaceAll(pipeline, "IMAGE", w.image)}
	for i := 0; i+1 < len(more); i += 2 {
		m[more[i]] = more[i+1]
	}
	return m
}

// push pushes a commit to main and returns its SHA.
func (w *world) push(r *githubtest.Repo, files map[string]string) string {
	w.Helper()
	return w.pushChange(r, githubtest.Change{Files: files})
}

func (w *world) pushChange(r *githubtest.Repo, c githubtest.Change) string {
	w.Helper()
	sha, err := r.Push(w.ctx, c)
	if err != nil {
		w.Fatal(err)
	}
	return sha
}

// verdict waits for the final status of a commit and returns it.
func (w *world) verdict(r *githubtest.Repo, sha string) githubtest.Status {
	w.Helper()
	st, err := r.WaitStatus(w.ctx, sha, "slipway", func(s githubtest.Status) bool { return s.State != "pending" })
	if err != nil {
		w.Fatal(err)
	}
	return st
}

// wantVerdict waits for the final status and compares it: "failure: step test
// failed: exit code 2". A description that ends in … is a prefix.
func (w *world) wantVerdict(r *githubtest.Repo, sha, want string) githubtest.Status {
	w.Helper()
	st := w.verdict(r, sha)
	got := st.State + ": " + st.Description
	prefix, cut := strings.CutSuffix(want, "…")
	if got != want && (!cut || !strings.HasPrefix(got, prefix)) {
		w.Fatalf("verdict of %.7s:\n got %s\nwant %s", sha, got, want)
	}
	return st
}

// waitStatus waits for a status with that description.
func (w *world) waitStatus(r *githubtest.Repo, sha, description string) {
	w.Helper()
	_, err := r.WaitStatus(w.ctx, sha, "slipway", func(s githubtest.Status) bool { return s.Description == description })
	if err != nil {
		w.Fatal(err)
	}
}

// request asks the API, as admin unless the path begins with "!".
func (w *world) request(method, path, body string) (int, []byte) {
	w.Helper()
	anonymous := strings.HasPrefix(path, "!")
	r, err := http.NewRequestWithContext(w.ctx, method, w.url(strings.TrimPrefix(path, "!")), strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if !anonymous {
		r.Header.Set("Authorization", "Bearer "+testAdmin)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	return resp.StatusCode, b
}

// build is what the tests read of the API's answer.
type build struct {
	Number int64  `json:"number"`
	Status string `json:"status"`
	Reason string `json:"reason"`
	Commit string `json:"commit"`
	Jobs   []struct {
		Number   int    `json:"number"`
		Workflow string `json:"workflow"`
		Status   string `json:"status"`
		Steps    []struct {
			Number   int     `json:"number"`
			Name     string  `json:"name"`
			Status   string  `json:"status"`
			ExitCode *int    `json:"exit_code"`
			CPU      float64 `json:"cpu_seconds"`
			Memory   int64   `json:"peak_memory_bytes"`
			Error    string  `json:"error"`
			Failure  *struct {
				Line  int64  `json:"line"`
				Title string `json:"title"`
			} `json:"failure"`
		} `json:"steps"`
	} `json:"jobs"`
}

func (w *world) build(r *githubtest.Repo, number int64) build {
	w.Helper()
	status, body := w.request(http.MethodGet, fmt.Sprintf("/api/repos/%s/builds/%d", r.FullName(), number), "")
	var b build
	if err := json.Unmarshal(body, &b); err != nil || status != http.StatusOK {
		w.Fatalf("build %d: %d %s (%v)", number, status, body, err)
	}
	return b
}

// steps is each step's name and status, "build=success test=failure", of all jobs.
func (b build) steps() string {
	var out []string
	for _, j := range b.Jobs {
		for _, s := range j.Steps {
			out = append(out, s.Name+"="+s.Status)
		}
	}
	return strings.Join(out, " ")
}

func (w *world) log(r *githubtest.Repo, number int64, job, step int) string {
	w.Helper()
	status, body := w.request(http.MethodGet,
		fmt.Sprintf("/api/repos/%s/builds/%d/jobs/%d/steps/%d/log", r.FullName(), number, job, step), "")
	if status != http.StatusOK {
		w.Fatalf("log: %d %s", status, body)
	}
	return string(body)
}

// wantLines checks that the lines stand in the log, in this order.
func (w *world) wantLines(log string, lines ...string) {
	w.Helper()
	rest := strings.Split(log, "\n")
	for _, want := range lines {
		i := 0
		for ; i < len(rest) && rest[i] != want; i++ {
		}
		if i == len(rest) {
			w.Fatalf("log lacks the line %q (after the ones before it):\n%s", want, log)
		}
		rest = rest[i+1:]
	}
}

// dial connects the test itself to the engine.
func (w *world) dial() *client.Client {
	w.Helper()
	cli, err := docker.Dial(w.config.DockerHost)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = cli.Close() })
	return cli
}

func (w *world) dockerEngine() *docker.Engine {
	w.Helper()
	return docker.New(w.dial(), docker.Options{})
}

// touch makes an empty file in the container of a step that runs. It copies the
// file: a command in the container could be killed by the end that it brings.
func (w *world) touch(r *githubtest.Repo, step int, file string) {
	w.Helper()
	found, err := w.dockerEngine().List(w.ctx, map[string]string{
		runner.LabelServer: w.serverID, runner.LabelRepo: r.FullName(), runner.LabelStep: strconv.Itoa(step),
	})
	if err != nil || len(found) != 1 {
		w.Fatalf("containers of step %d: %v, %v; want one", step, found, err)
	}
	var archive bytes.Buffer
	tw := tar.NewWriter(&archive)
	if err := errors.Join(tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: path.Base(file), Mode: 0o644}), tw.Close()); err != nil {
		w.Fatal(err)
	}
	if err := w.dial().CopyToContainer(w.ctx, found[0].ID, path.Dir(file), &archive, container.CopyToContainerOptions{}); err != nil {
		w.Fatalf("make %s in step %d: %v", file, step, err)
	}
}

// wantNothingLeft checks that the server's jobs left nothing in the engine.
func (w *world) wantNothingLeft() {
	w.Helper()
	left, err := w.dockerEngine().List(context.WithoutCancel(w.ctx), map[string]string{runner.LabelServer: w.serverID})
	if err != nil {
		w.Fatal(err)
	}
	for _, r := range left {
		w.Errorf("left behind in the engine: %s %s", r.Kind, r.Name)
	}
}
