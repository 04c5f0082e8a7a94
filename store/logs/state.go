package logs

import "encoding/binary"

// A state is what is known of a log after some of its rows: what a writer needs
// to go on there, and a reader to find its way.
type state struct {
	rows int64 // stored
	text int64 // bytes of plain text stored

	// What was taken from each stream's source, whether it was stored or came
	// after the log was cut.
	lines  [streams]int64  // complete lines
	pieces [streams]uint32 // rows of the line that is not complete yet

	first, last int64 // times of the first and the last row, in milliseconds
	// dangling is 1 + the stream of the last row if that lacks its end, else 0.
	dangling uint8
	// truncated: no further rows are stored.
	truncated bool
}

const stateSize = 8 + 8 + streams*8 + streams*4 + 8 + 8 + 1 + 1

// breaks reports whether the plain text needs a newline before l.
func (s *state) breaks(l *Line) bool {
	return s.dangling != 0 && (s.dangling != 1+uint8(l.Stream) || l.Kind != Output)
}

// count adds a row to what was taken from its source.
func (s *state) count(l *Line) {
	if l.End {
		s.lines[l.Stream]++
		s.pieces[l.Stream] = 0
	} else {
		s.pieces[l.Stream]++
	}
}

// store adds a row that is stored. The notice that cuts the log is nobody's
// source line.
func (s *state) store(r *row) {
	if r.cut {
		s.truncated = true
	} else {
		s.count(&r.Line)
	}
	s.rows++
	s.text += r.textSize()
	s.last = r.milli()
	if s.rows == 1 {
		s.first = s.last
	}
	s.dangling = 0
	if !r.End {
		s.dangling = 1 + uint8(r.Stream)
	}
}

// appendTo appends the state in its fixed size to b.
func (s *state) appendTo(b []byte) []byte {
	le := binary.LittleEndian
	b = le.AppendUint64(b, uint64(s.rows))
	b = le.AppendUint64(b, uint64(s.text))
	b = s.appendCounts(b)
	b = le.AppendUint64(b, uint64(s.first))
	b = le.AppendUint64(b, uint64(s.last))
	b = append(b, s.dangling)
	if s.truncated {
		return append(b, 1)
	}
	return append(b, 0)
}

// decodeState is the inverse of appendTo. b has at least stateSize bytes, whose
// checksum was found right.
func decodeState(b []byte) state {
	le := binary.LittleEndian
	s := state{rows: int64(le.Uint64(b)), text: int64(le.Uint64(b[8:]))}
	s.decodeCounts(b[16:])
	b = b[16+countsSize:]
	s.first, s.last = int64(le.Uint64(b)), int64(le.Uint64(b[8:]))
	s.dangling, s.truncated = b[16], b[17] != 0
	return s
}

// countsSize is the length of the part of a state that tells what was taken
// from the sources.
const countsSize = streams * (8 + 4)

func (s *state) appendCounts(b []byte) []byte {
	for i := range streams {
		b = binary.LittleEndian.AppendUint64(b, uint64(s.lines[i]))
		b = binary.LittleEndian.AppendUint32(b, s.pieces[i])
	}
	return b
}

func (s *state) decodeCounts(b []byte) {
	for i := range streams {
		s.lines[i] = int64(binary.LittleEndian.Uint64(b[i*12:]))
		s.pieces[i] = binary.LittleEndian.Uint32(b[i*12+8:])
	}
}
