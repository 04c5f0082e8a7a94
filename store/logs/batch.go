package logs

import (
	"bytes"
	"fmt"

	"github.com/dustin/go-humanize"
)

// A batch is what one record and its effects are made of, so that nothing has
// changed if the record cannot be written.
type batch struct {
	state   state
	open    [streams]openLine
	skip    [streams]uint32
	max     int64 // bytes of plain text
	buf     []byte
	dropped bool // rows were counted that are not in buf
}

func (b *batch) add(l *Line) {
	switch open := &b.open[l.Stream]; {
	case l.Open && b.skip[l.Stream] > 0:
		return // readers have the beginning of this line already
	case l.Open:
		open.seq++
		open.line = *l
		open.line.N, open.line.Text = 0, bytes.Clone(l.Text)
		if b.state.truncated {
			open.line.Text = nil
		}
		return
	case !b.state.truncated: // else nothing replaces the empty ones that cut left
		open.line = Line{}
	}
	if b.skip[l.Stream] > 0 && !l.End {
		b.skip[l.Stream]--
		return
	}
	b.skip[l.Stream] = 0
	r := row{Line: *l, brk: b.state.breaks(l)}
	if !b.state.truncated && b.state.text+r.textSize() > b.max {
		b.cut(l)
	}
	if b.state.truncated {
		b.state.count(l)
		b.dropped = true
		return
	}
	b.store(&r)
}

// cut ends what is stored of the log, saying so. Open lines are shown as empty
// from now on: what would replace them is not stored.
func (b *batch) cut(l *Line) {
	text := fmt.Sprintf("log cut here: %s stored; the step goes on", humanize.IBytes(uint64(b.max)))
	notice := Line{Stream: Slipway, Kind: Notice, Time: l.Time, Text: []byte(text), End: true}
	b.store(&row{Line: notice, brk: b.state.breaks(&notice), cut: true})
	for i := range b.open {
		b.open[i].seq++
		b.open[i].line = Line{Stream: Stream(i), Open: true}
	}
}

func (b *batch) store(r *row) {
	b.buf = r.appendTo(b.buf)
	b.state.store(r)
}
