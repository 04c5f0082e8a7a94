package webui

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/slipway-ci/slipway/store"
)

// historyView is how a step went lately on its branch or pull request, as a row
// of bars: the newest is the last, and as high as it took long.
type historyView struct {
	Bars    []historyBar
	W       int
	Summary string
}

// historyBar is a run of the step. One that failed has a mark below it too.
type historyBar struct {
	X, Y, H int
	Status  store.Status
	Title   string
	Failed  bool
}

const (
	historyHeight = 22 // of the highest bar
	historyLeast  = 3  // of the lowest
	historyStep   = 7  // from bar to bar
)

// readHistory adds to a build's page how the selected step went lately. A
// service lasts as long as its job, so there is nothing to tell.
func (u *UI) readHistory(ctx context.Context, p *buildPage) error {
	if p.Step == nil || p.Step.Service() {
		return nil
	}
	key := store.StepKey{RepoID: p.Repo.ID, Workflow: p.Job.Name, Step: p.Step.Name}
	runs, err := u.store.StepRuns(ctx, key, p.Build.Ref, p.Build.Number)
	if err != nil || len(runs) < 2 {
		return err
	}
	p.History = newHistory(runs)
	return nil
}

// newHistory draws runs, of which the newest is the first.
func newHistory(runs []store.StepRun) *historyView {
	v := &historyView{W: len(runs) * historyStep}
	var longest time.Duration
	var passed []time.Duration
	for _, r := range runs {
		longest = max(longest, r.Duration())
		if r.Status == store.Success {
			passed = append(passed, r.Duration())
		}
	}
	for i, r := range slices.Backward(runs) {
		h := historyHeight
		if longest > 0 {
			h = max(historyLeast, int(int64(historyHeight)*int64(r.Duration())/int64(longest)))
		}
		v.Bars = append(v.Bars, historyBar{
			X: (len(runs) - 1 - i) * historyStep, Y: historyHeight - h, H: h, Status: r.Status, Failed: r.Status != store.Success,
			Title: fmt.Sprintf("#%d %s %s", r.BuildNumber, word(r.Status), formatDuration(r.Duration())),
		})
	}
	v.Summary = fmt.Sprintf("%d of the last %d passed", len(passed), len(runs))
	if len(passed) > 0 {
		slices.Sort(passed)
		v.Summary += ", usually in " + formatDuration(max(passed[len(passed)/2], time.Second/10))
	}
	return v
}
