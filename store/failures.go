package store

import (
	"context"
	"strings"
	"unicode"
)

// FailureQuery selects failures by words of their errors.
type FailureQuery struct {
	// Text is what a person typed: the failures have all its words, the last of
	// which may be unfinished. Without a word nothing is found.
	Text string
	// RepoID selects those of one repository; 0 those of all.
	RepoID int64
	// Private includes those of private repositories.
	Private bool
	Limit   int // 0 means 50
	Offset  int // how many are left out, for paging
}

// FoundFailure is a failed step that a search found.
type FoundFailure struct {
	Digest
	Owner, Name                       string // of the repository
	BuildNumber                       int64
	JobNumber, StepNumber             int
	Workflow, Step, Branch, CommitSHA string
	// Snippet is the part of the title, the command or the excerpt that fits best.
	Snippet []Fragment
}

// Fragment is a piece of text; Match says that it was searched for.
type Fragment struct {
	Text  string
	Match bool
}

// What snippet() puts around a match: characters that Digest.Text has not.
const (
	matchBegins = "\x02"
	matchEnds   = "\x03"
)

// SearchFailures returns failures that fit a query, the best first, and of those
// that are as good the newest.
func (s *Store) SearchFailures(ctx context.Context, q FailureQuery) ([]FoundFailure, error) {
	match := matchWords(q.Text)
	if match == "" {
		return nil, nil
	}
	if q.Limit <= 0 {
		q.Limit = 50
	}
	rows, err := s.read.QueryContext(ctx, `SELECT `+digestColumns+`, r.owner, r.name, b.number, j.number, st.number,
			j.name, st.name, b.branch, b.sha, snippet(digests_text, -1, '`+matchBegins+`', '`+matchEnds+`', '…', 24)
		FROM digests_text
		JOIN digests d ON d.step_id = digests_text.rowid
		JOIN repos r ON r.id = d.repo_id
		JOIN builds b ON b.id = d.build_id
		JOIN steps st ON st.id = d.step_id
		JOIN jobs j ON j.id = st.job_id
		WHERE digests_text MATCH ? AND (? OR NOT r.private) AND (? = 0 OR d.repo_id = ?)
		ORDER BY bm25(digests_text, 4, 2, 1), d.step_id DESC LIMIT ? OFFSET ?`,
		match, q.Private, q.RepoID, q.RepoID, q.Limit, q.Offset)
	out, err := collect(rows, err, (*FoundFailure).scan)
	return out, wrap("search failures", err)
}

func (f *FoundFailure) scan(row scanner) error {
	var excerpt, snippet string
	err := row.Scan(&f.StepID, &f.BuildID, &f.RepoID, &f.Line, &f.Title, &f.Known, &f.Command, &excerpt, &f.Text,
		&f.Owner, &f.Name, &f.BuildNumber, &f.JobNumber, &f.StepNumber, &f.Workflow, &f.Step, &f.Branch, &f.CommitSHA, &snippet)
	f.Snippet = fragments(snippet)
	return scanJSON(err, excerpt, &f.Excerpt)
}

// matchWords makes an FTS5 query of what a person typed: all words, none of them
// an operator, the last one perhaps unfinished. A word of signs only is left out.
func matchWords(text string) string {
	var words []string
	for word := range strings.FieldsSeq(text) {
		if strings.ContainsFunc(word, wordRune) {
			words = append(words, `"`+strings.ReplaceAll(word, `"`, `""`)+`"`)
		}
	}
	if len(words) == 0 {
		return ""
	}
	return strings.Join(words, " ") + "*"
}

func fragments(s string) (out []Fragment) {
	for i, part := range strings.Split(s, matchBegins) {
		match, rest, _ := strings.Cut(part, matchEnds)
		if i == 0 {
			match, rest = "", part
		}
		if match != "" {
			out = append(out, Fragment{match, true})
		}
		if rest != "" {
			out = append(out, Fragment{rest, false})
		}
	}
	return out
}

// wordRune reports whether the search looks at a character, as its tokenizer does.
func wordRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
