package github

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	sha1 = "1111111111111111111111111111111111111111"
	sha2 = "2222222222222222222222222222222222222222"
	zero = "0000000000000000000000000000000000000000"
)

// payload reads a real payload from testdata and sets fields of it: keys are
// dotted paths; the value deleted removes the field.
func payload(t testing.TB, file string, set map[string]any) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	if set == nil {
		return data
	}
	var root map[string]any
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	for path, v := range set {
		at, keys := root, strings.Split(path, ".")
		for _, k := range keys[:len(keys)-1] {
			at = at[k].(map[string]any)
		}
		if v == deleted {
			delete(at, keys[len(keys)-1])
		} else {
			at[keys[len(keys)-1]] = v
		}
	}
	data, err = json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

const deleted = "\x00deleted"

// pushed is what makes the real push.json, a deletion, a push of two commits.
func pushed(more map[string]any) map[string]any {
	set := map[string]any{
		"ref": "refs/heads/main", "before": sha1, "after": sha2, "deleted": false, "forced": true,
		"head_commit": map[string]any{
			"id": sha2, "message": "Say <b>hi</b>\n\nBody.", "timestamp": "2019-05-15T17:20:41+02:00",
			"url":    "https://github.com/Codertocat/Hello-World/commit/" + sha2,
			"author": map[string]any{"name": "Ada", "email": "ada@example.com", "username": "ada"},
		},
	}
	for k, v := range more {
		set[k] = v
	}
	return set
}

var helloWorld = Repo{
	ID: 186853002, Owner: "Codertocat", Name: "Hello-World", DefaultBranch: "master",
	CloneURL: "https://github.com/Codertocat/Hello-World.git",
	HTMLURL:  "https://github.com/Codertocat/Hello-World",
}

var codertocat = User{Login: "Codertocat", AvatarURL: "https://avatars1.githubusercontent.com/u/21031067?v=4"}

func TestParsePush(t *testing.T) {
	got, err := Parse("push", payload(t, "push.with-installation.json", pushed(nil)))
	if err != nil {
		t.Fatal(err)
	}
	want := Event{
		Kind: KindPush, Repo: helloWorld, Sender: codertocat, InstallationID: 1,
		Push: &Push{
			Ref: "refs/heads/main", Before: sha1, After: sha2, Forced: true,
			Head: Commit{
				SHA: sha2, Message: "Say <b>hi</b>\n\nBody.",
				AuthorName: "Ada", AuthorEmail: "ada@example.com", AuthorLogin: "ada",
				Timestamp: time.Date(2019, 5, 15, 15, 20, 41, 0, time.UTC),
				URL:       "https://github.com/Codertocat/Hello-World/commit/" + sha2,
			},
		},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(time.Time.Equal)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if b, tag := got.Push.Branch(), got.Push.Tag(); b != "main" || tag != "" {
		t.Errorf("branch %q, tag %q", b, tag)
	}
}

func TestParsePushOfAnnotatedTag(t *testing.T) {
	tagObject := strings.Repeat("3", 40)
	got, err := Parse("push", payload(t, "push.json", pushed(map[string]any{
		"ref": "refs/tags/v1/x", "before": zero, "after": tagObject, "created": true,
	})))
	if err != nil {
		t.Fatal(err)
	}
	p := got.Push
	if p.Head.SHA != sha2 || p.After != tagObject || p.Before != "" || !p.Created || p.Tag() != "v1/x" || p.Branch() != "" {
		t.Errorf("got %+v", p)
	}
}

func TestParsePushOdd(t *testing.T) {
	tests := map[string]struct {
		set  map[string]any
		want Commit
	}{
		"branch without head commit": {map[string]any{"head_commit": nil}, Commit{SHA: sha2}},
		"branch like an option":      {map[string]any{"ref": "refs/heads/--upload-pack=x", "head_commit": nil}, Commit{SHA: sha2}},
		"unreadable time":            {map[string]any{"head_commit": map[string]any{"id": sha2, "timestamp": "yesterday"}}, Commit{SHA: sha2}},
		"SHA-256":                    {map[string]any{"after": strings.Repeat("a", 64), "head_commit": nil}, Commit{SHA: strings.Repeat("a", 64)}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e, err := Parse("push", payload(t, "push.json", pushed(tt.set)))
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind != KindPush || e.Push.Head != tt.want {
				t.Errorf("got %s %+v, want %+v", e.Kind, e.Push, tt.want)
			}
		})
	}
}

func TestParsePullRequest(t *testing.T) {
	for _, action := range []string{"opened", "synchronize", "reopened", "closed"} {
		t.Run(action, func(t *testing.T) {
			got, err := Parse("pull_request", payload(t, "pull_request.synchronize.json", map[string]any{"action": action}))
			if err != nil {
				t.Fatal(err)
			}
			want := Event{
				Kind: KindPullRequest, Repo: helloWorld, Sender: codertocat, InstallationID: 1,
				PullRequest: &PullRequest{
					Number: 2, Title: "Update the README with new information.", Action: action,
					HeadSHA: "ec26c3e57ca3a959ca5aad62de7213c562f8c821", HeadRef: "changes",
					HeadRepo: "Codertocat/Hello-World", HeadCloneURL: helloWorld.CloneURL,
					BaseRef: "master", BaseSHA: "f95f852bd8fca8fcc58a9a2d6c842781e32a215e",
					Labels: []string{"bug"}, URL: "https://github.com/Codertocat/Hello-World/pull/2",
					Author: codertocat,
				},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestParsePullRequestFork(t *testing.T) {
	tests := map[string]struct {
		set            map[string]any
		fork           bool
		repo, cloneURL string
	}{
		"same repository": {map[string]any{}, false, "Codertocat/Hello-World", helloWorld.CloneURL},
		"another repository": {map[string]any{"pull_request.head.repo": map[string]any{
			"id": 7, "full_name": "eve/Hello-World", "clone_url": "https://github.com/eve/Hello-World.git",
		}}, true, "eve/Hello-World", "https://github.com/eve/Hello-World.git"},
		"another repository of the same name": {map[string]any{"pull_request.head.repo.id": 7}, true, "Codertocat/Hello-World", helloWorld.CloneURL},
		"no ID":                               {map[string]any{"pull_request.head.repo.id": deleted}, true, "Codertocat/Hello-World", helloWorld.CloneURL},
		"deleted repository":                  {map[string]any{"pull_request.head.repo": nil}, true, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e, err := Parse("pull_request", payload(t, "pull_request.opened.json", tt.set))
			if err != nil {
				t.Fatal(err)
			}
			p := e.PullRequest
			if p.Fork != tt.fork || p.HeadRepo != tt.repo || p.HeadCloneURL != tt.cloneURL {
				t.Errorf("got fork %v, %q, %q", p.Fork, p.HeadRepo, p.HeadCloneURL)
			}
		})
	}
}

func TestParseClosedPullRequest(t *testing.T) {
	e, err := Parse("pull_request", payload(t, "pull_request.closed.json", nil))
	if err != nil {
		t.Fatal(err)
	}
	if p := e.PullRequest; !p.Closed() || p.Merged || p.Milestone != "" || p.HeadSHA != "ec26c3e57ca3a959ca5aad62de7213c562f8c821" {
		t.Errorf("got %+v", p)
	}
	e, err = Parse("pull_request", payload(t, "pull_request.closed.json", map[string]any{
		"pull_request.merged": true, "pull_request.milestone": map[string]any{"title": "1.0"}}))
	if err != nil {
		t.Fatal(err)
	}
	if p := e.PullRequest; !p.Closed() || !p.Merged || p.Milestone != "1.0" {
		t.Errorf("got %+v", p)
	}
	if e, err = Parse("pull_request", payload(t, "pull_request.opened.json", nil)); err != nil || e.PullRequest.Closed() {
		t.Errorf("got %+v, %v", e, err)
	}
}

func TestParseRelease(t *testing.T) {
	for name, want := range map[string]any{"": nil, "One": "One"} {
		got, err := Parse("release", payload(t, "release.published.json", map[string]any{"release.name": want, "release.prerelease": name != ""}))
		if err != nil {
			t.Fatal(err)
		}
		diff := cmp.Diff(Event{Kind: KindRelease, Repo: helloWorld, Sender: codertocat, Release: &Release{
			Tag: "0.0.1", Name: name, Prerelease: name != "", Author: codertocat,
			URL: "https://github.com/Codertocat/Hello-World/releases/tag/0.0.1"}}, got)
		if diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

func TestParseDeployment(t *testing.T) {
	got, err := Parse("deployment", payload(t, "deployment.json", map[string]any{"deployment.description": "to the moon"}))
	if err != nil {
		t.Fatal(err)
	}
	diff := cmp.Diff(Event{Kind: KindDeployment, Repo: helloWorld, Sender: codertocat, Deployment: &Deployment{
		ID: 145988746, SHA: "f95f852bd8fca8fcc58a9a2d6c842781e32a215e", Ref: "master", Environment: "production", Task: "deploy",
		Description: "to the moon", Creator: codertocat}}, got)
	if diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestParseIgnored(t *testing.T) {
	tests := []struct {
		event, file string
		set         map[string]any
		want        string
	}{
		{"push", "push.json", nil, "tag deleted"},
		{"push", "push.json", map[string]any{"ref": "refs/heads/x"}, "branch deleted"},
		{"push", "push.json", pushed(map[string]any{"ref": "refs/tags/blob", "head_commit": nil}), "the tag leads to no commit"},
		{"push", "push.json", pushed(map[string]any{"ref": "refs/notes/x"}), "ref refs/notes/x is neither a branch nor a tag"},
		{"push", "push.json", pushed(map[string]any{"ref": "refs/heads/"}), "ref refs/heads/ is neither a branch nor a tag"},
		{"pull_request", "pull_request.labeled.json", nil, "pull request action labeled"},
		{"issue_comment", "issue_comment.created.json", nil, "event issue_comment is not one slipway builds"},
		{"pull_request", "pull_request.labeled.json", map[string]any{"action": "converted_to_draft"}, "pull request action converted_to_draft"},
		{"delete", "delete.json", nil, "event delete is not one slipway builds"},
		{"create", "create.json", nil, "event create is not one slipway builds"},
		{"release", "release.published.json", map[string]any{"action": "created"}, "release action created"},
		{"release", "release.published.json", map[string]any{"action": "released"}, "release action released"},
		{"deployment", "deployment.json", map[string]any{"action": "deleted"}, "deployment action deleted"},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			e, err := Parse(tt.event, payload(t, tt.file, tt.set))
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind != KindIgnored || e.Reason != tt.want || e.Push != nil || e.PullRequest != nil {
				t.Errorf("got %s %q", e.Kind, e.Reason)
			}
			if e.Repo != helloWorld || e.Sender.Login != "Codertocat" {
				t.Errorf("got repo %+v, sender %+v", e.Repo, e.Sender)
			}
		})
	}
}

func TestParsePing(t *testing.T) {
	e, err := Parse("ping", payload(t, "ping.json", nil))
	if err != nil || e.Kind != KindPing || e.Repo.FullName() != "Octocoders/Hello-World" {
		t.Errorf("got %+v, %v", e, err)
	}
	// An organisation's webhook pings without a repository.
	e, err = Parse("ping", []byte(`{"zen":"Keep it logically awesome.","repository":null}`))
	if err != nil || e.Kind != KindPing || e.Repo != (Repo{}) || e.Repo.FullName() != "" {
		t.Errorf("got %+v, %v", e, err)
	}
	for _, odd := range []string{`[]`, `null`, `7`, `{"repository":3,"sender":[],"installation":""}`} {
		if e, err := Parse("ping", []byte(odd)); err != nil || e.Kind != KindPing {
			t.Errorf("%s: got %+v, %v", odd, e, err)
		}
	}
}

func TestParseErrors(t *testing.T) {
	const push, pr, release, deployment = "push.json", "pull_request.opened.json", "release.published.json", "deployment.json"
	tests := []struct {
		event, file string
		set         map[string]any
		field       string
	}{
		{"push", push, map[string]any{"repository": deleted}, "repository"},
		{"push", push, map[string]any{"repository.id": deleted}, "repository.id"},
		{"push", push, map[string]any{"repository.id": "7"}, "repository.id"},
		{"push", push, map[string]any{"repository.name": ""}, "repository.name"},
		{"push", push, map[string]any{"repository.name": ".."}, "repository.name"},
		{"push", push, map[string]any{"repository.name": "a/b"}, "repository.name"},
		{"push", push, map[string]any{"repository.owner": nil}, "repository.owner.login"},
		{"push", push, map[string]any{"repository.owner.login": "-\n"}, "repository.owner.login"},
		{"push", push, map[string]any{"repository.clone_url": deleted}, "repository.clone_url"},
		{"push", push, map[string]any{"ref": deleted}, "ref"},
		{"push", push, pushed(map[string]any{"after": deleted}), "after"},
		{"push", push, pushed(map[string]any{"after": "--upload-pack=x"}), "after"},
		{"push", push, pushed(map[string]any{"before": deleted}), "before"},
		{"push", push, pushed(map[string]any{"head_commit": map[string]any{}}), "head_commit.id"},
		{"push", push, pushed(map[string]any{"head_commit": map[string]any{"id": sha1 + "0"}}), "head_commit.id"},
		{"push", push, pushed(map[string]any{"head_commit": map[string]any{"id": sha1, "message": 4}}), "head_commit.message"},
		{"pull_request", pr, map[string]any{"action": deleted}, "action"},
		{"pull_request", pr, map[string]any{"repository": nil}, "repository"},
		{"pull_request", pr, map[string]any{"pull_request": nil}, "pull_request"},
		{"pull_request", pr, map[string]any{"pull_request.number": -1}, "pull_request.number"},
		{"pull_request", pr, map[string]any{"pull_request.head.sha": "HEAD"}, "pull_request.head.sha"},
		{"pull_request", pr, map[string]any{"pull_request.head.ref": ""}, "pull_request.head.ref"},
		{"pull_request", pr, map[string]any{"pull_request.base": nil}, "pull_request.base.ref"},
		{"pull_request", pr, map[string]any{"pull_request.base.sha": deleted}, "pull_request.base.sha"},
		{"release", release, map[string]any{"action": deleted}, "action"},
		{"release", release, map[string]any{"repository": nil}, "repository"},
		{"release", release, map[string]any{"release": nil}, "release"},
		{"release", release, map[string]any{"release.tag_name": ""}, "release.tag_name"},
		{"release", release, map[string]any{"release.tag_name": 1}, "release.tag_name"},
		{"deployment", deployment, map[string]any{"repository": nil}, "repository"},
		{"deployment", deployment, map[string]any{"deployment": deleted}, "deployment"},
		{"deployment", deployment, map[string]any{"deployment.id": 0}, "deployment.id"},
		{"deployment", deployment, map[string]any{"deployment.id": "1"}, "deployment.id"},
		{"deployment", deployment, map[string]any{"deployment.ref": ""}, "deployment.ref"},
		{"deployment", deployment, map[string]any{"deployment.sha": "main"}, "deployment.sha"},
	}
	for _, tt := range tests {
		t.Run(tt.event+" "+tt.field, func(t *testing.T) {
			e, err := Parse(tt.event, payload(t, tt.file, tt.set))
			var pe *PayloadError
			if !errors.As(err, &pe) || pe.Field != tt.field {
				t.Fatalf("got %+v, %v; want an error about %s", e, err, tt.field)
			}
			checkError(t, err, "the payload's field "+tt.field+" ")
		})
	}
	for event, body := range map[string]string{"push": "{", "issues": "", "ping": "nope", "": "{}", "pull_request": "[1]"} {
		e, err := Parse(event, []byte(body))
		var pe *PayloadError
		if !errors.As(err, &pe) {
			t.Errorf("%q: got %+v, %v; want a PayloadError", event, e, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("push", payload(f, "push.json", pushed(nil)))
	f.Add("push", payload(f, "push.json", nil))
	f.Add("pull_request", payload(f, "pull_request.synchronize.json", nil))
	f.Add("pull_request", payload(f, "pull_request.labeled.json", nil))
	f.Add("pull_request", payload(f, "pull_request.closed.json", nil))
	f.Add("release", payload(f, "release.published.json", nil))
	f.Add("deployment", payload(f, "deployment.json", nil))
	f.Add("ping", payload(f, "ping.json", nil))
	f.Add("issue_comment", []byte(`{"repository":{"id":1,"name":"..","owner":{"login":"x"}}}`))
	f.Fuzz(func(t *testing.T, event string, body []byte) {
		e, err := Parse(event, body)
		if err != nil {
			var pe *PayloadError
			if !errors.As(err, &pe) || pe.Problem == "" {
				t.Fatalf("error of type %T: %v", err, err)
			}
			return
		}
		if (e.Kind == KindIgnored) != (e.Reason != "") ||
			(e.Kind == KindPush) != (e.Push != nil) ||
			(e.Kind == KindPullRequest) != (e.PullRequest != nil) ||
			(e.Kind == KindRelease) != (e.Release != nil) ||
			(e.Kind == KindDeployment) != (e.Deployment != nil) {
			t.Fatalf("kind and parts disagree: %+v", e)
		}
		if e.Repo != (Repo{}) && (!validName(e.Repo.Owner) || !validName(e.Repo.Name)) {
			t.Fatalf("unchecked name in %+v", e.Repo)
		}
		if e.Push != nil && (!validSHA(e.Push.Head.SHA) || (e.Push.Branch() == "") == (e.Push.Tag() == "")) {
			t.Fatalf("unchecked push %+v", e.Push)
		}
		if e.PullRequest != nil && (!validSHA(e.PullRequest.HeadSHA) || e.PullRequest.Number <= 0) {
			t.Fatalf("unchecked pull request %+v", e.PullRequest)
		}
		if e.Deployment != nil && !validSHA(e.Deployment.SHA) {
			t.Fatalf("unchecked deployment %+v", e.Deployment)
		}
	})
}
