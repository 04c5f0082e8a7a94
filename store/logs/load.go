package logs

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// content is what the files of a log hold, without what was torn at their ends.
type content struct {
	frames   []frame
	rows     []byte // encoded; of the chunk after the last frame
	state    state
	finished bool

	outline int64 // bytes of the outline of a finished log
	logSize int64 // of the file, torn bytes and index included
	tailEnd int64 // where the next record goes; 0 if the header is to be written
}

// load reads the files of a log, which nobody writes meanwhile. It returns
// ErrNotFound if there is neither. path has no suffix.
func load(path string) (content, error) {
	c, logErr := loadLog(path + logSuffix)
	if logErr != nil && !errors.Is(logErr, fs.ErrNotExist) {
		return content{}, fmt.Errorf("read sealed log: %w", logErr)
	}
	if c.finished {
		return c, nil
	}
	tail, err := readTail(path + tailSuffix)
	switch {
	case errors.Is(err, fs.ErrNotExist) && logErr != nil:
		return content{}, ErrNotFound
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return content{}, fmt.Errorf("read tail of log: %w", err)
	}
	t := replay(tail, len(c.frames), c.state)
	c.rows, c.state, c.tailEnd = t.rows, t.state, t.end
	return c, nil
}

// readTail reads a tail, and no more than a tail can be long.
func readTail(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxTail))
}

// loadLog reads the sealed frames by the index or, where the log is not
// finished, one after the other.
func loadLog(path string) (c content, err error) {
	f, err := os.Open(path)
	if err != nil {
		return c, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return c, err
	}
	c.logSize = info.Size()
	if c.frames, c.state, c.finished, err = readIndex(f, c.logSize); err != nil {
		return c, err
	}
	if c.finished {
		c.outline = c.logSize - indexLength(len(c.frames)) - framesEnd(c.frames)
		return c, nil
	}
	if c.frames, err = scanFrames(f, c.logSize); err != nil {
		return c, err
	}
	if n := len(c.frames); n > 0 {
		c.state = c.frames[n-1].after
	}
	return c, nil
}

// readIndex reads the index at the end of a finished log. It returns false if
// there is none that is whole.
func readIndex(r io.ReaderAt, size int64) ([]frame, state, bool, error) {
	if size < trailerSize {
		return nil, state{}, false, nil
	}
	trailer := make([]byte, trailerSize)
	if _, err := r.ReadAt(trailer, size-trailerSize); err != nil {
		return nil, state{}, false, err
	}
	n, ok := indexSize(trailer)
	if !ok || n > size {
		return nil, state{}, false, nil
	}
	index := make([]byte, n)
	if _, err := r.ReadAt(index, size-n); err != nil {
		return nil, state{}, false, err
	}
	frames, st, ok := decodeIndex(index, size-n)
	return frames, st, ok, nil
}

// scanFrames reads all frames up to the first that is not whole. It checks the
// rows too: after a power cut a file may have its length and not its bytes.
func scanFrames(r io.Reader, size int64) ([]frame, error) {
	br := bufio.NewReaderSize(r, 4*chunkSize)
	var frames []frame
	header := make([]byte, headerSize)
	for {
		if ok, err := readWhole(br, header); !ok {
			return frames, err
		}
		f, ok := decodeFrame(header, frames)
		if !ok || f.end() > size {
			return frames, nil
		}
		packed := make([]byte, f.packed)
		if ok, err := readWhole(br, packed); !ok {
			return frames, err
		}
		if checksum(packed) != f.crc {
			return frames, nil
		}
		frames = append(frames, f)
	}
}

// readWhole fills b; it returns false and no error where the file ends before.
func readWhole(r io.Reader, b []byte) (bool, error) {
	_, err := io.ReadFull(r, b)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return false, nil
	}
	return err == nil, err
}
