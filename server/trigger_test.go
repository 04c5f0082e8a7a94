package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/runner/source"
	"github.com/slipway-ci/slipway/server"
	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/storetest"
)

const gitToken = "ghp_triggertest"

// forge is a world with a stand-in GitHub whose webhooks it gets and whose
// source its trigger fetches.
type forge struct {
	*world
	github  *githubtest.Server
	mirrors *source.Mirrors
	options server.TriggerOptions
}

// newForge starts everything but the trigger.
func newForge(t *testing.T) *forge {
	t.Helper()
	f := &forge{world: newWorld(t)}
	gh, err := githubtest.New(githubtest.Options{Token: gitToken, WebhookSecret: secret})
	f.ok(err)
	t.Cleanup(func() {
		if err := gh.Close(); err != nil {
			t.Error(err)
		}
	})
	f.github = gh
	f.ok(gh.Start("127.0.0.1:0"))
	f.ok(gh.AddWebhook(f.url + "/webhook"))
	f.mirrors, err = source.Open(filepath.Join(t.TempDir(), "mirrors"), f.log.logger())
	f.ok(err)
	f.options = server.TriggerOptions{
		Store: f.store, Mirrors: f.mirrors, GitHubURL: gh.URL(), Logger: f.log.logger(), URL: "https://ci.example", Version: "1.2.3",
		RetryBase: time.Microsecond,
		Remote: func(_ context.Context, r store.Repo) (source.Remote, error) {
			return source.Remote{URL: r.CloneURL, Username: "x", Password: gitToken, AllowHTTP: true}, nil
		},
	}
	return f
}

// start runs the trigger until stop or the end of the test.
func (f *forge) start() (stop func()) {
	f.Helper()
	ctx, cancel := context.WithCancel(f.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.NewTrigger(f.options).Run(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	f.Cleanup(stop)
	return stop
}

func (f *forge) addRepo(name string) *githubtest.Repo {
	f.Helper()
	r, err := f.github.AddRepo(f.ctx, "acme", name, githubtest.RepoOptions{})
	f.ok(err)
	return r
}

const pipelineFile = "steps:\n  - {name: test, image: busybox, commands: ['true']}\n"

// push pushes a commit that builds, and returns when its webhook was answered.
func (f *forge) push(r *githubtest.Repo, c githubtest.Change) (sha string) {
	f.Helper()
	if c.Files == nil {
		c.Files = map[string]string{".slipway.yml": pipelineFile, "n": fmt.Sprint(time.Now().UnixNano())}
	}
	sha, err := r.Push(f.ctx, c)
	f.ok(err)
	f.ok(f.github.Settle(f.ctx))
	return sha
}

// until waits until cond is true, looking whenever something changed.
func (f *forge) until(what string, cond func() bool) {
	f.Helper()
	sub := f.store.Subscribe()
	defer sub.Close()
	for !cond() {
		if _, err := sub.Next(f.ctx); err != nil {
			log := f.log.String()
			f.Fatalf("wait until %s: %v; the log ends with\n%s", what, err, log[max(0, len(log)-4000):])
		}
	}
}

// settled waits until no delivery is pending and no build unplanned.
func (f *forge) settled() {
	f.Helper()
	f.until("everything is worked out", func() bool {
		next, err := f.store.NextDeliveries(f.ctx)
		f.ok(err)
		builds, err := f.store.UnplannedBuilds(f.ctx)
		f.ok(err)
		return len(next) == 0 && len(builds) == 0
	})
}

// outcomes are what became of the deliveries of an event, oldest first.
func (f *forge) outcomes(event string) (out []string) {
	f.Helper()
	for _, d := range slices.Backward(f.deliveries()) {
		if d.Event == event {
			out = append(out, fmt.Sprintf("%s: %s", d.Status, d.Outcome))
		}
	}
	return out
}

// builds are a repository's builds, oldest first: "success <sha7>" or, with a
// reason, "error: reason".
func (f *forge) builds(name string) (out []string) {
	f.Helper()
	r, err := f.store.Repo(f.ctx, "acme", name)
	f.ok(err)
	builds, err := f.store.Builds(f.ctx, r.ID, store.BuildFilter{})
	f.ok(err)
	for _, b := range slices.Backward(builds) {
		if b.Reason != "" {
			out = append(out, fmt.Sprintf("%s: %s", b.Status, b.Reason))
		} else {
			out = append(out, fmt.Sprintf("%s %.7s", b.Status, b.SHA))
		}
	}
	return out
}

// payload is a real payload with fields replaced: keys are paths, "head.sha".
func (f *forge) payload(file string, set map[string]any) []byte {
	f.Helper()
	data, err := os.ReadFile(filepath.Join("github", "testdata", file))
	f.ok(err)
	var whole obj
	f.ok(json.Unmarshal(data, &whole))
	for path, v := range set {
		parts := strings.Split(path, ".")
		at := whole
		for _, part := range parts[:len(parts)-1] {
			next, ok := at[part].(obj)
			if !ok {
				next = obj{}
				at[part] = next
			}
			at = next
		}
		at[parts[len(parts)-1]] = v
	}
	data, err = json.Marshal(whole)
	f.ok(err)
	return data
}

// deliver sends a payload as GitHub does.
func (f *forge) deliver(event string, payload []byte) {
	f.Helper()
	ds, err := f.github.Deliver(f.ctx, event, payload, "")
	f.ok(err)
	f.want(ds[0].Status, http.StatusAccepted)
}

// identity are the fields of a payload that make it one of r's.
func identity(r *githubtest.Repo) map[string]any {
	return map[string]any{"repository.id": r.ID(), "repository.name": r.Name(), "repository.full_name": r.FullName(),
		"repository.owner": obj{"login": r.Owner()}, "repository.default_branch": "main", "repository.html_url": r.HTMLURL()}
}

func TestRealPayloads(t *testing.T) {
	f := newForge(t)
	f.start()
	r := f.addRepo("app")
	f.ok(f.github.Settle(f.ctx)) // the ping of the webhook that was added
	sha, err := r.Commit(f.ctx, githubtest.Change{Files: map[string]string{".slipway.yml": pipelineFile}})
	f.ok(err)
	push := identity(r)
	push["ref"], push["before"], push["after"], push["deleted"], push["head_commit"] = "refs/heads/main", strings.Repeat("0", 40), sha, false,
		obj{"id": sha, "message": "Real", "timestamp": "2026-01-02T03:04:05Z", "url": r.HTMLURL() + "/commit/" + sha,
			"author": obj{"name": "Mona", "email": "mona@example.com", "username": "mona"}}
	f.deliver("push", f.payload("push.json", push))
	f.deliver("push", f.payload("push.json", identity(r))) // a tag that is deleted
	f.deliver("delete", f.payload("delete.json", identity(r)))
	f.deliver("issue_comment", f.payload("issue_comment.created.json", identity(r)))
	f.deliver("pull_request", f.payload("pull_request.labeled.json", identity(r)))
	f.deliver("ping", f.payload("ping.json", nil))
	f.deliver("push", []byte("{"))
	f.deliver("push", []byte(`{"ref": "refs/heads/main"}`))
	f.settled()
	f.want(f.outcomes("push"), []string{"done: build #1", "ignored: tag deleted", "failed: the payload is not valid JSON",
		"failed: the payload's field repository is missing"})
	f.want(f.outcomes("delete"), []string{"ignored: event delete is not one slipway builds"})
	f.want(f.outcomes("issue_comment"), []string{"ignored: event issue_comment is not one slipway builds"})
	f.want(f.outcomes("pull_request"), []string{"ignored: pull request action labeled"})
	f.want(f.outcomes("ping"), []string{"done: the webhook is connected", "done: the webhook is connected"})

	repo, err := f.store.Repo(f.ctx, "acme", "app")
	f.ok(err)
	b, err := f.store.Build(f.ctx, repo.ID, 1)
	f.ok(err)
	f.want([]any{b.Event, b.Ref, b.Branch, b.SHA, b.Message, b.Author, b.AuthorEmail, b.Sender, b.Status, b.Files},
		[]any{"push", "refs/heads/main", "main", sha, "Real", "mona", "mona@example.com", "Codertocat", store.Pending, []string{".slipway.yml"}})
	jobs, err := f.store.Jobs(f.ctx, b.ID)
	f.ok(err)
	var plan struct {
		Environment map[string]string
		Steps       []struct{ Name, Image string }
	}
	f.ok(json.Unmarshal(jobs[0].Plan, &plan))
	f.want([]any{plan.Environment["CI_COMMIT_SHA"], plan.Environment["CI_PIPELINE_NUMBER"], plan.Environment["CI_REPO"], plan.Steps[0].Name},
		[]any{sha, "1", "acme/app", "test"})
}

// A token never goes to an address that a payload names.
func TestPayloadDoesNotSayWhereToFetchFrom(t *testing.T) {
	f := newForge(t)
	f.start()
	r := f.addRepo("app")
	set := identity(r)
	sha, err := r.Commit(f.ctx, githubtest.Change{Files: map[string]string{".slipway.yml": pipelineFile}})
	f.ok(err)
	set["repository.clone_url"] = "http://127.0.0.1:1/steal.git"
	set["ref"], set["after"], set["deleted"], set["head_commit"] = "refs/heads/main", sha, false, obj{"id": sha}
	f.deliver("push", f.payload("push.json", set))
	f.settled()
	f.want(f.outcomes("push"), []string{"done: build #1"})
}

func TestDeliveriesOfARepositoryAreWorkedOutInOrder(t *testing.T) {
	f := newForge(t)
	r := f.addRepo("app")
	var want []string
	for range 6 { // all pending when the trigger starts, which takes them up
		want = append(want, fmt.Sprintf("pending %.7s", f.push(r, githubtest.Change{})))
	}
	f.github.FailNext(githubtest.ScopeGit, 3, http.StatusBadGateway, nil) // the first is put off
	f.start()
	f.settled()
	f.want(f.builds("app"), want)
}

func TestSlowRepositoryHoldsUpNoOther(t *testing.T) {
	f := newForge(t)
	slow, fast := f.addRepo("slow"), f.addRepo("fast")
	hang := f.github.Hang(githubtest.ScopeGit, 1)
	f.start()
	first := f.push(slow, githubtest.Change{})
	f.ok(hang.Wait(f.ctx, 1))
	second := f.push(slow, githubtest.Change{})
	other := f.push(fast, githubtest.Change{})
	f.until("the fast repository has a build", func() bool {
		_, err := f.store.Repo(f.ctx, "acme", "fast")
		return err == nil && len(f.builds("fast")) == 1
	})
	f.want(f.builds("fast"), []string{fmt.Sprintf("pending %.7s", other)})
	f.want(len(f.builds("slow")), 0)
	hang.Release()
	f.settled()
	f.want(f.builds("slow"), []string{fmt.Sprintf("pending %.7s", first), fmt.Sprintf("pending %.7s", second)})
}

func TestOutageThatPasses(t *testing.T) {
	f := newForge(t)
	f.github.FailNext(githubtest.ScopeGit, 5, http.StatusServiceUnavailable, nil)
	f.start()
	sha := f.push(f.addRepo("app"), githubtest.Change{})
	f.settled()
	f.want(f.builds("app"), []string{fmt.Sprintf("pending %.7s", sha)})
	for _, d := range f.deliveries() {
		if d.Event == "push" && d.Attempts == 0 {
			t.Error("no try failed")
		}
	}
	f.want(f.github.FaultsLeft(), 0)
}

// An outage that lasts ends in a verdict that says so.
func TestOutageThatLasts(t *testing.T) {
	f := newForge(t)
	f.github.FailNext(githubtest.ScopeGit, 1000, http.StatusServiceUnavailable, nil)
	f.start()
	f.push(f.addRepo("app"), githubtest.Change{})
	f.settled()
	got := f.builds("app")
	if len(got) != 1 || !strings.HasPrefix(got[0], "error: cannot fetch the commit: ") || strings.Contains(got[0], gitToken) {
		t.Errorf("builds: %q", got)
	}
	// A restart once it is over builds it.
	f.github.ClearFaults()
	f.restart("app", 1)
	f.settled()
	f.want(strings.Fields(f.builds("app")[1])[0], "pending")
}

func TestCredentialsThatCannotBeHad(t *testing.T) {
	f := newForge(t)
	f.options.Remote = func(context.Context, store.Repo) (source.Remote, error) {
		return source.Remote{}, errors.New("no installation")
	}
	f.start()
	f.push(f.addRepo("app"), githubtest.Change{})
	f.settled()
	f.want(f.builds("app"), []string{"error: cannot fetch the commit: no installation"})
}

func TestTokenThatMayNotReadTheSource(t *testing.T) {
	f := newForge(t)
	f.github.FailNext(githubtest.ScopeGit, 1000, http.StatusUnauthorized, nil)
	f.start()
	f.push(f.addRepo("app"), githubtest.Change{})
	f.settled()
	f.want(f.builds("app"), []string{"error: GitHub does not give out the source: can the token read acme/app?"})
}

// A commit that was pushed over is an error, but none of our business where
// slipway was never used.
func TestCommitThatIsGone(t *testing.T) {
	f := newForge(t)
	f.start()
	r := f.addRepo("app")
	gone := strings.Repeat("1234567890", 4)
	set := identity(r)
	set["ref"], set["after"], set["deleted"], set["head_commit"] = "refs/heads/gone", gone, false, obj{"id": gone}
	_, err := r.Commit(f.ctx, githubtest.Change{Files: map[string]string{"README": "no CI"}})
	f.ok(err)
	f.deliver("push", f.payload("push.json", set))
	f.settled()
	f.want(f.outcomes("push"), []string{"ignored: commit 1234567 is not on GitHub any more: was it pushed over?"})
	f.push(r, githubtest.Change{})
	f.deliver("push", f.payload("push.json", set))
	f.settled()
	f.want(f.builds("app")[1], "error: commit 1234567 is not on GitHub any more: was it pushed over?")
}

func TestHostileRefIsAVerdict(t *testing.T) {
	f := newForge(t)
	f.start()
	r := f.addRepo("app")
	set := identity(r)
	sha := strings.Repeat("1234567890", 4)
	set["ref"], set["after"], set["deleted"], set["head_commit"] = "refs/heads/a..b", sha, false, obj{"id": sha}
	f.deliver("push", f.payload("push.json", set))
	f.settled()
	if got := f.builds("app"); len(got) != 1 || !strings.HasPrefix(got[0], "error: ") || !strings.Contains(got[0], `"refs/heads/a..b"`) {
		t.Errorf("builds: %q", got)
	}
}

func TestForkSupersedesWhatWaits(t *testing.T) {
	f := newForge(t)
	f.start()
	r := f.addRepo("app")
	f.push(r, githubtest.Change{})
	fork, err := r.Fork(f.ctx, "mallory")
	f.ok(err)
	commit := func(n string) string {
		t.Helper()
		sha, err := fork.Commit(f.ctx, githubtest.Change{Branch: "fix", Files: map[string]string{"n": n}})
		f.ok(err)
		return sha
	}
	commit("1")
	_, err = r.OpenPullRequest(f.ctx, githubtest.PullRequest{Title: "Fix", Head: "fix", From: fork})
	f.ok(err)
	f.ok(f.github.Settle(f.ctx))
	f.settled()
	head := f.push(fork, githubtest.Change{Branch: "fix", Files: map[string]string{"n": "2"}})
	f.settled()
	f.want(f.builds("app")[1:], []string{fmt.Sprintf("canceled: superseded by %.7s", head), "blocked: waits for approval: a pull request from a fork"})
	var ours []string
	for _, o := range f.outcomes("pull_request") {
		if strings.HasPrefix(o, "done: build #") {
			ours = append(ours, o)
		}
	}
	f.want(ours, []string{"done: build #2", "done: build #3"})
}

// A database that fails while a delivery is worked out costs time and no build.
func TestTriggerOutlivesAFailingDatabase(t *testing.T) {
	f := newForge(t)
	mend := storetest.Break(t, f.path, "INSERT", "builds")
	f.start()
	sha := f.push(f.addRepo("app"), githubtest.Change{})
	f.until("a try has failed", func() bool {
		for _, d := range f.deliveries() {
			if d.Event == "push" && d.Attempts > 0 {
				return true
			}
		}
		return false
	})
	mend()
	f.settled()
	f.want(f.builds("app"), []string{fmt.Sprintf("pending %.7s", sha)})
}

// A file that is too large to be read is its author's to mend, and holds up
// nothing after it.
func TestPipelineFileThatIsTooLarge(t *testing.T) {
	f := newForge(t)
	f.start()
	r := f.addRepo("app")
	f.push(r, githubtest.Change{Files: map[string]string{".slipway.yml": strings.Repeat("#", 1<<20) + "\n"}})
	sha := f.push(r, githubtest.Change{})
	f.settled()
	f.want(f.builds("app"), []string{"error: .slipway.yml: is larger than 1024 KiB; move long scripts into files of their own and call them",
		fmt.Sprintf("pending %.7s", sha)})
}
