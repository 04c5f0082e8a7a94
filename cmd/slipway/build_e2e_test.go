package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/server/github/githubtest"
)

func TestGreenBuild(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.repo("app")
	sha := w.push(r, w.files(`
steps:
  - name: build
    image: IMAGE
    commands:
      - cat hello.txt
      - echo built > out.txt
  - name: test
    image: IMAGE
    commands:
      - test "$(cat out.txt)" = built
      - case $CI_SYSTEM_PLATFORM in linux/?*) ;; *) exit 1 ;; esac
      - echo "$CI_COMMIT_SHA on $CI_COMMIT_BRANCH"
`, "hello.txt", "hello from the commit\n"))
	st := w.wantVerdict(r, sha, "success: passed in …")
	if want := "http://ci.example/repos/acme/app/builds/1"; st.TargetURL != want {
		t.Errorf("the status links to %s, want %s", st.TargetURL, want)
	}
	if got := w.build(r, 1).steps(); got != "build=success test=success" {
		t.Errorf("steps: %s", got)
	}
	w.wantLines(w.log(r, 1, 1, 1), "+ cat hello.txt", "hello from the commit", "+ echo built > out.txt")
	w.wantLines(w.log(r, 1, 1, 2), sha+" on main")
}

// What a rule finds in the log stands in the status, as the log has it: masked.
func TestVerdictSaysWhatFailed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.repo("app")
	sha := w.push(r, w.files("steps:\n  - {name: publish, image: IMAGE, commands: ['echo \"error: "+testToken+" is not accepted\"; exit 1']}\n"))
	w.waitStatus(r, sha, "publish: error: ******** is not accepted")
	for _, st := range r.Statuses(sha) {
		if strings.Contains(st.Description, testToken) {
			t.Errorf("a status shows a secret: %s", st.Description)
		}
	}
}

func TestRedBuild(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.repo("app")
	sha := w.push(r, w.files(`
steps:
  - {name: build, image: IMAGE, commands: "true"}
  - {name: test, image: IMAGE, commands: [echo before, exit 2, echo after]}
  - {name: deploy, image: IMAGE, commands: "true"}
  - {name: notify, image: IMAGE, commands: echo "it is $CI_PIPELINE_STATUS", when: {status: failure}}
`))
	st := w.wantVerdict(r, sha, "failure: step test failed: exit code 2")
	if want := "http://ci.example/repos/acme/app/builds/1/jobs/1/steps/2"; st.TargetURL != want {
		t.Errorf("the status links to %s, want %s", st.TargetURL, want)
	}
	b := w.build(r, 1)
	if got := b.steps(); got != "build=success test=failure deploy=skipped notify=success" {
		t.Errorf("steps: %s", got)
	}
	if code := b.Jobs[0].Steps[1].ExitCode; code == nil || *code != 2 {
		t.Errorf("exit code: %v", code)
	}
	// When the final status is posted the whole log is readable.
	log := w.log(r, 1, 1, 2)
	w.wantLines(log, "+ echo before", "before", "+ exit 2")
	if strings.Contains(log, "after") {
		t.Errorf("a command ran after the one that failed:\n%s", log)
	}
	w.wantLines(w.log(r, 1, 1, 4), "it is failure")

	// The digest may follow the verdict.
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for b.Jobs[0].Steps[1].Failure == nil {
		select {
		case <-w.ctx.Done():
			t.Fatal("no digest was written")
		case <-tick.C:
			b = w.build(r, 1)
		}
	}
	if f := b.Jobs[0].Steps[1].Failure; f.Title != "exit 2" || f.Line == 0 {
		t.Errorf("digest: %+v", f)
	}
}

func TestVerdictWithoutRunning(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.repo("app")
	broken := w.push(r, w.files("steps:\n  - name: x\n    image: IMAGE\n    comands: [\"true\"]\n"))
	w.wantVerdict(r, broken, "error: .slipway.yml:4:5: …")

	image := w.push(r, w.files("steps:\n  - {name: x, image: 'nosuch.invalid/image:1', commands: ['true']}\n"))
	w.wantVerdict(r, image, "error: step x failed: image nosuch.invalid/image:1…")

	filtered := w.push(r, w.files("steps:\n  - {name: x, image: IMAGE, commands: ['true'], when: {event: tag}}\n"))
	w.wantVerdict(r, filtered, "success: skipped: no workflow matches")

	for _, marker := range []string{"[skip ci]", "[CI SKIP]"} {
		skipped := w.pushChange(r, githubtest.Change{Files: map[string]string{"a": marker}, Message: "Docs only " + marker})
		w.wantVerdict(r, skipped, "success: skipped by "+strings.ToLower(marker))
	}
	none := w.pushChange(r, githubtest.Change{Remove: []string{".slipway.yml"}})
	w.wantVerdict(r, none, "error: no pipeline file in …")
}

func TestNoPipelineFileIsNoneOfOurBusiness(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.repo("app")
	without := w.push(r, map[string]string{"README": "no CI here"})
	with := w.push(r, w.files("steps:\n  - {name: x, image: IMAGE, commands: ['true']}\n"))
	w.wantVerdict(r, with, "success: passed in …") // deliveries of a repository are worked out in order
	if got := r.Statuses(without); len(got) != 0 {
		t.Errorf("statuses of a commit without a pipeline file: %v", got)
	}
}

func TestServiceIsReachableByName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.repo("app")
	sha := w.push(r, w.files(`
services:
  - name: web
    image: IMAGE
    commands: [httpd -f -p 8000 -h www]
steps:
  - name: test
    image: IMAGE
    commands:
      - until wget -q -O- http://web:8000/index.html; do usleep 100000; done
      - wget -q -O- http://web:8000/index.html | grep -q "from the service"
`, "www/index.html", "hello from the service\n"))
	w.wantVerdict(r, sha, "success: passed in …")
	if got := w.build(r, 1).steps(); got != "web=success test=success" {
		t.Errorf("steps: %s", got)
	}
}

func TestHostileNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.repo("app")
	files := w.files("steps:\n  - {name: x, image: IMAGE, commands: ['echo \"$CI_COMMIT_BRANCH\"']}\n")
	sha := w.pushChange(r, githubtest.Change{Branch: "--upload-pack=x", Files: files, Message: "<script>alert(1)</script>"})
	w.wantVerdict(r, sha, "success: passed in …")
	w.wantLines(w.log(r, 1, 1, 1), "--upload-pack=x")
	_, page := w.request(http.MethodGet, "/repos/acme/app/builds/1", "")
	if strings.Contains(string(page), "<script>alert") || !strings.Contains(string(page), "&lt;script&gt;alert(1)") {
		t.Errorf("the commit message is not escaped on the page")
	}
}
