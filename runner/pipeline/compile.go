package pipeline

import (
	"fmt"
	"sort"
)

// Config is a set of pipeline files whose YAML was read. It may be planned for
// any number of events, also concurrently.
type Config struct{ docs []*document }

// Compile reads pipeline files and plans what the event of f makes of them.
// The error, if any, is of type Problems and has all that is wrong in one
// pass; warnings end in Plan.Warnings.
func Compile(files []File, f Facts) (*Plan, error) {
	c, broken := parse(files)
	plan, problems := c.plan(f)
	problems = sorted(append(broken, problems...), files)
	return finish(plan, problems)
}

// Parse reads the YAML of pipeline files. The error, if any, is of type
// Problems. What the keys mean is checked by Plan.
func Parse(files []File) (*Config, error) {
	c, problems := parse(files)
	if len(problems) > 0 {
		return nil, sorted(problems, files)
	}
	return c, nil
}

// Plan plans what the event of f makes of the files. The error, if any, is of
// type Problems; warnings end in Plan.Warnings.
func (c *Config) Plan(f Facts) (*Plan, error) {
	plan, problems := c.plan(f)
	return finish(plan, problems)
}

func parse(files []File) (*Config, Problems) {
	c := &Config{}
	var problems Problems
	total := 0
	for i, f := range files {
		doc := newDocument(File{Path: f.Path})
		c.docs = append(c.docs, doc)
		switch total += len(f.Data); {
		case i >= MaxFiles:
			problems = append(problems, doc.problem(0, 0, fmt.Sprintf("is one of more than %d pipeline files", MaxFiles), "merge some of them"))
			return c, problems
		case len(f.Data) > MaxFileBytes:
			problems = append(problems, tooLarge(f.Path))
			continue
		case total > MaxTotalBytes:
			problems = append(problems, doc.problem(0, 0, fmt.Sprintf("makes the pipeline files larger than %d KiB together", MaxTotalBytes>>10),
				"move long scripts into files of their own and call them"))
			return c, problems
		}
		*doc = *newDocument(f)
		more, ps := doc.read(f.Data)
		c.docs = append(c.docs, more...)
		problems = append(problems, ps...)
	}
	return c, problems
}

func (c *Config) plan(f Facts) (*Plan, Problems) {
	plan := &Plan{}
	shared := factVariables(f)
	var problems Problems
	var jobs []*workflow
	var budget *decoder
	for _, doc := range c.docs {
		if n := len(plan.Files); n == 0 || plan.Files[n-1] != doc.path {
			plan.Files = append(plan.Files, doc.path)
			budget = nil // the documents of a file share one
		}
		budget = newBudget(doc, &f, budget)
		more := newWorkflows(budget, f, shared)
		if len(jobs)+len(more) > maxJobs {
			problems = append(problems, doc.problem(0, 0, fmt.Sprintf("makes the jobs of the build more than %d", maxJobs), "make a matrix smaller"))
			break
		}
		for _, w := range more {
			jobs = append(jobs, w)
			w.vars.setNumber("CI_WORKFLOW_NUMBER", int64(len(jobs)))
			if doc.root != nil {
				w.build()
			}
		}
	}
	// Which workflows there are is known only now.
	checkWorkflows(jobs)
	for _, w := range jobs {
		plan.Workflows = append(plan.Workflows, w.planned)
	}
	return plan, append(problems, allProblems(jobs)...)
}

// newBudget returns a decoder for a document with nothing spent yet, or with
// what is left of that of another.
func newBudget(doc *document, f *Facts, of *decoder) *decoder {
	b := newDecoder(doc, newSubstituter(nil, doc.dialect), f)
	if of != nil {
		b.work, b.vars.spent = of.work, of.vars.spent
	}
	return b
}

// allProblems returns the problems of the jobs, file by file. The jobs of a
// matrix have most of theirs in common, which are told once. Errors and
// warnings are counted apart, so that no number of warnings hides an error.
func allProblems(jobs []*workflow) Problems {
	var out Problems
	for len(jobs) > 0 {
		n := 1 // jobs of the same file
		for n < len(jobs) && jobs[n].doc.path == jobs[0].doc.path {
			n++
		}
		out = append(out, inFileOrder(fileProblems(jobs[:n]))...)
		jobs = jobs[n:]
	}
	return out
}

// fileProblems returns the problems of the jobs of one file, as far as they are
// told, and where the first one stands that is not.
func fileProblems(jobs []*workflow) Problems {
	seen, told := map[Problem]bool{}, map[bool]int{}
	var ps Problems
	for _, w := range jobs {
		for _, p := range w.decoder.problems {
			if seen[p] || told[p.Warning] > maxProblems {
				continue
			}
			seen[p] = true
			if told[p.Warning]++; told[p.Warning] > maxProblems {
				p.Message, p.Fix = fmt.Sprintf("there are more problems than the %d that are told, from here on", maxProblems), "mend those first"
			}
			ps = append(ps, p)
		}
	}
	if doc := jobs[0].doc; doc.root != nil && jobs[0].decoder.spent() && !hasErrors(ps) {
		ps = append(ps, doc.exhausted(doc.root))
	}
	return ps
}

func hasErrors(ps Problems) bool {
	for _, p := range ps {
		if !p.Warning {
			return true
		}
	}
	return false
}

// finish splits warnings from errors.
func finish(plan *Plan, problems Problems) (*Plan, error) {
	var errs, warnings Problems
	for _, p := range problems {
		if p.Warning {
			warnings = append(warnings, p)
		} else {
			errs = append(errs, p)
		}
	}
	if len(errs) > 0 {
		return nil, errs
	}
	plan.Warnings = warnings
	return plan, nil
}

// inFileOrder sorts the problems of one file by their places.
func inFileOrder(ps Problems) Problems {
	sort.SliceStable(ps, func(i, j int) bool {
		if ps[i].Line != ps[j].Line {
			return ps[i].Line < ps[j].Line
		}
		return ps[i].Column < ps[j].Column
	})
	return ps
}

// sorted brings problems into the order of their files.
func sorted(ps Problems, files []File) Problems {
	order := make(map[string]int, len(files))
	for i, f := range files {
		order[f.Path] = i
	}
	sort.SliceStable(ps, func(i, j int) bool { return order[ps[i].File] < order[ps[j].File] })
	return ps
}
