package logs

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// chunkSize is how many bytes of rows fill a chunk; the row that fills it may
// go beyond, and so may the further rows of a command, to maxChunk.
const (
	chunkSize = 64 << 10
	maxChunk  = chunkSize + maxRow
)

// ErrCorrupt: the file does not hold what was written to it.
var ErrCorrupt = errors.New("log is corrupt")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// A frame is a sealed chunk; its header tells all of it but the rows.
type frame struct {
	chunk  uint32 // number of the chunk in its log, from 0
	raw    uint32 // bytes of rows
	packed uint32 // bytes of rows, compressed
	crc    uint32 // of the compressed bytes
	after  state

	// offset of the header in the file. It follows from the frames before and
	// is not stored.
	offset int64
}

const (
	frameMagic = 0x31464c53 // "SLF1"
	headerSize = 5*4 + stateSize + 4
)

// end is the offset of what follows the frame.
func (f *frame) end() int64 { return f.offset + headerSize + int64(f.packed) }

func (f *frame) appendTo(b []byte) []byte {
	start := len(b)
	for _, v := range []uint32{frameMagic, f.chunk, f.raw, f.packed, f.crc} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	b = f.after.appendTo(b)
	return binary.LittleEndian.AppendUint32(b, checksum(b[start:]))
}

// decodeFrame decodes the header of the frame that follows the frames before.
// It returns false if b does not begin with that.
func decodeFrame(b []byte, before []frame) (frame, bool) {
	le := binary.LittleEndian
	if len(b) < headerSize || le.Uint32(b) != frameMagic ||
		le.Uint32(b[headerSize-4:]) != checksum(b[:headerSize-4]) {
		return frame{}, false
	}
	f := frame{
		chunk: le.Uint32(b[4:]), raw: le.Uint32(b[8:]), packed: le.Uint32(b[12:]), crc: le.Uint32(b[16:]),
		after: decodeState(b[20:]),
	}
	var rows, text int64
	if n := len(before); n > 0 {
		prev := &before[n-1]
		f.offset, rows, text = prev.end(), prev.after.rows, prev.after.text
	}
	ok := int64(f.chunk) == int64(len(before)) && f.raw <= maxChunk && f.after.rows > rows && f.after.text >= text
	return f, ok
}

// framesEnd is the offset of what follows the frames, which are all of a log.
func framesEnd(frames []frame) int64 {
	if n := len(frames); n > 0 {
		return frames[n-1].end()
	}
	return 0
}

// indexLength is how many bytes the index of so many frames has, and its trailer.
func indexLength(frames int) int64 { return int64(frames)*headerSize + trailerSize }

// The trailer ends a finished log: the state, which may tell of more source
// lines than the last frame's, the number of frames, a CRC of the index and the
// trailer before it, and the magic number.
const (
	trailerMagic = 0x31494c53 // "SLI1"
	trailerSize  = stateSize + 3*4
)

// appendIndex appends the index of a finished log and its trailer to b.
func appendIndex(b []byte, frames []frame, st *state) []byte {
	start := len(b)
	for i := range frames {
		b = frames[i].appendTo(b)
	}
	b = st.appendTo(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(frames)))
	b = binary.LittleEndian.AppendUint32(b, checksum(b[start:]))
	return binary.LittleEndian.AppendUint32(b, trailerMagic)
}

// indexSize returns the length of the index and its trailer, which is given.
// It returns false if that is none.
func indexSize(trailer []byte) (int64, bool) {
	le := binary.LittleEndian
	if len(trailer) != trailerSize || le.Uint32(trailer[trailerSize-4:]) != trailerMagic {
		return 0, false
	}
	return indexLength(int(le.Uint32(trailer[stateSize:]))), true
}

// decodeIndex decodes an index with its trailer, of the length that indexSize
// told. It returns false if it does not fit a file of which it begins at offset
// at, behind the frames and an outline.
func decodeIndex(b []byte, at int64) ([]frame, state, bool) {
	sum := len(b) - 8
	if binary.LittleEndian.Uint32(b[sum:]) != checksum(b[:sum]) {
		return nil, state{}, false
	}
	n := (len(b) - trailerSize) / headerSize
	frames := make([]frame, 0, n)
	for i := range n {
		f, ok := decodeFrame(b[i*headerSize:], frames)
		if !ok {
			return nil, state{}, false
		}
		frames = append(frames, f)
	}
	outline := at - framesEnd(frames)
	return frames, decodeState(b[n*headerSize:]), outline >= 0 && outline <= maxOutline
}
