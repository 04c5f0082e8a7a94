package webui

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/store"
)

// pipelineView is the pipeline as it was used: its files, and what was planned
// from them. Where a secret is used there is its name; no plan has its value.
type pipelineView struct {
	Files []fileView
}

// fileView is a pipeline file with what is wrong in it.
type fileView struct {
	Path  string
	Lines []lineView
	// Problems are those of the file as a whole.
	Problems []problemView
}

// lineView is a line of a file.
type lineView struct {
	N        int
	Text     string
	Problems []problemView
}

func newPipelineView(p *buildPage, files []store.PipelineFile) *pipelineView {
	v := &pipelineView{}
	for _, f := range files {
		v.Files = append(v.Files, newFileView(f, p.Problems))
	}
	return v
}

func newFileView(f store.PipelineFile, problems pipeline.Problems) fileView {
	v := fileView{Path: f.Path}
	text := strings.ToValidUTF8(string(f.Text), "\uFFFD")
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		v.Lines = append(v.Lines, lineView{N: i + 1, Text: strings.TrimSuffix(line, "\r")})
	}
	for _, pr := range problems {
		switch {
		case pr.File != f.Path:
		case pr.Line < 1 || pr.Line > len(v.Lines):
			v.Problems = append(v.Problems, problemView{pr})
		default:
			l := &v.Lines[pr.Line-1]
			l.Problems = append(l.Problems, problemView{pr})
		}
	}
	return v
}

// A fact is a line of what was planned.
type fact struct {
	Key, Value string
	Code       bool
}

// PlanFacts are what was planned of the workflow beside its steps.
func (j *jobView) PlanFacts() (out []fact) {
	w := &j.Plan
	add := func(key, value string) {
		if value != "" {
			out = append(out, fact{Key: key, Value: value})
		}
	}
	add("file", w.File)
	add("after", strings.Join(w.DependsOn, ", "))
	add("runs on", outcomes(w.OnSuccess, w.OnFailure))
	add("matrix", pairs(w.Matrix))
	add("labels", pairs(w.Labels))
	if c := w.Concurrency; c != nil {
		add("concurrency", "at most "+count(c.Limit, "job")+" of the group "+c.Group)
	}
	if w.Clone.Skip {
		add("source", "not checked out")
	}
	add("workspace", w.Workspace.Dir())
	return out
}

// PlanSteps are the services and steps as they were planned.
func (j *jobView) PlanSteps() []plannedStep {
	out := make([]plannedStep, 0, len(j.Plan.Services)+len(j.Plan.Steps))
	for i := range j.Plan.Services {
		out = append(out, plannedStep{&j.Plan.Services[i]})
	}
	for i := range j.Plan.Steps {
		out = append(out, plannedStep{&j.Plan.Steps[i]})
	}
	return out
}

// plannedStep is a step as it was planned.
type plannedStep struct{ *pipeline.Step }

// Facts are what was planned of the step, save what it runs.
func (s plannedStep) Facts() (out []fact) {
	add := func(key, value string, code bool) {
		if value != "" {
			out = append(out, fact{key, value, code})
		}
	}
	add("kind", string(s.Kind), false)
	add("after", strings.Join(s.DependsOn, ", "), false)
	add("uses", strings.Join(s.Services, ", "), false)
	if s.Kind != pipeline.KindService {
		add("runs on", outcomes(s.OnSuccess, s.OnFailure), false)
	}
	add("pull", string(s.Pull), false)
	add("entrypoint", strings.Join(s.Entrypoint, " "), true)
	add("arguments", strings.Join(s.Args, " "), true)
	add("directory", s.Directory, true)
	add("user", s.User, true)
	if s.Failure != "" && s.Failure != pipeline.FailureFail {
		add("failure", string(s.Failure), false)
	}
	if s.Timeout > 0 {
		add("timeout", s.Timeout.Round(time.Second).String(), false)
	}
	if s.Retry != nil {
		add("retry", "up to "+count(s.Retry.Attempts, "attempt"), false)
	}
	add("trust", strings.Join(trustUses(s.Step), ", "), false)
	return out
}

// Variables are the step's own environment, by name. A secret shows its name.
func (s plannedStep) Variables() (out []fact) {
	for name, value := range s.Environment {
		out = append(out, fact{name, value, true})
	}
	for name, secret := range s.Secrets {
		out = append(out, fact{Key: name, Value: "from the secret " + secret})
	}
	for name := range s.Templates {
		out = append(out, fact{Key: name, Value: "made with secrets"})
	}
	slices.SortFunc(out, func(a, b fact) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

// outcomes says after which outcome something runs, unless it is the usual one.
func outcomes(success, failure bool) string {
	switch {
	case success && failure:
		return "success and failure"
	case failure:
		return "failure"
	default:
		return ""
	}
}

func pairs(m map[string]string) string {
	out := make([]string, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+": "+m[k])
	}
	return strings.Join(out, ", ")
}

// trustUses names what of a step needs the trust of an admin.
func trustUses(s *pipeline.Step) (out []string) {
	add := func(uses bool, what string) {
		if uses {
			out = append(out, what)
		}
	}
	add(s.Privileged, "privileged: all of the machine (security)")
	add(len(s.Devices) > 0, "devices of the machine (security)")
	add(machineMounts(s), "folders, volumes or memory of the machine (volumes)")
	add(len(s.Tmpfs) > 0, "tmpfs (volumes)")
	add(len(s.DNS)+len(s.DNSSearch) > 0, "DNS servers of its own (network)")
	add(len(s.ExtraHosts) > 0, "extra hosts (network)")
	add(s.NetworkMode != "" && s.NetworkMode != "none", "network "+s.NetworkMode+" (network)")
	return out
}

// machineMounts reports whether a mount is more than a volume that goes with the
// job.
func machineMounts(s *pipeline.Step) bool {
	return slices.ContainsFunc(s.Volumes, func(m pipeline.Mount) bool { return m.Kind != pipeline.MountTemp || m.Memory })
}
