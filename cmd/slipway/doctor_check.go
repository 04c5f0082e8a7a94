package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"
)

// level is how bad a finding is.
type level string

const (
	levelOK      level = "ok"
	levelWarning level = "warning"
	levelMend    level = "mend"
)

// finding is what a check says of one thing.
type finding struct {
	Check   string `json:"check"`
	Level   level  `json:"level"`
	Finding string `json:"finding"`
	Remedy  string `json:"remedy,omitempty"`
}

// findings are those of one check, which its name is put on later.
type findings []finding

func (f *findings) ok(text string) { *f = append(*f, finding{Level: levelOK, Finding: text}) }
func (f *findings) warn(text, remedy string) {
	*f = append(*f, finding{Level: levelWarning, Finding: text, Remedy: remedy})
}

func (f *findings) mend(text, remedy string) {
	*f = append(*f, finding{Level: levelMend, Finding: text, Remedy: remedy})
}

// adviceRE finds what to do in an error for people, which says it last.
var adviceRE = regexp.MustCompile(`^(.*?)[:;] ((?:set|unset|it must be|mend|add|check|install|start) .*)$`)

// wrong adds an error for people, with its own remedy or else another.
func (f *findings) wrong(err error, otherwise string) {
	text, remedy := err.Error(), otherwise
	if m := adviceRE.FindStringSubmatch(text); m != nil {
		text, remedy = m[1], m[2]
	}
	f.mend(text, remedy)
}

// orOK returns f, or what is well if there is nothing else to say.
func (f findings) orOK(text string) findings {
	if len(f) == 0 {
		f.ok(text)
	}
	return f
}

// check looks at one thing.
type check struct {
	name    string
	timeout time.Duration
	run     func(context.Context) findings
}

// examine runs the check for at most its timeout. A check that is stuck in a
// system call, as one of a file system that does not answer, is left behind: it
// can be neither ended nor waited for, and the program ends soon.
func (c check) examine(ctx context.Context) findings {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	done := make(chan findings, 1)
	go func() { done <- c.run(ctx) }()
	var found findings
	select {
	case found = <-done:
	case <-ctx.Done():
	}
	// What a check says that ran out of time is how it failed, not what it found.
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		found = nil
		found.mend(fmt.Sprintf("no answer within %s", c.timeout), "see whether what is asked here hangs or is overloaded, and ask again")
	}
	for i := range found {
		found[i].Check = c.name
	}
	return found
}

// reporter hears of checks, on one goroutine.
type reporter interface {
	found(findings)
	// waiting is called every second while checks run, with their names.
	waiting([]string)
}

// runChecks runs checks at once and reports them in their order. It returns
// when all have been reported, or when ctx ends.
func runChecks(ctx context.Context, checks []check, to reporter) {
	results := make([]chan findings, len(checks))
	for i, c := range checks {
		results[i] = make(chan findings, 1)
		go func() { results[i] <- c.examine(ctx) }()
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for i := range checks {
		for reported := false; !reported; {
			select {
			case found := <-results[i]:
				to.found(found)
				reported = true
			case <-tick.C:
				to.waiting(pending(checks[i:], results[i:]))
			}
		}
	}
}

// pending are the names of the checks without a result.
func pending(checks []check, results []chan findings) (names []string) {
	for i, c := range checks {
		if len(results[i]) == 0 {
			names = append(names, c.name)
		}
	}
	return names
}
