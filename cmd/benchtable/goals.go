package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// A goal is a figure that the README shows.
type goal struct {
	benchmark, metric string
	is                string // what it is
	want              string // what it is to be, – if nothing was promised
	unit              string // of the figure, after it
}

// comparisons are metrics that say how to read those of goals, by the benchmark.
var comparisons = map[string]struct{ metric, is string }{
	"EightAtOnce/Cold": {"engine/eight-docker-runs", "the engine alone, for such containers"},
	"WebhookPaced":     {"fsync-p99-ms", "an append with fsync at that rate"},
}

// goals are those of the README's table, in its order.
var goals = []goal{
	{"Push", "first-output/docker-run", "push → first output of the first command, git fetch included", "≤ 0.8", " × `docker run`"},
	{"Push", "verdict/docker-run", "push → final status of a build of one step", "≤ 1.0", " × `docker run`"},
	{"TenSteps", "verdict/ten-docker-runs", "ten `true` steps, one after the other", "≤ 0.35", " × ten `docker run`"},
	{"TenSleeps", "over/docker-run", "ten steps of `sleep 1`: what they take beyond 10 s", "≤ 1.0", " × `docker run`"},
	{"EightAtOnce/Ready", "verdict/eight-docker-runs", "eight `sleep 1` steps at once, sandboxes ready", "≤ 0.9", " × eight `docker run` at once"},
	{"EightAtOnce/Cold", "verdict/eight-docker-runs", "the same, nothing ready", "≤ 1.3", " × eight `docker run` at once"},
	{"MillionLines", "verdict/docker-run", "1,000,000 lines of 100 bytes, all of them stored", "≤ 1.25", " × `docker run … > file`"},
	{"BigSource", "first-output/clone-and-run", "one more commit of 10,000 to a tree of 200 MB → first output", "–", " × shallow clone and `docker run`"},
	{"Memory", "idle-MB", "the server's memory (RSS), idle", "≤ 40", " MB"},
	{"Memory", "writing-MB", "the most while it stores those lines", "< 150", " MB"},
	{"Memory", "reading-MB", "the most while somebody reads them all", "< 150", " MB"},
	{"Webhook/connections=16", "ack-rate/fsync-rate", "webhooks acknowledged, each durable, over 16 connections", "≥ 0.5", " × appends with fsync"},
	{"WebhookPaced", "ack-p99-ms", "99 of 100 webhooks, at 200/s, are acknowledged within", "< 10", " ms"},
}

const (
	tableBegin = "<!-- measured: written by `make speed` -->\n"
	tableEnd   = "<!-- end of measured -->\n"
)

// markdown is the table of the goals that were measured, with the machine.
func (t *table) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on %d cores (%s); figures beside `docker run` are ratios of the\nsame run, medians of seven rounds. One `docker run --rm` of `true` took %s ms.\n\n", t.cores, t.cpu, rounded(t.measured["Push docker-run-ms"]))
	b.WriteString("| | measured | goal |\n|---|---|---|\n")
	for _, g := range goals {
		if v := t.measured[g.benchmark+" "+g.metric]; v != "" {
			beside := ""
			c := comparisons[g.benchmark]
			if w := t.measured[g.benchmark+" "+c.metric]; w != "" {
				beside = fmt.Sprintf(" (%s: %s%s)", c.is, rounded(w), g.unit)
			}
			fmt.Fprintf(&b, "| %s | %s%s%s | %s |\n", g.is, rounded(v), g.unit, beside, g.want)
		}
	}
	return b.String()
}

// rounded is a figure of a benchmark, with as many digits as say something.
func rounded(v string) string {
	f, err := strconv.ParseFloat(v, 64)
	switch {
	case err != nil:
		return v
	case f < 10:
		return strconv.FormatFloat(f, 'f', 2, 64)
	default:
		return strconv.FormatFloat(f, 'f', 0, 64)
	}
}

// write puts the goals' table into a file, between its marks.
func (t *table) write(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := bytes.Cut(text, []byte(tableBegin))
	_, after, closed := bytes.Cut(rest, []byte(tableEnd))
	if !found || !closed {
		return fmt.Errorf("%s has no place for the table: want the lines %q and %q", path, strings.TrimSpace(tableBegin), strings.TrimSpace(tableEnd))
	}
	return os.WriteFile(path, []byte(string(before)+tableBegin+t.markdown()+tableEnd+string(after)), 0o644)
}
