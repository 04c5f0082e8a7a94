package webui

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/slipway-ci/slipway/runner/pipeline"
)

// planGroup is what an approval lets run, as far as it is told: that of a workflow,
// or of the jobs of a matrix that differ in nothing but their images.
type planGroup struct {
	Name  string
	Jobs  []*jobView
	Steps []planGroupStep
}

// planGroupStep is a step in each of the jobs of a group.
type planGroupStep struct {
	*pipeline.Step          // the first job's
	Trust          []string // what of the repository's trust it uses
	Images         []string // all that the jobs run it in
}

// Service reports whether it is one.
func (s planGroupStep) Service() bool { return s.Kind == pipeline.KindService }

// Given is what the step's program is given beside its commands: what it runs in
// place of the image's own, and its variables, settings included.
func (s planGroupStep) Given() []string {
	var given []string
	if len(s.Entrypoint) > 0 {
		given = append(given, "entrypoint: "+strings.Join(s.Entrypoint, " "))
	}
	if len(s.Args) > 0 {
		given = append(given, "arguments: "+strings.Join(s.Args, " "))
	}
	for _, k := range slices.Sorted(maps.Keys(s.Environment)) {
		if !strings.HasPrefix(k, "CI_STEP_") {
			given = append(given, k+"="+s.Environment[k])
		}
	}
	for _, k := range slices.Sorted(maps.Keys(s.Secrets)) {
		given = append(given, k+": the secret "+s.Secrets[k])
	}
	for _, k := range slices.Sorted(maps.Keys(s.Templates)) {
		given = append(given, k+"="+string(s.Templates[k].Value))
	}
	return given
}

// does is the step without what may differ between jobs that do the same.
func (s planGroupStep) does() pipeline.Step {
	does := *s.Step
	does.Image, does.Line, does.Why = "", 0, nil
	return does
}

// PlanGroups are the plans of what has not ended yet.
func (p *buildPage) PlanGroups() (out []planGroup) {
	for i := range p.Jobs {
		j := &p.Jobs[i]
		if j.Status.Final() {
			continue
		}
		g := planGroup{Name: j.Name, Jobs: []*jobView{j}}
		for _, s := range j.PlanSteps() {
			g.Steps = append(g.Steps, planGroupStep{s.Step, trustUses(s.Step), []string{s.Image}})
		}
		same := slices.IndexFunc(out, g.same)
		if same < 0 {
			out = append(out, g)
		} else {
			out[same].join(g)
		}
	}
	return out
}

// same reports whether the jobs are of one matrix and do the same.
func (g planGroup) same(other planGroup) bool {
	return g.Jobs[0].Base != "" && g.Jobs[0].Base == other.Jobs[0].Base &&
		slices.EqualFunc(g.Steps, other.Steps, func(a, b planGroupStep) bool {
			return reflect.DeepEqual(a.does(), b.does())
		})
}

// join adds the jobs of another group that does the same.
func (g *planGroup) join(other planGroup) {
	g.Name = g.Jobs[0].Base
	g.Jobs = append(g.Jobs, other.Jobs...)
	for i := range g.Steps {
		s := &g.Steps[i]
		for _, image := range other.Steps[i].Images {
			if !slices.Contains(s.Images, image) {
				s.Images = append(s.Images, image)
			}
		}
	}
}

// Of tells of several jobs which they are: "3 jobs: GO 1.24, 1.25, 1.26".
func (g planGroup) Of() string {
	if len(g.Jobs) == 1 {
		return ""
	}
	values, key := make([]string, len(g.Jobs)), ""
	for i, j := range g.Jobs {
		values[i] = strings.TrimPrefix(j.Name, j.Base+" ") // "(1.25, pg16)"
		if len(j.Plan.Matrix) > 1 {
			continue
		}
		for k, v := range j.Plan.Matrix {
			key, values[i] = k+" ", v
		}
	}
	return count(len(g.Jobs), "job") + ": " + key + strings.Join(values, ", ")
}
