package docker_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/image"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/docker"
	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
	"github.com/slipway-ci/slipway/store/storetest"
)

func withoutCancel(t *testing.T) context.Context { return context.WithoutCancel(t.Context()) }

// logsIn is the function of a repository that has one login for everything.
func logsIn(l runner.Login) runner.LoginFunc {
	return func(context.Context, string) (runner.Login, error) { return l, nil }
}

var (
	alice   = logsIn(runner.Login{Username: user, Password: password, Holder: "repo/1"})
	mallory = logsIn(runner.Login{Username: "mallory", Password: "guess", Holder: "repo/2"})
	carol   = logsIn(runner.Login{Username: user, Password: password, Holder: "repo/3"})
)

func (r *testRegistry) engine(stall time.Duration) *docker.Engine {
	e := docker.New(r.cli, docker.Options{PullStall: stall, Grants: storetest.OpenAt(r.T, filepath.Join(r.TempDir(), "slipway.db"), nil)})
	e.SetPullPause(time.Millisecond)
	return e
}

// refused checks that the image cannot be had, and what the user is told.
func (r *testRegistry) refused(err error, words ...string) {
	r.Helper()
	if !errors.Is(err, runner.ErrImage) {
		r.Errorf("error %v, want ErrImage", err)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			r.Errorf("error %q lacks %q", err, w)
		}
	}
	if strings.Contains(err.Error(), password) {
		r.Errorf("error %q has the password", err)
	}
}

func TestPrivateRegistry(t *testing.T) {
	r := newRegistry(t, true)
	ref := r.push("acme/app:1", 1000)
	e := r.engine(0)
	pull := func(image string, login runner.LoginFunc) error {
		return e.PullImage(t.Context(), runner.ImageSpec{Image: image, Login: login}, io.Discard)
	}
	r.refused(pull(ref, nil), "image "+ref+" cannot be pulled", "no basic auth credentials", "give the repository a login for "+r.host)
	r.refused(pull(ref, mallory), "image "+ref+" cannot be pulled", "unauthorized", `check the login "mallory" for `+r.host)
	missing := strings.Replace(ref, "app:1", "app:2", 1)
	r.refused(pull(missing, alice), "image "+missing+" not found", "check the image's name and tag")
	var progress bytes.Buffer
	r.ok(e.PullImage(t.Context(), runner.ImageSpec{Image: ref, Login: alice}, &progress))
	if !strings.Contains(progress.String(), "pulled "+ref+" (sha256:") {
		t.Errorf("progress %q", progress.String())
	}
}

// TestImageOfAnother: what one repository's login brought onto the machine is for
// another only if the registry gives it to that one too.
func TestImageOfAnother(t *testing.T) {
	r := newRegistry(t, true)
	ref := r.push("acme/app:1", 1000)
	e := r.engine(0)
	pull := func(login runner.LoginFunc, policy pipeline.Pull) error {
		return e.PullImage(t.Context(), runner.ImageSpec{Image: ref, Policy: policy, Login: login}, io.Discard)
	}
	asks := func() bool { return r.asked.Swap(0) > 0 }
	r.ok(pull(alice, pipeline.PullIfNotPresent))
	asks()
	r.ok(pull(alice, pipeline.PullIfNotPresent))
	if asks() {
		t.Error("the registry was asked for what was granted")
	}
	for _, policy := range []pipeline.Pull{pipeline.PullIfNotPresent, pipeline.PullNever, pipeline.PullAlways} {
		r.refused(pull(nil, policy), "no basic auth credentials")
		r.refused(pull(mallory, policy), "unauthorized")
	}
	asks()
	r.ok(pull(carol, pipeline.PullNever)) // her login is as good
	if !asks() {
		t.Error("the registry was not asked on behalf of another repository")
	}
	r.ok(pull(carol, pipeline.PullNever))
	if asks() {
		t.Error("the registry was asked twice")
	}
}

// TestDigestOfAnother: the engine itself does not ask for a digest that it has.
func TestDigestOfAnother(t *testing.T) {
	r := newRegistry(t, true)
	ref := r.push("acme/app:1", 1000)
	e := r.engine(0)
	r.ok(e.PullImage(t.Context(), runner.ImageSpec{Image: ref, Login: alice}, io.Discard))
	found, err := r.cli.ImageInspect(t.Context(), ref)
	r.ok(err)
	for _, policy := range []pipeline.Pull{pipeline.PullIfNotPresent, pipeline.PullAlways} {
		err := e.PullImage(t.Context(), runner.ImageSpec{Image: found.RepoDigests[0], Policy: policy, Login: mallory}, io.Discard)
		r.refused(err, "unauthorized")
	}
}

// TestIDOfAnother: nor does it ask for whom an image is that is named by its ID,
// of which a few digits are enough, and may be guessed.
func TestIDOfAnother(t *testing.T) {
	r := newRegistry(t, true)
	ref := r.push("acme/app:1", 1000)
	e := r.engine(0)
	r.ok(e.PullImage(t.Context(), runner.ImageSpec{Image: ref, Login: alice}, io.Discard))
	found, err := r.cli.ImageInspect(t.Context(), ref)
	r.ok(err)
	for _, id := range []string{found.ID, found.ID[:len("sha256:")+12], "docker.io/library/" + found.ID, strings.TrimPrefix(found.ID, "sha256:")} {
		for _, policy := range []pipeline.Pull{pipeline.PullIfNotPresent, pipeline.PullNever} {
			r.refused(e.PullImage(t.Context(), runner.ImageSpec{Image: id, Policy: policy, Login: mallory}, io.Discard), id)
		}
	}
}

// TestImageOfSandboxes is never pulled, which would put somebody's image into its
// place: what its tag will be is known to who has the program.
func TestImageOfSandboxes(t *testing.T) {
	cli, ref := runnertest.Docker(t), "slipway/sandbox:"+randomID()
	if err := cli.ImageTag(t.Context(), runnertest.Image(t), ref); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := cli.ImageRemove(withoutCancel(t), ref, image.RemoveOptions{}); err != nil {
			t.Error(err)
		}
	})
	for _, name := range []string{ref, "docker.io/" + ref} {
		err := docker.New(cli, docker.Options{}).PullImage(t.Context(), runner.ImageSpec{Image: name, Policy: pipeline.PullNever}, io.Discard)
		if !errors.Is(err, runner.ErrImage) || !strings.Contains(err.Error(), "slipway's own") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestPublicAndLocalImagesNeedNoRegistry(t *testing.T) {
	r := newRegistry(t, false)
	ref := r.push("acme/app:1", 1000)
	e := r.engine(0)
	pull := func(login runner.LoginFunc) error {
		return e.PullImage(t.Context(), runner.ImageSpec{Image: ref, Login: login}, io.Discard)
	}
	r.ok(pull(nil))
	r.misbehave(func(w http.ResponseWriter, _ *http.Request) bool {
		t.Error("the registry was asked")
		return false
	})
	r.ok(pull(nil))
	r.ok(pull(alice))
}

// TestRegistryThatCannotBeAsked: without an answer nothing is handed over.
func TestRegistryThatCannotBeAsked(t *testing.T) {
	r := newRegistry(t, true)
	ref := r.push("acme/app:1", 1000)
	e := r.engine(0)
	r.ok(e.PullImage(t.Context(), runner.ImageSpec{Image: ref, Login: alice}, io.Discard))
	r.misbehave(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	r.ok(e.PullImage(t.Context(), runner.ImageSpec{Image: ref, Login: alice}, io.Discard))
	err := e.PullImage(t.Context(), runner.ImageSpec{Image: ref, Login: carol}, io.Discard)
	r.refused(err, "503", "the registry was asked")
}

func TestRegistryInTrouble(t *testing.T) {
	r := newRegistry(t, false)
	ref := r.push("acme/app:1", 1000)
	r.misbehave(func(w http.ResponseWriter, req *http.Request) bool {
		if !strings.Contains(req.URL.Path, "/manifests/") {
			return false
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	var said []string
	progress := writerFunc(func(p []byte) (int, error) {
		said = append(said, string(p))
		r.fault.Store(nil)
		return len(p), nil
	})
	r.ok(r.engine(0).PullImage(t.Context(), runner.ImageSpec{Image: ref}, progress))
	if first := said[0]; !strings.Contains(first, "trying again") || !strings.Contains(first, "503") {
		t.Errorf("first line %q tells nothing of the trouble", first)
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestPullThatStallsInABlob(t *testing.T) {
	const size = 1 << 20
	r := newRegistry(t, false)
	ref := r.push("acme/app:1", size)
	recovered := r.stallBlobs(size)
	err := r.engine(300*time.Millisecond).PullImage(t.Context(), runner.ImageSpec{Image: ref}, io.Discard)
	r.refused(err, "image "+ref+" cannot be pulled", "no progress for 300ms")
	recovered()
	r.ok(r.engine(0).PullImage(t.Context(), runner.ImageSpec{Image: ref}, io.Discard)) // a stall leaves nothing in the way
}
