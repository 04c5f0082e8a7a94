package webui

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/store"
)

// buildPage is the view of templates/build.html and its parts.
type buildPage struct {
	frame
	Repo     store.Repo
	Build    store.Build
	Jobs     []jobView
	Problems []pipeline.Problem
	Statuses []store.CommitStatus
	Now      time.Time
	// Why is the build's reason, or what is known of what failed.
	Why string

	// View is what the page shows of the build; what belongs to others is nil.
	View     buildView
	Graph    *graphView
	Timeline *timelineView
	Pipeline *pipelineView

	// Job and Step are what is selected; nil if the build has no steps.
	Job  *jobView
	Step *stepView
	Log  *logView
	// History is how Step went lately; nil if there is nothing to compare with.
	History *historyView
	// Digest is of the selected step; nil if there is none.
	Digest *digestView
}

// buildView is one of the pages of a build.
type buildView string

const (
	viewSteps    buildView = "" // the steps and the log of one
	viewGraph    buildView = "graph"
	viewTimeline buildView = "timeline"
	viewPipeline buildView = "pipeline"
)

// buildViews are the tabs of a build's page, in their order.
var buildViews = []struct {
	View buildView
	Text string
}{{viewSteps, "Steps"}, {viewGraph, "Graph"}, {viewTimeline, "Timeline"}, {viewPipeline, "Pipeline"}}

// Tabs lead to the pages of the build.
func (p *buildPage) Tabs() []tab {
	out := make([]tab, len(buildViews))
	for i, v := range buildViews {
		out[i] = tab{crumb{v.Text, p.Path()}, v.View == p.View}
		if v.View != viewSteps {
			out[i].URL += "/" + string(v.View)
		}
	}
	return out
}

// SomethingFailed reports whether a restart may run less than everything.
func (p *buildPage) SomethingFailed() bool {
	failed := 0
	for _, j := range p.Jobs {
		switch j.Status {
		case store.Failure, store.Error, store.Canceled:
			failed++
		}
	}
	return failed > 0 && len(p.Jobs) > 1
}

// RerunWords says what of its parent the build runs again.
func (p *buildPage) RerunWords() string {
	switch {
	case p.Build.Rerun.FailedOnly:
		return "what failed in"
	case p.Build.Rerun.Step > 0:
		return "a step of"
	default:
		return ""
	}
}

// jobView is a workflow with its steps.
type jobView struct {
	store.Job
	Plan  pipeline.Workflow
	Steps []stepView
	Path  string // of the step of it that is worth looking at
	// CarriedPath is the page of the build that the job ran in, if that is another.
	CarriedPath string
	// Waits says what the job waits for; nil if it does not.
	Waits *waiting
}

// stepView is a step as the list of steps shows it.
type stepView struct {
	store.Step
	Path     string // of its page
	Selected bool
	log      string // key of its log
}

// Service reports whether the step runs beside the others.
func (s stepView) Service() bool { return s.Kind == string(pipeline.KindService) }

// Outcome says in words how the step ended, or why it has not.
func (s stepView) Outcome() string {
	words := ""
	if s.Exited && s.ExitCode != 0 {
		words = exitWords(s.ExitCode)
	}
	switch {
	case words == "":
		return s.Reason
	case s.Reason == "" || strings.Contains(words, s.Reason):
		return words
	case strings.HasPrefix(s.Reason, "exit code "):
		return s.Reason
	default:
		return words + ": " + s.Reason
	}
}

// Note says of a job that did not run, or not to its end, why. What a failed step
// says itself is not repeated.
func (j jobView) Note() string {
	if j.FailedStep > 0 {
		return ""
	}
	return j.Reason
}

// SkipReason says why a step did not run.
func (s stepView) SkipReason() string {
	if s.Status == store.Skipped {
		return s.Reason
	}
	return ""
}

// ExitMark is the exit code where it says something. Of a service that was
// stopped with the job it says nothing.
func (s stepView) ExitMark() string {
	if s.Exited && s.ExitCode != 0 && s.Status != store.Success {
		return fmt.Sprintf("exit %d", s.ExitCode)
	}
	return ""
}

func (p *buildPage) Path() string     { return buildPath(p.Repo, p.Build.Number) }
func (p *buildPage) RepoPath() string { return repoPath(p.Repo) }

// Reason says why the build is as it is, unless another part of the page says it
// better: the digest, the problems of the files, or the question for an approval.
func (p *buildPage) Reason() string {
	if p.Digest != nil || len(p.Errors()) > 0 || p.NeedsApproval() {
		return ""
	}
	if p.Why != p.Build.Reason {
		return p.Why // begins with the name of a step
	}
	return sentence(p.Why)
}

// Outcome says how the selected step ended, unless its digest does, or why its
// workflow did not run.
func (p *buildPage) Outcome() string {
	outcome := p.Step.Outcome()
	switch {
	case p.Digest != nil && p.Digest.Title == outcome:
		return ""
	case outcome == "" && p.Job.Status == store.Skipped:
		return p.Job.Reason
	default:
		return outcome
	}
}

// Subject is the first line of the commit message, Body the lines after it.
func (p *buildPage) Subject() string { return firstLine(p.Build.Message) }
func (p *buildPage) Body() string {
	_, body, _ := strings.Cut(strings.TrimSpace(p.Build.Message), "\n")
	return strings.TrimSpace(body)
}

// CommitURL, PullURL and ParentPath are addresses of what the build is of.
func (p *buildPage) CommitURL() string { return p.Repo.HTMLURL + "/commit/" + p.Build.SHA }
func (p *buildPage) PullURL() string {
	return fmt.Sprintf("%s/pull/%d", p.Repo.HTMLURL, p.Build.Pull.Number)
}
func (p *buildPage) ParentPath() string { return buildPath(p.Repo, p.Build.Parent) }

// Ended and NeedsApproval say what can be done with the build.
func (p *buildPage) Ended() bool { return p.Build.Status.Final() }
func (p *buildPage) NeedsApproval() bool {
	return p.Build.NeedsApproval && p.Build.Status == store.Blocked
}

// Errors and Warnings are the problems of the pipeline files.
func (p *buildPage) Errors() []problemView   { return p.problems(false) }
func (p *buildPage) Warnings() []problemView { return p.problems(true) }

func (p *buildPage) problems(warnings bool) (out []problemView) {
	for _, pr := range p.Problems {
		if pr.Warning == warnings {
			out = append(out, problemView{pr})
		}
	}
	return out
}

// problemView is a problem as the page shows it.
type problemView struct{ pipeline.Problem }

// Place is "file:line:column".
func (pr problemView) Place() string {
	if pr.Line == 0 {
		return pr.File
	}
	return fmt.Sprintf("%s:%d:%d", pr.File, pr.Line, pr.Column)
}

// Blanks are what puts a caret under the problem's column. Tabs stay tabs, so
// that it stands right at any width of them.
func (pr problemView) Blanks() string {
	var b strings.Builder
	for i, r := range []rune(pr.Text) {
		switch {
		case i >= pr.Column-1:
			return b.String()
		case r == '\t':
			b.WriteRune('\t')
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// Unsent reports whether GitHub lacks one of the statuses.
func (p *buildPage) Unsent() bool {
	for _, s := range p.Statuses {
		if !s.Delivered() {
			return true
		}
	}
	return false
}

func (p *buildPage) fullTitle() string {
	return fmt.Sprintf("%s: %s #%d · %s · slipway", word(p.Build.Status), p.Repo.FullName(), p.Build.Number, p.Subject())
}

// decode fills in what is stored as JSON.
func (p *buildPage) decode() error {
	if len(p.Build.Problems) > 0 {
		if err := json.Unmarshal(p.Build.Problems, &p.Problems); err != nil {
			return fmt.Errorf("decode problems: %w", err)
		}
	}
	for i := range p.Jobs {
		j := &p.Jobs[i]
		if len(j.Job.Plan) == 0 {
			continue
		}
		if err := json.Unmarshal(j.Job.Plan, &j.Plan); err != nil {
			return fmt.Errorf("decode plan of job %d: %w", j.Number, err)
		}
	}
	return nil
}

// focus returns the step that is worth looking at: the one that failed, else
// the one that runs, else the last one that ran, else the first that may run.
func (p *buildPage) focus() (job, step int) {
	rank := 0
	better := func(j *jobView, s *stepView, r int) {
		if r >= rank {
			job, step, rank = j.Number, s.Number, r
		}
	}
	for i := range p.Jobs {
		for k := range p.Jobs[i].Steps {
			j, s := &p.Jobs[i], &p.Jobs[i].Steps[k]
			switch failed := s.Status == store.Failure || s.Status == store.Error; {
			case j.CarriedFrom != 0 && rank > 0: // it ran elsewhere
			case failed && s.Number == j.FailedStep && rank < 7:
				better(j, s, 7) // the first one that decided
			case failed && rank < 6:
				better(j, s, 6)
			case s.Status == store.Running && !s.Service() && rank < 5:
				better(j, s, 5)
			case !s.StartedAt.IsZero() && !s.Service():
				better(j, s, 4)
			case !s.StartedAt.IsZero():
				better(j, s, 3)
			case s.Status != store.Skipped && rank < 2:
				better(j, s, 2)
			case rank == 0:
				better(j, s, 1)
			}
		}
	}
	return job, step
}

// find selects a step, if there is such a one.
func (p *buildPage) find(job, step int) {
	p.Job, p.Step = nil, nil
	for i := range p.Jobs {
		for k := range p.Jobs[i].Steps {
			j, s := &p.Jobs[i], &p.Jobs[i].Steps[k]
			s.Selected = j.Number == job && s.Number == step
			if s.Selected {
				p.Job, p.Step = j, s
			}
		}
	}
}
