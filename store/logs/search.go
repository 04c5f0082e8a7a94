package logs

import (
	"context"
	"fmt"
	"sync"
)

// A Matcher decides which rows a search is for. It is used by one goroutine.
type Matcher interface {
	// Match reports whether the text of a row is searched for.
	Match(text []byte) bool
	// Found returns what of the text of a row that matches is to be kept in Hit.
	Found(text []byte) string
}

// A Hit is a row that was searched for.
type Hit struct {
	N    int64
	Text string // what Matcher.Found returned
}

// Found is what a search found.
type Found struct {
	Total int64 // rows that match
	Hits  []Hit // the first of them, in order
	// Spread is one row of each chunk (64 KiB of log) that has a match: enough to
	// mark on a scale where in the log they are.
	Spread []int64
	// Searched is how many rows were looked at, the first of those asked for:
	// fewer than there are if the context ended.
	Searched int64
}

// Search looks at the rows from that number on that are stored now, on all
// processors, for those that match, and returns at most limit of them. from
// below 1 means 1. newMatcher is called for each goroutine. If ctx ends it
// returns what was found until then, and its error: the search goes on from
// from + Searched. It returns ErrNotFound if there is no such log.
func (s *Store) Search(ctx context.Context, key string, from int64, limit int, newMatcher func() Matcher) (Found, error) {
	v, err := s.view(key)
	if err != nil {
		return Found{}, fmt.Errorf("search log %s: %w", key, err)
	}
	q := search{view: v, from: from, limit: limit, chunks: make([]chunkHits, len(v.frames)+1)}
	err = s.scan(ctx, v, v.chunkOfRow(from), func() visitor {
		m := newMatcher()
		return func(n int, rows []byte) error { return q.visit(n, rows, m) }
	})
	if err != nil {
		err = fmt.Errorf("search log %s: %w", key, err)
	}
	return q.found(), err
}

// A search gathers the hits of chunks.
type search struct {
	view  *view
	from  int64 // the first row that counts
	limit int

	mu     sync.Mutex // guards chunks
	chunks []chunkHits
}

type chunkHits struct {
	rows, total, first int64
	hits               []Hit
}

func (q *search) visit(n int, rows []byte, m Matcher) error {
	var c chunkHits
	list := !q.enough(n)
	err := eachRow(rows, q.view.before(n).rows+1, func(n int64, r *row) {
		if n < q.from {
			return
		}
		c.rows++
		if !m.Match(r.Text) {
			return
		}
		if c.total++; c.total == 1 {
			c.first = n
		}
		if list && len(c.hits) < q.limit {
			c.hits = append(c.hits, Hit{n, m.Found(r.Text)})
		}
	})
	q.mu.Lock()
	q.chunks[n] = c
	q.mu.Unlock()
	return err
}

// enough reports whether the chunks before one have as many hits as were asked
// for. Those after it do not count: another goroutine may be through with them.
func (q *search) enough(chunk int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	hits := 0
	for i := 0; i < chunk && hits < q.limit; i++ {
		hits += len(q.chunks[i].hits)
	}
	return hits >= q.limit
}

func (q *search) found() (f Found) {
	for i := range q.chunks {
		c := &q.chunks[i]
		f.Total += c.total
		f.Searched += c.rows
		if c.total > 0 {
			f.Spread = append(f.Spread, c.first)
		}
		f.Hits = append(f.Hits, c.hits[:min(len(c.hits), q.limit-len(f.Hits))]...)
	}
	return f
}
