package webui

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net/http"
	"regexp"
	"regexp/syntax"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/slipway-ci/slipway/store/logs"
)

const (
	// maxSearches is how many logs are searched at a time: each search uses all
	// processors.
	maxSearches = 2
	// searchTime bounds what one request searches; what was found by then is the
	// answer, and the browser asks for the rest. The time of a regular expression
	// is linear in the size of the log.
	searchTime = time.Second
	// maxQuery is the most bytes that are searched for.
	maxQuery = 256
	// maxHits is how many rows a search lists, and maxHitText how many bytes it
	// tells of what matched in each.
	maxHits    = 10_000
	maxHitText = 200
)

// searchAnswer is what the script is told of a search.
type searchAnswer struct {
	Total int64   `json:"total"` // rows that match
	Rows  []int64 `json:"rows"`  // the first of them
	// Texts are what matched in Rows, where that is not the text searched for.
	Texts []string `json:"texts,omitempty"`
	// Spread are rows that match from all over the log, to be marked on a scale.
	Spread []int64 `json:"spread,omitempty"`
	// Next is set if the time was up: the row from which to go on.
	Next  int64  `json:"next,omitempty"`
	Error string `json:"error,omitempty"` // of the regular expression
}

// searchLog answers which rows of a log have ?q= in them, as they are shown:
// without regard to case unless ?case=1, as a regular expression if ?regex=1,
// from row ?from= on.
func (u *UI) searchLog(c *request) error {
	t, err := u.findLog(c)
	if err != nil {
		return err
	}
	q := query{text: c.QueryParam("q"), fold: c.QueryParam("case") == "", regex: c.QueryParam("regex") != ""}
	switch {
	case q.text == "":
		return &pageError{http.StatusBadRequest, "Say what to search for, as q."}
	case len(q.text) > maxQuery || !utf8.ValidString(q.text):
		return &pageError{http.StatusBadRequest, "The text to search for is too long, or not UTF-8."}
	}
	newMatcher, err := q.compile()
	if err != nil {
		var s *syntax.Error
		if errors.As(err, &s) {
			return c.JSON(http.StatusOK, searchAnswer{Rows: []int64{}, Error: s.Code.String()})
		}
		return err
	}
	from, _ := strconv.ParseInt(c.QueryParam("from"), 10, 64)
	from = max(1, from)
	ctx, cancel := context.WithTimeout(c.Request().Context(), searchTime)
	defer cancel()
	select {
	case u.searches <- struct{}{}:
		defer func() { <-u.searches }()
	case <-ctx.Done():
		return &pageError{http.StatusServiceUnavailable, "Too many searches at once. Try again."}
	}
	found, err := u.logs.Search(ctx, t.key, from, maxHits, newMatcher)
	switch {
	case errors.Is(err, logs.ErrNotFound):
		return errNotFound
	case errors.Is(err, context.DeadlineExceeded) && c.Request().Context().Err() == nil:
		a := newSearchAnswer(&found, q.regex)
		a.Next = from + found.Searched
		return c.JSON(http.StatusOK, a)
	case err != nil:
		return err
	}
	return c.JSON(http.StatusOK, newSearchAnswer(&found, q.regex))
}

func newSearchAnswer(f *logs.Found, regex bool) searchAnswer {
	a := searchAnswer{Total: f.Total, Spread: f.Spread, Rows: make([]int64, len(f.Hits))}
	for i, h := range f.Hits {
		a.Rows[i] = h.N
		if regex {
			a.Texts = append(a.Texts, h.Text)
		}
	}
	return a
}

// A query is what a log is searched for.
type query struct {
	text        string
	fold, regex bool
}

// compile returns what makes matchers.
func (q query) compile() (func() logs.Matcher, error) {
	if q.regex {
		pattern := q.text
		if q.fold {
			pattern = "(?i)" + pattern
		}
		re, err := regexp.Compile(pattern)
		if err != nil {
			return nil, err
		}
		need := literalsOf(pattern)
		return func() logs.Matcher { return &regexMatcher{re: re, need: need} }, nil
	}
	text := []byte(q.text)
	if q.fold {
		text = bytes.ToLower(text)
		ascii := bytes.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
		return func() logs.Matcher { return &foldMatcher{text: text, ascii: ascii} }, nil
	}
	return func() logs.Matcher { return &textMatcher{text: text} }, nil
}

// A textMatcher finds a text as it is.
type textMatcher struct {
	text  []byte
	shown visible
}

func (m *textMatcher) Match(row []byte) bool { return bytes.Contains(m.shown.text(row), m.text) }
func (m *textMatcher) Found([]byte) string   { return "" }

// A foldMatcher finds a lower-case text in any case.
type foldMatcher struct {
	text, lower []byte
	ascii       bool // text is nothing else, and quicker to find
	shown       visible
}

func (m *foldMatcher) Match(row []byte) bool {
	row = m.shown.text(row)
	if !m.ascii {
		return bytes.Contains(bytes.ToLower(row), m.text)
	}
	m.lower = append(m.lower[:0], row...)
	lowerASCII(m.lower)
	return bytes.Contains(m.lower, m.text)
}

// lowerASCII makes A to Z lower case, eight bytes at a time: a search spends its
// time here.
func lowerASCII(b []byte) {
	const each = 0x0101010101010101
	for ; len(b) >= 8; b = b[8:] {
		w := binary.LittleEndian.Uint64(b)
		low := w &^ (0x80 * each)
		fromA, afterZ := low+(0x80-'A')*each, low+(0x7f-'Z')*each // their highest bits say so
		upper := (fromA &^ afterZ &^ w) & (0x80 * each)
		binary.LittleEndian.PutUint64(b, w|upper>>2)
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
}

func (m *foldMatcher) Found([]byte) string { return "" }

// A regexMatcher finds what a regular expression matches.
type regexMatcher struct {
	re    *regexp.Regexp
	need  literals
	lower []byte
	shown visible
}

func (m *regexMatcher) Match(row []byte) bool {
	row = m.shown.text(row)
	var possible bool
	possible, m.lower = m.need.possible(row, m.lower)
	return possible && m.re.Match(row)
}

func (m *regexMatcher) Found(row []byte) string {
	match := m.re.Find(m.shown.text(row))
	if len(match) > maxHitText {
		match = bytes.ToValidUTF8(match[:maxHitText], nil)
	}
	return string(match)
}
