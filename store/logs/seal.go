package logs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// write writes the records of a batch to the tail.
func (w *Writer) write(b *batch) error {
	chunk, start := len(w.frames), 0
	if len(b.buf) > recordHead {
		endRecord(b.buf, 0, chunk, w.tailEnd)
		start = len(b.buf)
	} else {
		b.buf = b.buf[:0]
	}
	if b.dropped {
		b.buf = b.state.appendCounts(beginRecord(b.buf, recordCounts))
		endRecord(b.buf, start, chunk, w.tailEnd+int64(start))
	}
	w.buf = b.buf
	if cap(w.buf) > 2*chunkSize {
		w.buf = nil
	}
	if len(b.buf) == 0 {
		return nil
	}
	if _, err := w.tail.WriteAt(b.buf, w.tailEnd); err != nil {
		return fmt.Errorf("write tail: %w", err)
	}
	w.tailEnd += int64(start)
	return nil
}

// startTail empties the tail and writes its header. It is emptied first: at no
// moment may records of an earlier chunk stand behind the header of this one.
func (w *Writer) startTail() error {
	if err := w.tail.Truncate(0); err != nil {
		return fmt.Errorf("empty tail: %w", err)
	}
	head := appendTailHead(nil, len(w.frames), &w.state)
	if _, err := w.tail.WriteAt(head, 0); err != nil {
		return fmt.Errorf("write tail: %w", err)
	}
	w.tailEnd = tailHeadSize
	return nil
}

// seal appends the chunk that is being filled to the sealed ones.
func (w *Writer) seal() error {
	buf := w.s.packer.EncodeAll(w.rows, make([]byte, headerSize, headerSize+len(w.rows)/4))
	packed := buf[headerSize:]
	f := frame{
		chunk: uint32(len(w.frames)), raw: uint32(len(w.rows)), packed: uint32(len(packed)), crc: checksum(packed),
		after: w.state, offset: w.logEnd,
	}
	f.appendTo(buf[:0])
	if err := w.writeLog(buf, false); err != nil {
		return fmt.Errorf("seal chunk: %w", err)
	}
	w.logEnd, w.tailEnd = f.end(), 0
	w.s.chunks.put(chunkKey{w.id, len(w.frames)}, w.rows)
	rows := w.rows
	w.publish(func(p *published) { p.frames, p.rows = append(p.frames, f), nil })
	w.noteSealed(rows)
	return nil
}

// writeLog writes b where the next frame goes and, if sync is set, makes the
// file end there and durable. The file is opened for each of its rare writes,
// so that a writer holds one descriptor.
func (w *Writer) writeLog(b []byte, sync bool) error {
	f, err := os.OpenFile(w.path+logSuffix, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, w.logEnd)
	if err == nil && sync {
		if err = f.Truncate(w.logEnd + int64(len(b))); err == nil {
			err = f.Sync()
		}
	}
	return errors.Join(err, f.Close())
}

// finish seals what is left, and writes the outline and the index. The tail goes
// last.
func (w *Writer) finish() error {
	if len(w.rows) > 0 {
		if err := w.seal(); err != nil {
			return err
		}
	}
	outline := w.packOutline()
	if err := w.writeLog(appendIndex(outline, w.frames, &w.state), true); err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	w.publish(func(p *published) { p.outline = int64(len(outline)) })
	if err := w.s.syncDirs(w.path); err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	if err := os.Remove(w.path + tailSuffix); err != nil {
		w.s.log.Warn("tail of a finished log stays", "log", w.key, "error", err)
	}
	return nil
}

// flush makes the files durable as they are.
func (w *Writer) flush() error {
	err := w.tail.Sync()
	if len(w.frames) > 0 {
		err = errors.Join(err, syncFile(w.path+logSuffix))
	}
	return errors.Join(err, w.s.syncDirs(w.path))
}

// syncDirs makes the names of a log's files durable. path has no suffix.
func (s *Store) syncDirs(path string) error {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if err := syncFile(dir); err != nil {
			return err
		}
		if dir == filepath.Clean(s.dir) {
			return nil
		}
	}
}

// syncFile makes a file or directory durable.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
