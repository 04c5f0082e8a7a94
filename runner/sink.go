package runner

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/slipway-ci/slipway/runner/mask"
)

const (
	// flushBytes is how much text is gathered before it is appended at once.
	flushBytes = 64 << 10
	// flushRows is how many rows are, of text or without.
	flushRows = 8 << 10
	// flushAfter is the time from one append to the next, unless there is much.
	flushAfter = 50 * time.Millisecond
	// flushSoon is how long a line waits for others after a pause.
	flushSoon = time.Millisecond
)

// A sink gathers the rows of one step and appends them to its Log in batches:
// when there are flushBytes or flushRows, and when flushAfter has passed since the one before:
// a line after a pause is appended almost at once. It may be used concurrently.
// It reuses its buffers, since a Log keeps nothing of what it is given.
type sink struct {
	log  Log
	mask *mask.Set

	mu      sync.Mutex // guards what follows
	rows    []Line
	text    []byte // what rows refer to
	lines   []*lineWriter
	armed   *time.Timer // not nil while a flush is due
	flushed time.Time   // when rows were appended last
	changed bool        // a line without an end has grown since it was appended
	closed  bool
	err     error // the first error of log
	// told are the notices that log has of an earlier Run of this attempt.
	told []string
}

func newSink(log Log, set *mask.Set) *sink { return &sink{log: log, mask: set} }

// recall makes the sink keep silent about what the Log has been told by an
// earlier Run, save what is among the first of slipway's lines.
func (s *sink) recall(first int64) error {
	if s.log.SourceLines(StreamSlipway) <= first {
		return nil
	}
	told, err := s.log.Notices(first)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = told
	return nil
}

// forget ends recall: what is said from now on is new.
func (s *sink) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = nil
}

// notice appends slipway's own words, unless the Log has them of an earlier Run.
// What cannot be appended is reported by close.
func (s *sink) notice(text string) { s.say(text, "") }

// noticeOf is notice for what an earlier Run may have said in other words: all
// that is said of a subject counts as the same.
func (s *sink) noticeOf(subject string, err error) {
	s.say(fmt.Sprintf("%s: %v", subject, err), s.mask.String(validText(subject))+": ")
}

// say appends text, save the lines that were told before. If there is a subject,
// with which the text begins, this is told as a whole or not at all.
func (s *sink) say(text, subject string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for line := range strings.SplitSeq(s.mask.String(validText(text)), "\n") {
		line = cutText(line)
		i := slices.IndexFunc(s.told, func(t string) bool { return t == line || subject != "" && strings.HasPrefix(t, subject) })
		switch {
		case i < 0:
			s.add(Line{Stream: StreamSlipway, Kind: LineNotice, Time: now, Text: []byte(line), End: true})
		case subject != "":
			return
		default:
			s.told = slices.Delete(s.told, i, i+1) // what was told once may be said a second time
		}
	}
}

// endLines ends the lines of which the Log has rows and no end, since the rest
// will not come.
func (s *sink) endLines(rows [StreamStderr + 1]int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for stream, n := range rows {
		if n > 0 {
			s.add(Line{Stream: Stream(stream), Time: time.Now(), End: true})
		}
	}
}

// cutText bounds one line of slipway's words.
func cutText(line string) string {
	if len(line) <= MaxLine {
		return line
	}
	return line[:runeCut([]byte(line), MaxLine)]
}

// add takes a row whose Text stays as it is. It is called with mu held.
func (s *sink) add(row Line) {
	s.rows = append(s.rows, row)
	s.arm()
}

// addText takes a row and copies its text, which is head and tail joined. It is
// called with mu held.
func (s *sink) addText(row Line, head, tail []byte) {
	from := len(s.text)
	s.text = append(append(s.text, head...), tail...)
	row.Text = s.text[from:len(s.text):len(s.text)]
	s.add(row)
	s.flushFull()
}

// flushFull appends what is gathered if that is enough for a batch. It is called
// with mu held.
func (s *sink) flushFull() {
	if len(s.text) >= flushBytes || len(s.rows) >= flushRows {
		s.flushLocked(false)
	}
}

// arm makes a flush due, unless one is. It is called with mu held.
func (s *sink) arm() {
	if s.armed == nil && !s.closed {
		s.armed = time.AfterFunc(max(flushSoon, flushAfter-time.Since(s.flushed)), s.due)
	}
}

// due is the timer's flush. After close it does nothing.
func (s *sink) due() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.armed = nil
		s.flushLocked(true)
	}
}

// flush appends everything that is gathered and returns the first error that
// the Log ever had.
func (s *sink) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flushLocked(false)
	return s.err
}

// flushLocked appends what is gathered, and with open also the lines whose end
// is still to come.
func (s *sink) flushLocked(open bool) {
	if open && s.changed {
		for _, l := range s.lines {
			s.rows = l.appendOpen(s.rows)
		}
		s.changed = false
	}
	if s.err == nil && len(s.rows) > 0 {
		s.err = s.log.Append(s.rows...)
		s.flushed = time.Now()
	}
	clear(s.rows) // lets go of texts that are not in s.text
	s.rows, s.text = s.rows[:0], s.text[:0]
	if s.armed != nil && !s.changed {
		s.armed.Stop()
		s.armed = nil
	}
}

// close flushes, closes the Log and returns the first error there was.
func (s *sink) close() error { return s.closeWith(s.log.Close) }

// release is close for a Log that will be opened again.
func (s *sink) release() error {
	if l, ok := s.log.(Releaser); ok {
		return s.closeWith(l.Release)
	}
	return s.close()
}

func (s *sink) closeWith(closeLog func() error) error {
	s.mu.Lock()
	s.flushLocked(false)
	s.closed = true
	if s.armed != nil {
		s.armed.Stop()
	}
	err := s.err
	s.mu.Unlock()
	if cerr := closeLog(); err == nil {
		err = cerr
	}
	return err
}

// noticeWriter turns lines of text that are written to it into notices.
type noticeWriter struct {
	sink    *sink
	partial string
}

// Write implements io.Writer. It never fails.
func (n *noticeWriter) Write(p []byte) (int, error) {
	text := n.partial + string(p)
	for {
		line, rest, found := strings.Cut(text, "\n")
		if !found {
			n.partial = text
			return len(p), nil
		}
		n.sink.notice(line)
		text = rest
	}
}
