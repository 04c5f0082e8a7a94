package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Mirrors is a directory of bare mirrors, "<key>.git" for each repository. The
// key is the caller's name for a repository; it is a file name of letters,
// digits, '.', '_' and '-'.
//
// All methods may be called concurrently. A directory belongs to one Mirrors:
// no other process may use it at the same time.
type Mirrors struct {
	dir string
	tmp string // checkouts, and mirrors on their way in or out
	env []string
	log *slog.Logger

	mu   sync.Mutex
	open map[string]*mirror // by key; guarded by mu
}

// A mirror is what is known of one repository's mirror in this process.
type mirror struct {
	key string
	dir string
	// turn holds a token while someone writes to the mirror. It is a channel so
	// that waiting for one's turn ends with the context.
	turn chan struct{}
	// use is held for reading by those who read objects, and for writing by the
	// holder of the turn while the directory is taken away.
	use sync.RWMutex

	mu      sync.Mutex
	dirty   bool // a writer may have been cut off: locks may be left; guarded by mu
	suspect bool // objects were found missing or broken; guarded by mu
}

// Open returns the mirrors below dir, which it creates if need be. What earlier
// processes left in dir/tmp is removed. It fails if there is no usable git.
func Open(dir string, log *slog.Logger) (*Mirrors, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open mirrors: %w", err)
	}
	m := &Mirrors{dir: dir, tmp: filepath.Join(dir, "tmp"), log: log, open: make(map[string]*mirror)}
	if err := os.RemoveAll(m.tmp); err != nil {
		return nil, fmt.Errorf("remove leftovers: %w", err)
	}
	home := filepath.Join(m.tmp, "home")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, fmt.Errorf("open mirrors: %w", err)
	}
	m.env = baseEnv(home)
	if err := checkGit(m.env); err != nil {
		return nil, fmt.Errorf("open mirrors: %w", err)
	}
	return m, nil
}

// checkGit fails if git is missing or too old to take its settings from the
// environment: it would ignore them, and with them every protection.
func checkGit(env []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", "version")
	cmd.Env = env
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("run git: %w", err)
	}
	version := strings.TrimSpace(string(out))
	var major, minor int
	if _, err := fmt.Sscanf(version, "git version %d.%d", &major, &minor); err != nil {
		return fmt.Errorf("read git's version %q: %w", version, err)
	}
	if major < 2 || major == 2 && minor < 31 {
		return fmt.Errorf("%s is too old, 2.31 is needed", version)
	}
	return nil
}

// mirror returns the mirror with that key, which need not exist on disk.
func (m *Mirrors) mirror(key string) (*mirror, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	mir := m.open[key]
	if mir == nil {
		mir = &mirror{
			key:   key,
			dir:   filepath.Join(m.dir, key+".git"),
			turn:  make(chan struct{}, 1),
			dirty: true, // the process before this one may have been killed
		}
		m.open[key] = mir
	}
	return mir, nil
}

// take waits for the turn to write; done gives it back.
func (mir *mirror) take(ctx context.Context) (done func(), err error) {
	select {
	case mir.turn <- struct{}{}:
		return func() { <-mir.turn }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (mir *mirror) exists() bool {
	info, err := os.Lstat(mir.dir)
	return err == nil && info.IsDir()
}

// flag returns and clears one of the flags.
func (mir *mirror) flag(f *bool) bool {
	mir.mu.Lock()
	defer mir.mu.Unlock()
	was := *f
	*f = false
	return was
}

func (mir *mirror) setFlag(f *bool) {
	mir.mu.Lock()
	defer mir.mu.Unlock()
	*f = true
}

// read runs f while the mirror stays where it is. If what f returns speaks of
// broken objects, the next Fetch makes the mirror anew.
func (mir *mirror) read(f func() error) error {
	mir.use.RLock()
	defer mir.use.RUnlock()
	if !mir.exists() {
		return fmt.Errorf("%w: there is no mirror %s", ErrCommitNotFound, mir.key)
	}
	err := f()
	if isCorrupt(err) {
		mir.setFlag(&mir.suspect)
	}
	return err
}

// Remove removes a mirror and those of its submodules, after those that use
// them. One that does not exist is no error. A Fetch meanwhile may make them anew.
func (m *Mirrors) Remove(ctx context.Context, key string) error {
	if err := m.each(ctx, key, m.discard); err != nil {
		return fmt.Errorf("remove mirror: %w", err)
	}
	return nil
}

// each calls f for the mirror with that key and those of its submodules, one
// after the other, each in its turn.
func (m *Mirrors) each(ctx context.Context, key string, f func(*mirror) error) error {
	if err := checkKey(key); err != nil {
		return err
	}
	keys, err := m.family(key)
	if err != nil {
		return err
	}
	for _, k := range keys {
		mir, err := m.mirror(k)
		if err != nil {
			return err
		}
		done, err := mir.take(ctx)
		if err != nil {
			return err
		}
		err = f(mir)
		done()
		if err != nil {
			return err
		}
	}
	return nil
}

// discard takes the mirror away in one motion, so that no half of it is ever
// found, and removes it. The caller has the turn.
func (m *Mirrors) discard(mir *mirror) error {
	away, err := os.MkdirTemp(m.tmp, "discard-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(away) }() // or Open does it
	mir.use.Lock()
	defer mir.use.Unlock()
	err = os.Rename(mir.dir, filepath.Join(away, "mirror"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
