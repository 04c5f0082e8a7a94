package logs

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// A row is a Line as it is stored:
//
//	flags  1 byte: stream (2 bits), kind (2 bits), flagEnd, flagBreak, flagCut
//	time   6 bytes, little endian: milliseconds since 1970, 0 for none
//	exit   zigzag varint, on a Command only
//	length uvarint
//	text   length bytes
//
// It can be decoded without the rows before it, so a reader that knows a row's
// offset in its chunk goes on from there.
type row struct {
	Line
	// brk: the row before lacks its end and this one does not continue it, so
	// that the plain text needs a newline between them.
	brk bool
	// cut: the notice that says that no more rows are stored.
	cut bool
}

const (
	kindShift = 2
	flagEnd   = 1 << 4
	flagBreak = 1 << 5
	flagCut   = 1 << 6
	flagsUsed = 1<<7 - 1

	timeSize = 6
	maxMilli = 1<<(8*timeSize) - 1
	// maxRow is the most bytes a row takes.
	maxRow = 1 + timeSize + 2*binary.MaxVarintLen64 + MaxText
)

var errRow = errors.New("malformed row")

func (r *row) milli() int64 {
	if ms := r.Time.UnixMilli(); ms > 0 && ms <= maxMilli {
		return ms
	}
	return 0
}

// appendTo appends the encoded row to b.
func (r *row) appendTo(b []byte) []byte {
	flags := byte(r.Stream) | byte(r.Kind)<<kindShift
	if r.End {
		flags |= flagEnd
	}
	if r.brk {
		flags |= flagBreak
	}
	if r.cut {
		flags |= flagCut
	}
	b = append(b, flags)
	var ms [8]byte
	binary.LittleEndian.PutUint64(ms[:], uint64(r.milli()))
	b = append(b, ms[:timeSize]...)
	if r.Kind == Command {
		b = binary.AppendVarint(b, int64(r.Exit))
	}
	b = binary.AppendUvarint(b, uint64(len(r.Text)))
	return append(b, r.Text...)
}

// decodeRow decodes the row at the beginning of b and returns its length. The
// row's text is a part of b.
func decodeRow(b []byte) (r row, n int, err error) {
	if len(b) < 1+timeSize {
		return row{}, 0, errRow
	}
	flags := b[0]
	r.Stream, r.Kind = Stream(flags&3), Kind(flags>>kindShift&3)
	if r.Stream >= streams || flags > flagsUsed {
		return row{}, 0, errRow
	}
	r.End, r.brk, r.cut = flags&flagEnd != 0, flags&flagBreak != 0, flags&flagCut != 0
	var ms [8]byte
	copy(ms[:], b[1:1+timeSize])
	r.Time = fromMilli(int64(binary.LittleEndian.Uint64(ms[:])))
	n = 1 + timeSize
	if r.Kind == Command {
		exit, size := binary.Varint(b[n:])
		if size <= 0 || exit < math.MinInt32 || exit > math.MaxInt32 {
			return row{}, 0, errRow
		}
		r.Exit, n = int(exit), n+size
	}
	length, size := binary.Uvarint(b[n:])
	if size <= 0 || length > MaxText || length > uint64(len(b)-n-size) {
		return row{}, 0, errRow
	}
	n += size
	r.Text = b[n : n+int(length) : n+int(length)]
	return r, n + int(length), nil
}

// textSize is the length of the row as plain text.
func (r *row) textSize() int64 {
	n := len(r.Kind.prefix()) + len(r.Text)
	if r.brk {
		n++
	}
	if r.End {
		n++
	}
	return int64(n)
}

// appendText appends the row as plain text to b.
func (r *row) appendText(b []byte) []byte {
	if r.brk {
		b = append(b, '\n')
	}
	return r.Line.AppendText(b)
}

// fromMilli is the inverse of row.milli.
func fromMilli(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
