package logs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Create opens a log for writing: a new one, or one that exists, after its last
// whole row. A finished log is no longer finished then. It returns ErrBusy if
// the log has a writer already. The caller closes the Writer.
func (s *Store) Create(key string) (*Writer, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	s.removing.RLock()
	defer s.removing.RUnlock()
	lock := s.keyLock(key)
	lock.Lock()
	defer lock.Unlock()
	if s.writer(key) != nil {
		return nil, fmt.Errorf("create log %s: %w", key, ErrBusy)
	}
	w, err := s.openWriter(key)
	if err != nil {
		return nil, fmt.Errorf("create log %s: %w", key, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writers[key] = w
	if a := s.arrivals[key]; a != nil {
		close(a.created)
		delete(s.arrivals, key)
	}
	return w, nil
}

// openWriter loads what there is of a log and cuts what is torn.
func (s *Store) openWriter(key string) (*Writer, error) {
	path := s.path(key)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	c, err := load(path)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	tail, err := os.OpenFile(path+tailSuffix, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	w := &Writer{
		s: s, key: key, path: path, id: s.lastID.Add(1),
		tail: tail, tailEnd: c.tailEnd, logEnd: framesEnd(c.frames), skip: c.state.pieces,
		published: published{frames: c.frames, rows: c.rows, state: c.state},
	}
	s.views.removeFunc(func(k string) bool { return k == key })
	if err := w.cutTorn(&c); err != nil {
		return nil, errors.Join(err, tail.Close())
	}
	return w, nil
}

// cutTorn leaves in the files of a log what was found whole, and the index out.
// The tail comes first: it takes over what only the index knows.
func (w *Writer) cutTorn(c *content) error {
	info, err := w.tail.Stat()
	if err != nil {
		return err
	}
	tailTorn := info.Size() - w.tailEnd
	if w.tailEnd == 0 {
		err = w.startTail()
	} else if !c.state.truncated { // else the counts of what was dropped stand there
		err = w.tail.Truncate(w.tailEnd)
	}
	if err != nil {
		return fmt.Errorf("cut tail: %w", err)
	}
	logTorn := c.logSize - w.logEnd
	if logTorn > 0 {
		if err := os.Truncate(w.path+logSuffix, w.logEnd); err != nil {
			return fmt.Errorf("cut sealed log: %w", err)
		}
	}
	if !c.finished && (logTorn > 0 || tailTorn > 0 && !c.state.truncated) {
		w.s.log.Info("cut torn end of log", "log", w.key, "sealed_bytes", logTorn, "tail_bytes", tailTorn, "rows", c.state.rows)
	}
	return nil
}

// forget ends the use of a log by its writer. Its last view serves from now on,
// if the files are as it says.
func (s *Store) forget(w *Writer, keep bool) {
	lock := s.keyLock(w.key)
	lock.Lock()
	defer lock.Unlock()
	if keep {
		v := w.view()
		v.writer = false
		s.views.put(w.key, v)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.writers, w.key)
}

// An arrival is a log without a writer that someone waits for to get one.
type arrival struct {
	created chan struct{}
	waiting int // guarded by Store.mu
}

// await returns a channel that is closed when the log gets a writer, and at
// once if it has one. The caller calls stop when it waits no longer.
func (s *Store) await(key string) (created <-chan struct{}, stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.arrivals[key]
	switch {
	case s.writers[key] != nil:
		a = &arrival{created: make(chan struct{})}
		close(a.created)
	case a == nil:
		a = &arrival{created: make(chan struct{})}
		s.arrivals[key] = a
	}
	a.waiting++
	return a.created, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if a.waiting--; a.waiting == 0 && s.arrivals[key] == a {
			delete(s.arrivals, key)
		}
	}
}
