package logs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
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
	rows, err := s.unpack(v.path+logSuffix, &v.frames[n])
	if errors.Is(err, fs.ErrNotExist) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read chunk %d of log: %w", n, err)
	}
	s.chunks.put(key, rows)
	return rows, nil
}

// unpack reads a sealed chunk.
func (s *Store) unpack(path string, f *frame) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	buf := make([]byte, headerSize+int(f.packed))
	if _, err := file.ReadAt(buf, f.offset); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	packed := buf[headerSize:]
	if !bytes.Equal(buf[:headerSize], f.appendTo(nil)) || checksum(packed) != f.crc {
		return nil, ErrCorrupt
	}
	rows, err := s.unpacker.DecodeAll(packed, make([]byte, 0, f.raw))
	if err != nil || len(rows) != int(f.raw) {
		return nil, ErrCorrupt
	}
	return rows, nil
}
