// Package mask takes secrets out of text as it streams by.
//
// Every byte that belongs to an occurrence of a secret is hidden; occurrences
// that overlap become one Mask. What is written and where it is cut into writes
// makes no difference to the result.
package mask

import "io"

var maskBytes = []byte(Mask)

// A Writer passes on what is written to it with each secret replaced by Mask.
// It holds back only the longest end of the text that may be the beginning of a
// secret. It is not safe for concurrent use.
type Writer struct {
	set *Set
	w   io.Writer

	at    int32  // node of the automaton that was reached
	held  []byte // bytes seen and not yet passed on or hidden
	spans []span // occurrences, ordered, not overlapping; not yet passed
	err   error  // the first error of w
}

// span is an occurrence of secrets. Positions count from the first byte of the
// current write, so what is held has negative ones.
type span struct {
	from, to int
	written  bool // Mask has been written for it
}

// New returns a Writer that masks secrets. Where several Writers mask the same,
// Compile them once and use Set.Writer.
func New(w io.Writer, secrets []string) *Writer { return Compile(secrets).Writer(w) }

// Writer returns a Writer to w that masks the set's secrets.
func (s *Set) Writer(w io.Writer) *Writer { return &Writer{set: s, w: w} }

// Held returns the number of bytes that are held back.
func (m *Writer) Held() int { return len(m.held) }

// Write passes p on, masked. The first error of the underlying writer is
// returned from then on.
func (m *Writer) Write(p []byte) (int, error) {
	if m.err != nil {
		return 0, m.err
	}
	if m.set.Empty() {
		return m.w.Write(p)
	}
	m.scan(p)
	m.release(p, len(p)-int(m.set.nodes[m.at].hold))
	if m.err != nil {
		return 0, m.err
	}
	return len(p), nil
}

// Flush passes on what is held back: no more of the secret will come. What is
// written next begins anew.
func (m *Writer) Flush() error {
	if m.err == nil {
		m.at = 0
		m.release(nil, 0)
	}
	return m.err
}

// Close is Flush. It does not close the underlying writer.
func (m *Writer) Close() error { return m.Flush() }

// scan runs the automaton over p and notes where secrets are.
func (m *Writer) scan(p []byte) {
	at := m.at
	for i := 0; i < len(p); i++ {
		if at == 0 {
			if i = m.set.skip(p, i); i == len(p) {
				break
			}
		}
		at = m.set.next(at, p[i])
		if n := m.set.nodes[at].match; n > 0 {
			m.found(i+1-int(n), i+1)
		}
	}
	m.at = at
}

// found adds an occurrence; those it overlaps become one with it. Occurrences
// come in the order of their ends.
func (m *Writer) found(from, to int) {
	s := span{from: from, to: to}
	for n := len(m.spans); n > 0 && m.spans[n-1].to > from; n-- {
		last := m.spans[n-1]
		s.from = min(s.from, last.from)
		s.written = s.written || last.written
		m.spans = m.spans[:n-1]
	}
	m.spans = append(m.spans, s)
}

// release passes on everything before position end and holds the rest of p.
func (m *Writer) release(p []byte, end int) {
	from, keep := -len(m.held), 0
	for i := range m.spans {
		s := &m.spans[i]
		if s.from >= end && !s.written {
			m.spans[keep] = *s
			keep++
			continue
		}
		m.pass(p, from, s.from)
		if !s.written {
			m.write(maskBytes)
			s.written = true
		}
		from = max(from, min(s.to, end))
		if s.to > end { // more may overlap it
			m.spans[keep] = *s
			keep++
		}
	}
	m.spans = m.spans[:keep]
	m.pass(p, from, end)
	m.hold(p, end)
}

// hold keeps what stands from position end on and moves the origin to the end
// of p.
func (m *Writer) hold(p []byte, end int) {
	if end < 0 {
		n := copy(m.held, m.held[len(m.held)+end:])
		m.held = append(m.held[:n], p...)
	} else {
		m.held = append(m.held[:0], p[end:]...)
	}
	for i := range m.spans {
		m.spans[i].from -= len(p)
		m.spans[i].to -= len(p)
	}
}

// pass writes the bytes at positions [from, to).
func (m *Writer) pass(p []byte, from, to int) {
	if from < 0 && from < to {
		h := len(m.held)
		m.write(m.held[h+from : h+min(to, 0)])
		from = 0
	}
	if from < to {
		m.write(p[from:to])
	}
}

func (m *Writer) write(p []byte) {
	if m.err == nil && len(p) > 0 {
		_, m.err = m.w.Write(p)
	}
}
