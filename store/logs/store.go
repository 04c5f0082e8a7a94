package logs

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Errors that the calls of this package wrap.
var (
	// ErrNotFound: there is no log of that key. It is an fs.ErrNotExist too.
	ErrNotFound error = notFoundError{}
	// ErrBusy: the log has a writer.
	ErrBusy = errors.New("log has a writer")
	// ErrClosed: the writer was closed.
	ErrClosed = errors.New("writer is closed")
)

type notFoundError struct{}

func (notFoundError) Error() string { return "log not found" }
func (notFoundError) Unwrap() error { return fs.ErrNotExist }

const (
	defaultMaxStored = 512 << 20
	defaultCache     = 16 << 20
	viewBudget       = 8 << 20
	outlineBudget    = 4 << 20
)

// Options are options of a Store. The zero value is good.
type Options struct {
	// MaxStored is how many bytes of plain text are stored of one log; 0 means
	// 512 MiB. Rows beyond are counted and dropped, and a notice says so.
	MaxStored int64
	// CacheBytes bounds the memory for decompressed chunks; 0 means 16 MiB.
	CacheBytes int64
	// Logger hears of damage that was found and mended; nil means nobody.
	Logger *slog.Logger
}

// A Store keeps logs below one directory, which no other Store uses meanwhile.
// Its methods may be called concurrently. It holds nothing that needs closing.
//
// A log has a key: names of letters, digits, "-" and "_" with slashes between
// them, such as "12/3/4".
type Store struct {
	dir       string
	maxStored int64
	fill      int // bytes of rows after which a chunk is sealed; chunkSize save in tests
	log       *slog.Logger
	packer    *zstd.Encoder
	unpacker  *zstd.Decoder
	chunks    *lru[chunkKey, []byte] // encoded rows
	views     *lru[string, *view]    // of logs without a writer
	outlines  *lru[uint64, *outline] // by view.id
	lastID    atomic.Uint64          // of a view

	// removing is held by Remove, and shared by what finds files by key.
	removing sync.RWMutex
	// keys are held while a log is loaded or gets or loses its writer, so that
	// nobody loads files that are being written. A key's lock is found by its
	// hash.
	keys [64]sync.Mutex
	seed maphash.Seed

	mu       sync.Mutex // guards what follows; taken after keys
	writers  map[string]*Writer
	arrivals map[string]*arrival
}

type chunkKey struct {
	log   uint64 // view.id
	chunk int
}

// Open returns the store of the logs below dir, which is made if need be.
func Open(dir string, o Options) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open log store: %w", err)
	}
	packer, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false),
		zstd.WithEncoderConcurrency(runtime.GOMAXPROCS(0)), zstd.WithWindowSize(2*chunkSize), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("open log store: %w", err)
	}
	unpacker, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(maxChunk))
	if err != nil {
		return nil, fmt.Errorf("open log store: %w", err)
	}
	if o.MaxStored == 0 {
		o.MaxStored = defaultMaxStored
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = defaultCache
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Store{
		dir: dir, maxStored: o.MaxStored, fill: chunkSize, log: o.Logger, packer: packer, unpacker: unpacker,
		chunks:   newLRU[chunkKey](o.CacheBytes, func(b []byte) int64 { return int64(cap(b)) }),
		views:    newLRU[string](viewBudget, (*view).size),
		outlines: newLRU[uint64](outlineBudget, (*outline).size),
		seed:     maphash.MakeSeed(),
		writers:  map[string]*Writer{}, arrivals: map[string]*arrival{},
	}, nil
}

// Info describes a log.
type Info struct {
	Lines       int64     // rows stored
	Bytes       int64     // of plain text stored, the size of Text
	First, Last time.Time // of the first and the last row; zero if there is none
	Finished    bool      // the writer was closed, and nobody opened it again
	Truncated   bool      // rows were dropped because the log was too long
	Live        bool      // it has a writer
}

// Stat describes a log. It returns ErrNotFound if there is none.
func (s *Store) Stat(key string) (Info, error) {
	v, err := s.view(key)
	if err != nil {
		return Info{}, fmt.Errorf("stat log %s: %w", key, err)
	}
	return Info{
		Lines: v.state.rows, Bytes: v.state.text, First: fromMilli(v.state.first), Last: fromMilli(v.state.last),
		Finished: v.finished, Truncated: v.state.truncated, Live: v.writer,
	}, nil
}

// Remove removes the log of that key and all logs below it: Remove("12") those
// of build 12. It returns ErrBusy, and removes nothing, if one of them has a
// writer. Who reads one gets ErrNotFound soon.
func (s *Store) Remove(prefix string) error {
	if err := checkKey(prefix); err != nil {
		return err
	}
	s.removing.Lock()
	defer s.removing.Unlock()
	if s.busy(prefix) {
		return fmt.Errorf("remove logs %s: %w", prefix, ErrBusy)
	}
	s.views.removeFunc(func(key string) bool { return under(key, prefix) })
	path := s.path(prefix)
	err := os.RemoveAll(path)
	for _, suffix := range []string{logSuffix, tailSuffix} {
		if e := os.Remove(path + suffix); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	if err != nil {
		return fmt.Errorf("remove logs %s: %w", prefix, err)
	}
	return nil
}

// busy reports whether a log with that prefix has a writer.
func (s *Store) busy(prefix string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.writers {
		if under(key, prefix) {
			return true
		}
	}
	return false
}

// view returns the log as it is now.
func (s *Store) view(key string) (*view, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	if w := s.writer(key); w != nil {
		return w.view(), nil
	}
	if v, ok := s.views.get(key); ok {
		return v, nil
	}
	s.removing.RLock()
	defer s.removing.RUnlock()
	lock := s.keyLock(key)
	lock.Lock()
	defer lock.Unlock()
	if w := s.writer(key); w != nil {
		return w.view(), nil
	}
	if v, ok := s.views.get(key); ok {
		return v, nil
	}
	c, err := load(s.path(key))
	if err != nil {
		return nil, err
	}
	v := &view{
		id: s.lastID.Add(1), path: s.path(key),
		frames: c.frames, rows: c.rows, state: c.state, finished: c.finished, outline: c.outline,
	}
	s.views.put(key, v)
	return v, nil
}

// writer returns the writer of a log, nil if it has none.
func (s *Store) writer(key string) *Writer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writers[key]
}

func (s *Store) keyLock(key string) *sync.Mutex {
	return &s.keys[maphash.String(s.seed, key)%uint64(len(s.keys))]
}
