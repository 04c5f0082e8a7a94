package digest

import (
	"cmp"
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/slipway-ci/slipway/server/digest/rules"
	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
)

const (
	maxRows    = 20      // of an excerpt
	maxRow     = 2 << 10 // bytes of a row of an excerpt
	maxCommand = 500     // bytes
)

// read finds what matters in the log of a step. A step without a log has its
// reason only.
func (d *Digester) read(ctx context.Context, st store.FailedStep) (store.Digest, error) {
	key := store.LogKey(st.Build.ID, st.JobNumber, st.Number)
	var s rules.Search
	for rows, err := range d.Logs.Read(ctx, key, 1, -1) {
		if errors.Is(err, logs.ErrNotFound) {
			break
		}
		if err != nil {
			return store.Digest{}, err
		}
		s.Add(rows)
	}
	out := store.Digest{Title: st.Reason, Command: cut(s.Command(), maxCommand)}
	from, n := s.Window()
	if n == 0 {
		return out, nil
	}
	window := make([]logs.Line, 0, n)
	for rows, err := range d.Logs.Read(ctx, key, from, n) {
		if err != nil {
			return store.Digest{}, err
		}
		window = append(window, rows...)
	}
	found := s.Explain(window)
	out.Line = found.Line
	out.Title, out.Known = title(st, found.Title, s.Found())
	out.Excerpt, out.Text = excerpt(window, found)
	return out, nil
}

// exit is the reason of a step that ended by itself. What else a reason may have
// in it, a limit that was met or who stopped the step, is slipway's to know and no
// program's.
var exit = regexp.MustCompile(`^exit code \d+( \([^()]+\))?$`)

// title chooses between what the log says and how the step ended. known reports
// whether it is what a rule found in the log.
func title(st store.FailedStep, said string, found bool) (title string, known bool) {
	m := exit.FindStringSubmatch(st.Reason)
	switch {
	case m == nil: // stopped from outside, whatever it said before
		return cmp.Or(st.Reason, said), false
	case found && said != "":
		return said, true
	case m[1] != "": // words that say more than the last line
		return st.Reason, false
	default:
		return cmp.Or(said, st.Reason), false
	}
}

// excerpt is the rows that were found, and their plain text.
func excerpt(window []logs.Line, f rules.Finding) ([]store.DigestLine, string) {
	var out []store.DigestLine
	var text strings.Builder
	for _, l := range window {
		if l.N < f.First || l.N > f.Last || len(out) == maxRows {
			continue
		}
		out = append(out, store.DigestLine{N: l.N, Text: cut(strings.ToValidUTF8(string(l.Text), "\uFFFD"), maxRow)})
		text.WriteString(cut(rules.Clean(l.Text), maxRow))
		text.WriteByte('\n')
	}
	return out, strings.TrimSuffix(text.String(), "\n")
}

// cut bounds a valid text.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
