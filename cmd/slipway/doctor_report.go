package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"charm.land/lipgloss/v2"
)

// doctorReport prints findings as they come: a table on a terminal, a line each
// elsewhere, or all of them as JSON at the end.
type doctorReport struct {
	out      io.Writer
	progress io.Writer // a terminal, or nil
	format   string
	table    bool
	drawn    bool // the last line of progress is what is waited for
	all      findings
}

func newDoctorReport(o output, format string) *doctorReport {
	r := &doctorReport{out: o.out, format: format, table: format == "text" && isTerminal(o.out)}
	if isTerminal(o.err) {
		r.progress = o.err
	}
	return r
}

func (r *doctorReport) found(f findings) {
	r.erase()
	r.all = append(r.all, f...)
	switch {
	case r.format == "json":
	case r.table:
		for i, one := range f {
			r.row(one, i == 0)
		}
	default:
		for _, one := range f {
			fmt.Fprintln(r.out, one.line())
		}
	}
}

// line is the finding for whoever reads by lines.
func (f finding) line() string {
	line := fmt.Sprintf("%s: %s: %s", f.Level, f.Check, f.Finding)
	if f.Remedy != "" {
		line += "; " + f.Remedy
	}
	return line
}

const (
	levelWidth   = 9
	nameWidth    = 16
	findingWidth = 80 - levelWidth - nameWidth // for terminals of the usual width
)

var levelStyles = map[level]lipgloss.Style{levelOK: green, levelWarning: amber, levelMend: red}

// row prints a finding of the table, with the check's name if it is its first.
func (r *doctorReport) row(f finding, first bool) {
	name := f.Check
	if !first {
		name = ""
	}
	text := wrap(f.Finding, findingWidth)
	if f.Remedy != "" {
		text += "\n" + indent(wrap(f.Remedy, findingWidth-2), "→ ", "  ")
	}
	head := levelStyles[f.Level].Render(fmt.Sprintf("%-*s", levelWidth, f.Level)) + bold.Render(fmt.Sprintf("%-*s", nameWidth, name))
	_, _ = lipgloss.Fprintln(r.out, head+indent(text, "", strings.Repeat(" ", levelWidth+nameWidth))) // a closed terminal ends the program by a signal
}

// wrap breaks text at blanks only, since names and commands have hyphens.
func wrap(text string, width int) string {
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case column == 0:
		case column+1+n > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}

// indent puts first before the first line of text and then before the others.
func indent(text, first, then string) string {
	return first + strings.ReplaceAll(text, "\n", "\n"+then)
}

func (r *doctorReport) waiting(names []string) {
	if r.progress == nil {
		return
	}
	r.erase()
	text := strings.Join(names[:min(3, len(names))], ", ") // what fits a line, which erase can erase
	if more := len(names) - 3; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	_, _ = lipgloss.Fprint(r.progress, dim.Render("looking at "+text))
	r.drawn = true
}

func (r *doctorReport) erase() {
	if r.drawn {
		_, _ = io.WriteString(r.progress, "\r\x1b[K")
		r.drawn = false
	}
}

// end prints the sum, and returns the exit code as an error if something is to
// be mended.
func (r *doctorReport) end() error {
	count := map[level]int{}
	for _, f := range r.all {
		count[f.Level]++
	}
	switch {
	case r.format == "json":
		e := json.NewEncoder(r.out)
		e.SetIndent("", "  ")
		if err := e.Encode(struct {
			Findings findings `json:"findings"`
		}{r.all}); err != nil {
			return err
		}
	case r.table:
		_, _ = lipgloss.Fprintln(r.out, "\n"+bold.Render(summary(count)))
	default:
		fmt.Fprintln(r.out, summary(count))
	}
	if count[levelMend] > 0 {
		return exitCode(1)
	}
	return nil
}

func summary(count map[level]int) string {
	mend, warnings := "nothing is to be mended", "no warnings"
	if n := count[levelMend]; n > 0 {
		mend = fmt.Sprintf("%d to mend", n)
	}
	if n := count[levelWarning]; n > 0 {
		warnings = fmt.Sprintf("warnings: %d", n)
	}
	return mend + ", " + warnings
}
