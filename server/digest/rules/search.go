package rules

import (
	"bytes"
	"strings"

	"github.com/slipway-ci/slipway/store/logs"
)

// A Search looks for the row of a log that says why its step failed. The zero
// value is ready; it is given all rows in their order.
type Search struct {
	best rank
	rule *rule
	at   int64

	start   int64 // row of the command that runs, 0 for none
	command []byte
	last    int64  // last row with text; of slipway's own words only if there is no other
	said    bool   // last is of the step's output
	above   []byte // the row before, as far as a rule may look at it
	tries   int    // rows that looked like an error
}

// quits are commands that only end the step.
var quits = lazy(`^\s*(?:exit\b|false\s*$|return\b)`)

const (
	maxCommand = 1 << 10 // bytes kept of a command
	maxAbove   = 256     // and of the row before

	// maxTries bounds how many rows of a command's output that look like an error
	// are compared with the rules: a program that writes such rows by the million
	// would take seconds.
	maxTries = 100_000
)

// Add looks at rows.
func (s *Search) Add(rows []logs.Line) {
	for i := range rows {
		switch l := &rows[i]; {
		case l.Open:
		case l.Kind == logs.Command:
			s.begin(l)
		case l.Kind == logs.More:
			if len(s.command) < maxCommand {
				s.command = append(append(s.command, '\n'), l.Text...)
			}
		default:
			s.look(l)
		}
	}
}

// begin forgets what was found before a command, unless all that one does is to
// end the step for it.
func (s *Search) begin(l *logs.Line) {
	if s.rule != nil && quits.Match(l.Text) {
		return
	}
	*s = Search{start: l.N, command: bytes.Clone(l.Text[:min(len(l.Text), maxCommand)]), last: l.N}
}

func (s *Search) look(l *logs.Line) {
	text := rowText(l.Text)
	if len(text) == 0 {
		return
	}
	if l.Kind == logs.Notice {
		if !s.said && s.start == 0 {
			s.last = l.N
		}
		return
	}
	if len(bytes.TrimSpace(text)) > 0 {
		s.last, s.said = l.N, true
	}
	if s.best == exact {
		return
	}
	s.try(l.N, text)
	s.above = append(s.above[:0], text[:min(len(text), maxAbove)]...)
}

// try looks for a rule that fits a row and is better than what was found.
func (s *Search) try(n int64, text []byte) {
	b := book()
	hits := b.needles.scan(text)
	if hits.empty() || s.tries == maxTries {
		return
	}
	s.tries++
	clean, cleaned := "", false
	for i := range b.rules {
		r := &b.rules[i]
		if r.rank < s.best || r.rank == s.best && !r.rank.last() {
			return // no rule after this one is better
		}
		if !r.mask.overlaps(hits) {
			continue
		}
		if !cleaned {
			clean, cleaned = Clean(text), true
		}
		if r.fits(clean, s.above) {
			s.best, s.rule, s.at = r.rank, r, n
			return
		}
	}
}

// Command returns the command that failed, "" if the step has none.
func (s *Search) Command() string {
	return strings.TrimSpace(strings.ToValidUTF8(string(s.command), "\uFFFD"))
}

// Found reports whether a rule fitted a row. Without one, the last row that has
// text is the place.
func (s *Search) Found() bool { return s.rule != nil }

// What Explain needs around the place.
const (
	rowsBefore = 200 // with -v a test prints between what it says and its name
	rowsAfter  = 60
	lastRows   = 8 // that matter where no rule fits
)

// Window returns the rows that Explain is to be given: n from that one on. n is
// 0 if the log has no rows.
func (s *Search) Window() (from, n int64) {
	at := s.place()
	if at == 0 {
		return 0, 0
	}
	from = max(1, at-rowsBefore, s.start)
	return from, at - from + 1 + rowsAfter
}

// place is the row around which it is.
func (s *Search) place() int64 {
	if s.rule != nil {
		return s.at
	}
	return s.last
}
