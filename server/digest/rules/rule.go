package rules

import (
	"slices"
	"sync"
)

// A rank says how well a row tells why the step failed.
type rank int

const (
	nothing rank = iota
	errno        // what the system said to some tool: the last one counts
	word         // a line that begins with "error:": the first one
	tool         // the closing words of a tool: the first one
	trace        // a stack trace, or a shell's complaint: the last one
	exact        // an error with its place, or a test that failed: the first one
)

// last reports whether the last row of this rank counts and not the first.
func (r rank) last() bool { return r == errno || r == trace }

// A rule knows the errors of one tool.
type rule struct {
	rank rank
	// needles are in lower case. One of them is in every row that the rule fits,
	// in any case and without a change of colour within it.
	needles []string
	// line fits the row's text without colours and timestamps. Its last group,
	// if any, is the title.
	line *expression
	// above fits the row before as well; nil for any.
	above *expression
	// not are rows that the rule does not fit although line does; nil for none.
	not *expression
	// refine returns the row to show for the one that fits; nil for that one.
	refine func(w *window, at int) int
	// title returns the title; nil for what line says. at is the row to show.
	title func(w *window, at int) string
	// before and after are how many rows around the one to show matter. A blank
	// row ends them, unless long is set.
	before, after int
	long          bool

	mask wordSet // of needles
}

// fits reports whether the rule fits a row's text; above is the row before.
func (r *rule) fits(text string, above []byte) bool {
	return r.line.MatchString(text) && (r.not == nil || !r.not.MatchString(text)) &&
		(r.above == nil || r.above.MatchString(Clean(above)))
}

// words returns the title that line has for a text.
func (r *rule) words(text string) string {
	m := r.line.FindStringSubmatch(text)
	if len(m) < 2 {
		return text
	}
	return m[len(m)-1]
}

// A rulebook is all rules, the best first, and what finds those that are worth
// trying on a row.
type rulebook struct {
	rules   []rule
	needles *automaton
}

// book is made when it is needed first, for the reason of expression.
var book = sync.OnceValue(func() *rulebook {
	return newRulebook(goRules, jsRules, pythonRules, rustRules, javaRules, cRules, dockerRules, shellRules)
})

func newRulebook(groups ...[]rule) *rulebook {
	rules := slices.Concat(groups...)
	var words []string
	for i := range rules {
		for _, n := range rules[i].needles {
			at := slices.Index(words, n)
			if at < 0 {
				if at = len(words); at == maxWords {
					panic("rules: too many needles")
				}
				words = append(words, n)
			}
			rules[i].mask.add(at)
		}
	}
	// The best first, so that a row's search is over with the first that fits.
	slices.SortStableFunc(rules, func(a, b rule) int { return int(b.rank - a.rank) })
	return &rulebook{rules: rules, needles: newAutomaton(words)}
}
