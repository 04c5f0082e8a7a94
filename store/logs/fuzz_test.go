package logs

import (
	"encoding/binary"
	"testing"
)

func FuzzDecodeRow(f *testing.F) {
	for _, l := range source()[:8] {
		f.Add((&row{Line: l, brk: true}).appendTo(nil))
	}
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, n, err := decodeRow(b)
		if err != nil {
			return
		}
		again, m, err := decodeRow(r.appendTo(nil))
		if err != nil || m > n {
			t.Fatalf("%d bytes decode, encode to %d and then %v", n, m, err)
		}
		diffLines(t, []Line{again.Line}, []Line{r.Line})
		if text := r.appendText(nil); int64(len(text)) != r.textSize() {
			t.Fatalf("text of %d bytes, textSize %d", len(text), r.textSize())
		}
	})
}

// FuzzFiles opens a log whose files hold anything: what is read before it is
// opened for writing must be there after, and appending must work.
func FuzzFiles(f *testing.F) {
	s := openStore(f, f.TempDir(), 250, Options{})
	w := create(f, s)
	appendLines(f, w, source()[:20]...)
	log, tail := readFiles(f, s.dir)
	f.Add(log, tail, true)
	f.Add(log, tail, false)
	closeLog(f, w)
	log, _ = readFiles(f, s.dir)
	f.Add(log, []byte(nil), false)
	f.Add([]byte(nil), make([]byte, 200), true)
	f.Fuzz(func(t *testing.T, log, tail []byte, mend bool) {
		if mend {
			mendSums(log, tail)
		}
		dir := t.TempDir()
		writeFiles(t, dir, log, tail)
		s := openStore(t, dir, 250, Options{})
		before, err := tryCollect(s, 1, -1)
		if err != nil {
			return // seen to be spoiled
		}
		w := create(t, s)
		appendLines(t, w, out("appended"))
		info, err := s.Stat(key)
		if err != nil {
			t.Fatal(err)
		}
		after := collect(t, s, 1, -1)
		diffLines(t, after[:len(before)], before)
		if !info.Truncated && string(after[len(after)-1].Text) != "appended" {
			t.Fatalf("last row is %q", after[len(after)-1].Text)
		}
		closeLog(t, w)
		diffLines(t, collect(t, openStore(t, dir, 250, Options{}), 1, -1), after)
	})
}

// mendSums makes the checksums right of what begins a log and of the records of
// a tail, so that what they protect is looked at.
func mendSums(log, tail []byte) {
	if len(log) >= headerSize {
		putSum(log[:headerSize])
	}
	if len(tail) < tailHeadSize {
		return
	}
	putSum(tail[:tailHeadSize])
	chunk, off := int(le32(tail[4:])), int64(tailHeadSize)
	for int64(len(tail))-off >= recordHead {
		end := off + recordHead + int64(le32(tail[off:]))
		if end > int64(len(tail)) {
			return
		}
		endRecord(tail[:end], int(off), chunk, off)
		off = end
	}
}

// putSum makes the last four bytes the checksum of those before.
func putSum(b []byte) {
	n := len(b) - 4
	binary.LittleEndian.PutUint32(b[n:], checksum(b[:n]))
}

func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
