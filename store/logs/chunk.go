package logs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

// chunk returns the encoded rows of a chunk.
func (s *Store) chunk(v *view, n int) ([]byte, error) {
	if n == len(v.frames) {
		return v.rows, nil
	}
	key := chunkKey{v.id, n}
	if rows, ok := s.chunks.get(key); ok {
		return rows, nil
	}
	rows, err := s.read(v.path+logSuffix, &v.frames[n])
	if errors.Is(err, fs.ErrNotExist) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read chunk %d of log: %w", n, err)
	}
	s.chunks.put(key, rows)
	return rows, nil
}

// read reads a sealed chunk.
func (s *Store) read(path string, f *frame) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	_, rows, err := s.unpack(file, f, nil, make([]byte, 0, f.raw))
	return rows, err
}

// unpack reads a sealed chunk into the memory of buf and rows, which it returns
// as they are then.
func (s *Store) unpack(file io.ReaderAt, f *frame, buf, rows []byte) (_, _ []byte, err error) {
	buf = slices.Grow(buf[:0], headerSize+int(f.packed))[:headerSize+int(f.packed)]
	if _, err := file.ReadAt(buf, f.offset); err != nil {
		return buf, rows, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	packed := buf[headerSize:]
	if !bytes.Equal(buf[:headerSize], f.appendTo(nil)) || checksum(packed) != f.crc {
		return buf, rows, ErrCorrupt
	}
	rows, err = s.unpacker.DecodeAll(packed, rows[:0])
	if err != nil || len(rows) != int(f.raw) {
		return buf, rows, ErrCorrupt
	}
	return buf, rows, nil
}
