package logs

import (
	"encoding/binary"
	"hash/crc32"
)

// The tail holds the rows of the chunk that is being filled, as they came.
const (
	tailMagic    = 0x31544c53 // "SLT1"
	tailHeadSize = 2*4 + stateSize + 4
	recordHead   = 4 + 4 + 1
	// maxTail is more than a tail ever has: a record a row, and each row the
	// smallest there is.
	maxTail = tailHeadSize + 3*maxChunk
)

// Kinds of records.
const (
	recordRows   = 1 // rows
	recordCounts = 2 // counts after the log was cut; written over at each Append
)

// appendTailHead appends the header of the tail of a chunk to b. st is the
// state before the chunk.
func appendTailHead(b []byte, chunk int, st *state) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint32(b, tailMagic)
	b = binary.LittleEndian.AppendUint32(b, uint32(chunk))
	b = st.appendTo(b)
	return binary.LittleEndian.AppendUint32(b, checksum(b[start:]))
}

// decodeTailHead returns false if b does not begin with the header of the tail
// of that chunk.
func decodeTailHead(b []byte, chunk int) (state, bool) {
	le := binary.LittleEndian
	const sum = tailHeadSize - 4
	if len(b) < tailHeadSize || le.Uint32(b) != tailMagic || le.Uint32(b[sum:]) != checksum(b[:sum]) ||
		int64(le.Uint32(b[4:])) != int64(chunk) {
		return state{}, false
	}
	return decodeState(b[8:]), true
}

// beginRecord makes room for the head of a record, which endRecord fills.
func beginRecord(b []byte, kind byte) []byte {
	return append(b, 0, 0, 0, 0, 0, 0, 0, 0, kind)
}

// endRecord completes the record that begins at b[start] and will be written to
// the tail of that chunk at offset off.
func endRecord(b []byte, start, chunk int, off int64) {
	rec := b[start:]
	binary.LittleEndian.PutUint32(rec, uint32(len(rec)-recordHead))
	binary.LittleEndian.PutUint32(rec[4:], recordSum(rec[8:], chunk, off))
}

// recordSum is the CRC of a record's kind and payload. It covers the place too,
// so that a record which comes back from an earlier use of the same block of
// the disk is not taken for one of this chunk.
func recordSum(b []byte, chunk int, off int64) uint32 {
	var place [12]byte
	binary.LittleEndian.PutUint32(place[:], uint32(chunk))
	binary.LittleEndian.PutUint64(place[4:], uint64(off))
	return crc32.Update(checksum(place[:]), castagnoli, b)
}

// nextRecord returns the kind and payload of the record at offset off of the
// tail, and false if there is no whole one.
func nextRecord(tail []byte, chunk int, off int64) (kind byte, payload []byte, ok bool) {
	b := tail[off:]
	if len(b) < recordHead {
		return 0, nil, false
	}
	n := binary.LittleEndian.Uint32(b)
	if uint64(n) > uint64(len(b)-recordHead) {
		return 0, nil, false
	}
	b = b[:recordHead+int(n)]
	if binary.LittleEndian.Uint32(b[4:]) != recordSum(b[8:], chunk, off) {
		return 0, nil, false
	}
	return b[8], b[recordHead:], true
}

// replay reads the tail of that chunk up to the first record that is not whole.
// before is the state the frames tell; it holds where the tail does not go on
// from there.
func replay(tail []byte, chunk int, before state) (c tailContent) {
	c.state = before
	st, ok := decodeTailHead(tail, chunk)
	if !ok || st.rows != before.rows || st.text != before.text {
		return c
	}
	c.state, c.end = st, tailHeadSize
	for {
		kind, payload, ok := nextRecord(tail, chunk, c.end)
		if !ok {
			return c
		}
		if kind == recordCounts && len(payload) == countsSize && c.state.truncated {
			c.state.decodeCounts(payload)
			return c // the next Append writes over it
		}
		st, ok := c.state, kind == recordRows && len(payload) > 0 && len(c.rows)+len(payload) <= maxChunk
		if !ok || !st.storeAll(payload) {
			return c
		}
		c.state = st
		c.rows = append(c.rows, payload...)
		c.end += int64(recordHead + len(payload))
	}
}

// tailContent is what replay found.
type tailContent struct {
	state state  // after the last row
	rows  []byte // encoded
	end   int64  // where the next record goes; 0 if the header is to be written
}

// storeAll adds encoded rows to the state. It returns false, with the state
// spoiled, if they are malformed.
func (s *state) storeAll(rows []byte) bool {
	for len(rows) > 0 {
		r, n, err := decodeRow(rows)
		if err != nil {
			return false
		}
		s.store(&r)
		rows = rows[n:]
	}
	return true
}
