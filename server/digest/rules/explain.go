package rules

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/slipway-ci/slipway/store/logs"
)

// A Finding is why a step failed, as far as its log says it.
type Finding struct {
	// Line is the row to show, 0 if the log has none; First to Last are the few
	// rows around it that matter.
	Line, First, Last int64
	// Title is the error in one line; "" if no row says it.
	Title string
}

const (
	maxTitle = 200 // runes
	// near is how far from the row to show the one that fits may be to matter too.
	near = 8
)

// A window is the rows around a place, with their clean texts.
type window struct {
	rows  []logs.Line
	texts []string
}

// Explain says what is found, from the rows that Window names.
func (s *Search) Explain(rows []logs.Line) Finding {
	rows = slices.DeleteFunc(slices.Clone(rows), func(l logs.Line) bool { return l.Open })
	at := slices.IndexFunc(rows, func(l logs.Line) bool { return l.N == s.place() })
	if at < 0 {
		return Finding{}
	}
	w := &window{rows: rows, texts: make([]string, len(rows))}
	for i := range rows {
		w.texts[i] = Clean(rows[i].Text)
	}
	if s.rule == nil {
		return w.lastWords(at)
	}
	return w.explain(s.rule, at)
}

// lastWords is what is found where no rule fits: the last lines.
func (w *window) lastWords(at int) Finding {
	first := at
	for first > 0 && at-first+1 < lastRows && w.output(first-1) {
		first--
	}
	return w.finding(w.texts[at], at, first, at)
}

func (w *window) explain(r *rule, at int) Finding {
	shown := at
	if r.refine != nil {
		shown = r.refine(w, at)
	}
	title := r.words(w.texts[shown])
	if r.title != nil {
		title = r.title(w, shown)
	}
	first, last := shown, shown
	if min(at, shown)+near >= max(at, shown) {
		first, last = min(at, shown), max(at, shown)
	}
	for first > 0 && shown-first < r.before && w.output(first-1) && (r.long || w.texts[first-1] != "") {
		first--
	}
	for last+1 < len(w.rows) && last-shown < r.after && w.output(last+1) && (r.long || w.texts[last+1] != "") {
		last++
	}
	return w.finding(title, shown, first, last)
}

// finding trims blank rows around the shown one and the title.
func (w *window) finding(title string, shown, first, last int) Finding {
	for first < shown && w.texts[first] == "" {
		first++
	}
	for last > shown && w.texts[last] == "" {
		last--
	}
	title = strings.Join(strings.Fields(title), " ")
	if utf8.RuneCountInString(title) > maxTitle {
		title = string([]rune(title)[:maxTitle-1]) + "…"
	}
	return Finding{Line: w.rows[shown].N, First: w.rows[first].N, Last: w.rows[last].N, Title: title}
}

// output reports whether a row is of the step's output.
func (w *window) output(i int) bool { return w.rows[i].Kind == logs.Output }

// after returns the first row behind at, within n rows, that a test holds for;
// -1 if there is none. A command's row ends the looking.
func (w *window) after(at, n int, test func(string) bool) int {
	for i := at + 1; i < len(w.rows) && i <= at+n && w.output(i); i++ {
		if test(w.texts[i]) {
			return i
		}
	}
	return -1
}

// before is after in the other direction.
func (w *window) before(at, n int, test func(string) bool) int {
	for i := at - 1; i >= 0 && i >= at-n && w.output(i); i-- {
		if test(w.texts[i]) {
			return i
		}
	}
	return -1
}

func filled(text string) bool { return text != "" }

// text returns the text of a row without its indentation, "" for row -1.
func (w *window) text(i int) string {
	if i < 0 {
		return ""
	}
	return strings.TrimSpace(w.texts[i])
}

// withNext is a title of the rule's words and the next line that has any.
func withNext(words func(string) string) func(*window, int) string {
	return func(w *window, at int) string {
		return join(words(w.texts[at]), w.sentence(w.after(at, 4, filled)))
	}
}

// sentence returns the text of a row and, if that ends with a colon, of the next
// that has any.
func (w *window) sentence(i int) string {
	text := w.text(i)
	if !strings.HasSuffix(text, ":") {
		return text
	}
	if next := w.text(w.after(i, 3, filled)); next != "" && !strings.HasPrefix(next, "+ ") { // the legend of a diff
		return text + " " + next
	}
	return strings.TrimSuffix(text, ":")
}

// join puts what failed before why.
func join(what, why string) string {
	switch {
	case what == "" || why == "":
		return what + why
	default:
		return what + ": " + why
	}
}
