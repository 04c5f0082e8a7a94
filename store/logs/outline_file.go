package logs

import (
	"context"
	"encoding/binary"
	"os"
	"slices"
)

// The outline of a finished log stands between its last frame and its index, so
// that who opens the log need not read all of it:
//
//	magic, length of the rows, CRC of what follows   4 bytes each
//	zstd(rows)
//
// The rows are those of commands' texts as an outline keeps them, each with its
// number before it. A log whose outline would be longer than maxChunk has none,
// nor has one that was finished before there were outlines.
const (
	outlineMagic = 0x314f4c53 // "SLO1"
	outlineHead  = 3 * 4
	// maxOutline is more than the bytes of an outline ever are.
	maxOutline = outlineHead + 2*maxChunk
)

// packOutline encodes the outline; it returns nil if that is too long.
func (s *Store) packOutline(o *outline) []byte {
	var rows []byte
	for i := range o.commands {
		for _, l := range o.commands[i].Head {
			rows = binary.AppendUvarint(rows, uint64(l.N))
			rows = (&row{Line: l}).appendTo(rows)
		}
		if len(rows) > maxChunk {
			return nil
		}
	}
	b := s.packer.EncodeAll(rows, make([]byte, outlineHead))
	binary.LittleEndian.PutUint32(b, outlineMagic)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(rows)))
	binary.LittleEndian.PutUint32(b[8:], checksum(b[outlineHead:]))
	return b
}

// unpackOutline is the inverse of packOutline, for a log of so many chunks. It
// returns false if b is no outline.
func (s *Store) unpackOutline(b []byte, chunks int) (*outline, bool) {
	le := binary.LittleEndian
	if len(b) < outlineHead || le.Uint32(b) != outlineMagic || le.Uint32(b[4:]) > maxChunk ||
		le.Uint32(b[8:]) != checksum(b[outlineHead:]) {
		return nil, false
	}
	rows, err := s.unpacker.DecodeAll(b[outlineHead:], make([]byte, 0, le.Uint32(b[4:])))
	if err != nil {
		return nil, false
	}
	o := &outline{chunks: chunks}
	for len(rows) > 0 {
		n, size := binary.Uvarint(rows)
		if size <= 0 {
			return nil, false
		}
		r, length, err := decodeRow(rows[size:])
		if err != nil {
			return nil, false
		}
		r.N = int64(n)
		o.add([]Line{r.Line})
		rows = rows[size+length:]
	}
	return o, true
}

// storedOutline reads the outline of a finished log from its file. It returns
// one of no chunks if there is none.
func (s *Store) storedOutline(v *view) *outline {
	none := &outline{}
	if v.outline < outlineHead || v.outline > maxOutline {
		return none
	}
	file, err := os.Open(v.path + logSuffix)
	if err != nil {
		return none // whoever reads the log is told
	}
	defer file.Close()
	b := make([]byte, v.outline)
	if _, err := file.ReadAt(b, framesEnd(v.frames)); err != nil {
		return none
	}
	if o, ok := s.unpackOutline(b, len(v.frames)); ok {
		return o
	}
	s.log.Warn("outline of log is damaged, it is read again", "log", v.path)
	return none
}

// packOutline returns the outline of the log, which ends here, as it is stored;
// nil if it cannot be had.
func (w *Writer) packOutline() []byte {
	o, err := w.s.outline(context.Background(), w.view()) // Close is not given up either
	if err != nil {
		w.s.log.Warn("log is finished without an outline", "log", w.key, "error", err)
		return nil
	}
	return w.s.packOutline(o)
}

// noteSealed adds the chunk that was sealed last to the outline of the log, if
// that has all chunks before: else it is read when somebody asks for it.
func (w *Writer) noteSealed(rows []byte) {
	chunk := len(w.frames) - 1
	o, ok := w.s.outlines.get(w.id)
	if !ok && chunk > 0 || ok && o.chunks != chunk {
		return
	}
	next := &outline{chunks: chunk + 1}
	if ok {
		next.commands = o.commands
	}
	heads, err := headRows(rows, w.viewLocked().before(chunk).rows+1)
	if err != nil {
		return
	}
	if len(heads) > 0 {
		next.commands = slices.Clone(next.commands)
		next.add(heads)
	}
	w.s.outlines.put(w.id, next)
}
