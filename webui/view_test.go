package webui

import (
	"testing"
	"time"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
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
		{store.Step{Status: store.Success, Exited: true}, "exit code 0"},
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

func TestGroups(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(1000+s), 0) }
	rows := []logRow{
		{N: 1, Kind: logs.Notice},
		{N: 2, Kind: logs.Command, Exit: -1, Time: at(0)}, {N: 3, Kind: logs.More}, {N: 4, Time: at(1)},
		{N: 5, Kind: logs.Command, Exit: 1, Time: at(5)}, {N: 6, Time: at(6)},
		{N: 7, Kind: logs.Command, Exit: 0, Time: at(7)}, {N: 8, Time: at(8)},
		{N: 9, Kind: logs.Command, Exit: 0, Time: at(9)},
	}
	ended := store.Step{Status: store.Success, Exited: true, FinishedAt: at(12)}
	g := group(rows, ended, 8, true)
	if len(g) != 5 || g[0].Command != nil || len(g[1].More) != 1 || len(g[1].Rows) != 1 {
		t.Fatalf("groups %+v", g)
	}
	for i, want := range []logGroup{
		1: {Open: true, Ended: true, HasExit: true, Exit: 1, Duration: 5 * time.Second},
		2: {Open: false, Ended: true, HasExit: true, Exit: 0, Duration: 2 * time.Second},
		3: {Open: true, Ended: true, HasExit: true, Exit: 0, Duration: 2 * time.Second}, // line 8 is looked at
		4: {Open: true, Ended: true, HasExit: true, Exit: 0, Duration: 3 * time.Second},
	} {
		if i == 0 {
			continue
		}
		got := g[i]
		got.Command, got.More, got.Rows = nil, nil, nil
		if got.Open != want.Open || got.Ended != want.Ended || got.Exit != want.Exit || got.Duration != want.Duration || got.HasExit != want.HasExit {
			t.Errorf("group %d: %+v, want %+v", i, got, want)
		}
	}
	if last := group(rows, store.Step{Status: store.Running}, 0, true)[4]; last.Ended || !last.Open {
		t.Errorf("the last command of a running step: %+v", last)
	}
}

func TestFitKeepsTheLine(t *testing.T) {
	rows := make([]logRow, 100)
	for i := range rows {
		rows[i] = logRow{N: int64(i + 1), size: windowBytes / 10}
	}
	if got, atEnd := fit(rows, 0); len(got) != 10 || got[9].N != 100 || !atEnd {
		t.Errorf("the end: %d rows from %d", len(got), got[0].N)
	}
	if got, atEnd := fit(rows, 40); len(got) != 10 || got[0].N > 40 || got[9].N < 40 || atEnd {
		t.Errorf("line 40: %d rows from %d", len(got), got[0].N)
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
