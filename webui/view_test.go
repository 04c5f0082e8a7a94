package webui

import (
	"strings"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/store"
)

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "", -time.Second: "", 340 * time.Millisecond: "0.3s", 9990 * time.Millisecond: "9.9s", 10 * time.Second: "10s", 59900 * time.Millisecond: "59s",
		time.Minute: "1m 00s", 3*time.Minute + 5*time.Second: "3m 05s", 61 * time.Minute: "1h 01m", 30 * time.Hour: "30h 00m",
	} {
		if got := formatDuration(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestAgo(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		-time.Minute: "just now", 44 * time.Second: "just now", 50 * time.Second: "1 min ago", 59 * time.Minute: "59 min ago",
		60 * time.Minute: "1 h ago", 47 * time.Hour: "1 d ago", 40 * 24 * time.Hour: "25 Mar 2026",
	} {
		if got := ago(now.Add(-d), now); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestOutcome(t *testing.T) {
	for _, c := range []struct {
		step store.Step
		want string
	}{
		{store.Step{Status: store.Success, Exited: true}, ""},
		{store.Step{Status: store.Failure, Exited: true, ExitCode: 2, Reason: "exit code 2"}, "exit code 2"},
		{store.Step{Status: store.Failure, Exited: true, ExitCode: 127, Reason: "exit code 127"}, "exit code 127: command not found"},
		{store.Step{Status: store.Failure, Exited: true, ExitCode: 137, Reason: "killed: out of memory"}, "exit code 137: ended by SIGKILL: killed: out of memory"},
		{store.Step{Status: store.Failure, Exited: true, ExitCode: 137, Reason: "exit code 137: out of memory"}, "exit code 137: out of memory"},
		{store.Step{Status: store.Error, Reason: "image not found"}, "image not found"},
		{store.Step{Status: store.Canceled, Exited: true, ExitCode: 143, Reason: "canceled"}, "exit code 143: ended by SIGTERM: canceled"},
		{store.Step{Status: store.Running}, ""},
	} {
		if got := (stepView{Step: c.step}).Outcome(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.step, got, c.want)
		}
	}
}

func TestJobsStandInTheOrderTheyRun(t *testing.T) {
	job := func(name, skip string, after ...string) jobView {
		return jobView{Job: store.Job{Name: name, DependsOn: after}, Plan: pipeline.Workflow{Skip: skip}}
	}
	jobs := []jobView{job("crew", "", "test (1)", "test (2)"), job("deploy", "", "crew"), job("docs", "branch is main"), job("lint", ""),
		job("report", "", "docs", "nothing"), job("test (1)", ""), job("test (2)", "")}
	inOrder(jobs)
	var got []string
	for _, j := range jobs {
		got = append(got, j.Name)
	}
	if want := "lint, test (1), test (2), crew, report, deploy, docs"; strings.Join(got, ", ") != want {
		t.Errorf("%s, want %s", strings.Join(got, ", "), want)
	}
}

func TestFocus(t *testing.T) {
	started := time.Unix(1, 0)
	ran := func(n int, s store.Status) stepView {
		return stepView{Step: store.Step{Number: n, Status: s, StartedAt: started, Kind: "commands"}}
	}
	waits := func(n int) stepView {
		return stepView{Step: store.Step{Number: n, Status: store.Blocked, Kind: "commands"}}
	}
	service := ran(1, store.Running)
	service.Kind = "service"
	job := func(n, failed int, steps ...stepView) jobView {
		return jobView{Job: store.Job{Number: n, FailedStep: failed}, Steps: steps}
	}
	for name, c := range map[string]struct {
		jobs      []jobView
		job, step int
	}{
		"nothing":              {nil, 0, 0},
		"nothing has started":  {[]jobView{job(1, 0, waits(1), waits(2))}, 1, 1},
		"a service runs":       {[]jobView{job(1, 0, service, waits(2))}, 1, 1},
		"a step runs":          {[]jobView{job(1, 0, service, ran(2, store.Success), ran(3, store.Running), ran(4, store.Success))}, 1, 3},
		"all passed":           {[]jobView{job(1, 0, service, ran(2, store.Success)), job(2, 0, ran(1, store.Success), ran(2, store.Success))}, 2, 2},
		"the first failure":    {[]jobView{job(1, 0, ran(1, store.Failure), ran(2, store.Error)), job(2, 0, ran(1, store.Failure))}, 1, 1},
		"the deciding failure": {[]jobView{job(1, 0, ran(1, store.Failure)), job(2, 2, ran(1, store.Failure), ran(2, store.Failure), ran(3, store.Running))}, 2, 2},
	} {
		p := buildPage{Jobs: c.jobs}
		if j, s := p.focus(); j != c.job || s != c.step {
			t.Errorf("%s: job %d step %d, want %d and %d", name, j, s, c.job, c.step)
		}
	}
}

func TestForgottenAccessIsClosed(t *testing.T) {
	if (route{}).access != nobody {
		t.Error("the zero value of access lets somebody in")
	}
	u := &UI{}
	for _, r := range u.routes() {
		if r.access == nobody {
			t.Errorf("%s %s: nobody may use it", r.method, r.path)
		}
	}
}

func TestScaleHasSomeTicks(t *testing.T) {
	for whole := time.Second; whole < 100*24*time.Hour; whole += whole / 7 {
		if n := len(scale{whole: whole}.ticks()); n < 3 || n > 7 {
			t.Errorf("%v has %d ticks", whole, n)
		}
	}
}

func TestTicksAreCode(t *testing.T) {
	for text, want := range map[string]string{
		"`<b>` is no key of `steps`": "<code>&lt;b&gt;</code> is no key of <code>steps</code>",
		"one ` alone & more":         "one ` alone &amp; more",
		"":                           "",
	} {
		if got := ticks(text); string(got) != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestSentenceBeginsWithACapital(t *testing.T) {
	for text, want := range map[string]string{"step test failed": "Step test failed", ".slipway.yml is empty": ".slipway.yml is empty", "é": "É", "": ""} {
		if got := sentence(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}
