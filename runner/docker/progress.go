package docker

import (
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// progressEvery is the least time between two lines of progress.
const progressEvery = 500 * time.Millisecond

// progress sums up a pull's messages about single layers.
type progress struct {
	ref    string
	digest string
	layers map[string]*layer
	next   time.Time // when the next line is due
}

type layer struct {
	done           bool
	current, total int64 // bytes of the download
}

func newProgress(ref string) *progress {
	return &progress{ref: ref, layers: map[string]*layer{}}
}

// update takes in a message and returns a line if one is due.
func (p *progress) update(m message, now time.Time) (line string, due bool) {
	if digest, ok := strings.CutPrefix(m.Status, "Digest: "); ok {
		p.digest = digest
	}
	if !p.take(m) || now.Before(p.next) {
		return "", false
	}
	p.next = now.Add(progressEvery)
	return p.line(), true
}

// take reports whether the message is about a layer.
func (p *progress) take(m message) bool {
	l := p.layers[m.ID]
	switch m.Status {
	case "Pulling fs layer", "Waiting", "Downloading", "Verifying Checksum", "Download complete", "Extracting", "Pull complete", "Already exists":
		if l == nil {
			l = &layer{}
			p.layers[m.ID] = l
		}
	default:
		return false
	}
	switch m.Status {
	case "Downloading":
		l.current, l.total = m.Progress.Current, max(m.Progress.Total, l.total)
	case "Verifying Checksum", "Download complete", "Extracting":
		l.current = l.total
	case "Pull complete", "Already exists":
		l.current, l.done = l.total, true
	}
	return true
}

func (p *progress) line() string {
	var done int
	var current, total int64
	for _, l := range p.layers {
		current += l.current
		total += max(l.total, l.current)
		if l.done {
			done++
		}
	}
	s := fmt.Sprintf("pulling %s: %d of %d layers", p.ref, done, len(p.layers))
	if total > 0 {
		s += fmt.Sprintf(", %s of %s", humanize.Bytes(uint64(current)), humanize.Bytes(uint64(total)))
	}
	return s
}

func (p *progress) summary() string {
	if p.digest == "" {
		return "pulled " + p.ref
	}
	return fmt.Sprintf("pulled %s (%s)", p.ref, p.digest)
}
