package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/slipway-ci/slipway/runner/pipeline"
)

type lintCmd struct {
	Files  []string   `arg:"" optional:"" help:"Pipeline files (default: those of the current directory)."`
	Format string     `default:"text" enum:"text,json,github" help:"text, json, or github: workflow commands that GitHub shows as annotations."`
	Event  eventFlags `embed:""`
	Trust  []string   `enum:"security,volumes,network" help:"What an admin trusts the repository with: security, volumes, network."`
	Quiet  bool       `short:"q" help:"Print problems only, not what would run."`
}

// Help is shown below the flags.
func (lintCmd) Help() string {
	return `It prints every problem with its place and a fix, and what the event would run
and why. The exit code is 1 if something is wrong; warnings do not count.`
}

// Run checks pipeline files.
func (c *lintCmd) Run(ctx context.Context, o output) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	files, err := findFiles(dir, c.Files)
	var problems pipeline.Problems
	if err != nil && !errors.As(err, &problems) {
		return err
	}
	var plan *pipeline.Plan
	if err == nil {
		facts, err := c.Event.facts(ctx, dir)
		if err != nil {
			return err
		}
		facts.AnySecret, facts.Repo.Trust = true, trust(c.Trust)
		plan, err = pipeline.Compile(files, facts)
		if err != nil && !errors.As(err, &problems) {
			return err
		}
	}
	failed := len(problems) > 0
	if plan != nil {
		problems = plan.Warnings
	}
	if err := c.print(o.out, problems, plan); err != nil {
		return err
	}
	if failed {
		return exitCode(1)
	}
	return nil
}

func trust(names []string) pipeline.Trust {
	return pipeline.Trust{
		Security: slices.Contains(names, "security"),
		Volumes:  slices.Contains(names, "volumes"),
		Network:  slices.Contains(names, "network"),
	}
}

func (c *lintCmd) print(w io.Writer, problems pipeline.Problems, plan *pipeline.Plan) error {
	switch c.Format {
	case "json":
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			Problems pipeline.Problems `json:"problems"`
			Plan     *pipeline.Plan    `json:"plan,omitempty"`
		}{append(pipeline.Problems{}, problems...), plan})
	case "github":
		return printAnnotations(w, problems)
	}
	for _, p := range problems {
		printProblem(w, p)
	}
	if plan != nil && !c.Quiet {
		printPlan(w, plan)
	}
	return nil
}

// printProblem prints a problem with the line that it is in and a caret.
func printProblem(w io.Writer, p pipeline.Problem) {
	kind := red.Render("error")
	if p.Warning {
		kind = amber.Render("warning")
	}
	place := p.File
	if p.Line > 0 {
		place = fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	}
	text := bold.Render(place) + " " + kind + ": " + p.Message + "\n"
	text += p.Snippet()
	if p.Fix != "" {
		text += "        " + p.Fix + "\n"
	}
	_, _ = lipgloss.Fprint(w, text) // a closed pipe ends the program by a signal
}

// printPlan prints what would run, and why the rest would not.
func printPlan(w io.Writer, plan *pipeline.Plan) {
	for _, wf := range plan.Workflows {
		printPlanned(w, 0, "workflow "+wf.Name, wf.Skip, wf.Why)
		if wf.Skip != "" {
			continue
		}
		for _, s := range wf.Services {
			printPlanned(w, 1, "service "+s.Name, s.Skip, s.Why)
		}
		for _, s := range wf.Steps {
			needs := ""
			if len(s.DependsOn) > 0 {
				needs = dim.Render(" after " + strings.Join(s.DependsOn, ", "))
			}
			printPlanned(w, 1, "step "+s.Name+needs, s.Skip, s.Why)
		}
	}
}

func printPlanned(w io.Writer, depth int, what, skip string, why []pipeline.Condition) {
	in := strings.Repeat("  ", depth)
	mark := green.Render("runs ")
	if skip != "" {
		mark, what = amber.Render("skip "), what+dim.Render("  "+skip)
	}
	_, _ = lipgloss.Fprintln(w, in+mark+" "+what)
	for _, c := range why {
		holds := green.Render("yes")
		if !c.Result {
			holds = red.Render("no ")
		}
		_, _ = lipgloss.Fprintln(w, in+"        "+holds+" "+dim.Render(fmt.Sprintf("%s is %q, wants %s", c.Key, c.Got, strings.Join(c.Want, ", "))))
	}
}

// printAnnotations prints problems as GitHub workflow commands.
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
func printAnnotations(w io.Writer, problems pipeline.Problems) error {
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	message := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	for _, p := range problems {
		kind := "error"
		if p.Warning {
			kind = "warning"
		}
		text := p.Message
		if p.Fix != "" {
			text += "\n" + p.Fix
		}
		place := "file=" + property.Replace(p.File)
		if p.Line > 0 {
			place += fmt.Sprintf(",line=%d,col=%d", p.Line, p.Column)
		}
		if _, err := fmt.Fprintf(w, "::%s %s::%s\n", kind, place, message.Replace(text)); err != nil {
			return err
		}
	}
	return nil
}
