package main

import (
	"context"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
)

// killsVariable says how often TestSoak kills the server.
const killsVariable = "SLIPWAY_TEST_KILLS"

const (
	fewKills = 5
	// oldest is the age at which a server is killed at the latest. Some have not
	// come to listen by then.
	oldest = 2500 * time.Millisecond
	// perKill bounds what a kill takes, with its share of the builds.
	perKill = time.Minute
)

// soak is a server that is killed while it is used.
type soak struct {
	*machine
	repo *githubtest.Repo
	end  chan struct{} // closed when no more is to be asked of the server
	load sync.WaitGroup

	mu          sync.Mutex // guards what follows
	commits     []string   // pushed, by the number of their build less 1
	accepted    []string   // the GUIDs of webhooks that were answered with 202
	redelivered int        // webhooks that were not at first
	connections int        // of readers
	lines       int        // that they read
}

// TestSoak kills the server at random moments while commits are pushed, webhooks
// come and logs are read. Then everything is as if nobody had done so.
func TestSoak(t *testing.T) {
	t.Parallel()
	kills, began := fewKills, time.Now()
	if n, err := strconv.Atoi(os.Getenv(killsVariable)); err == nil {
		kills = n
	}
	s := &soak{machine: newMachine(t, "SLIPWAY_MAX_JOBS=3"), end: make(chan struct{})}
	ctx, cancel := context.WithTimeout(t.Context(), patience+time.Duration(kills)*perKill)
	defer s.load.Wait()
	defer cancel()
	s.ctx = ctx
	s.repo = s.machine.repo("app")
	keepForeign := s.foreign()
	s.load.Go(s.push)
	s.load.Go(s.announce)
	early := s.killAll(kills)
	s.boot()
	close(s.end)
	s.load.Wait()
	s.checkBuilds()
	s.waitSwept()
	s.shutdown()
	s.checkLedger()
	s.checkFiles()
	keepForeign()
	t.Logf("%d kills in %s, %d of them before the server listened: %d builds with one verdict each; %d webhooks accepted, %d commits announced again; %d lines read over %d connections; nothing left, nothing foreign touched",
		kills, time.Since(began).Round(time.Second), early, len(s.commits), len(s.accepted), s.redelivered, s.lines, s.connections)
}

// killAll kills one server after the other, and returns how many did not come
// to listen.
func (s *soak) killAll(kills int) (early int) {
	seed := rand.Uint64()
	s.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range kills {
		select { // what is tested is any moment
		case <-time.After(time.Duration(random.Int64N(int64(oldest)))):
		case <-s.ctx.Done():
			s.Fatal("there is no time left to kill the server")
		}
		_ = s.p.signal(syscall.SIGKILL)
		if !s.p.logged(s.ctx, "slipway is up") {
			early++
		}
		s.p = launchProcess(s.TB, s.env)
	}
	_ = s.p.signal(syscall.SIGKILL)
	return early
}

func (s *soak) ended() bool {
	select {
	case <-s.end:
		return true
	case <-s.ctx.Done():
		return true
	default:
		return false
	}
}

// foreign makes a volume of another server, and returns what checks that it was
// left alone.
func (s *soak) foreign() (check func()) {
	labels := map[string]string{runner.LabelServer: s.serverID + "-other", runner.LabelJob: "1"}
	e := s.dockerEngine()
	if _, err := e.CreateVolume(s.ctx, runner.VolumeSpec{Name: "slipway-" + s.serverID + "-other-1", Labels: labels}); err != nil {
		s.Fatal(err)
	}
	return func() {
		found, err := e.List(s.ctx, labels)
		if err != nil || len(found) != 1 {
			s.Errorf("of what another server made there is %v (%v)", found, err)
		}
		if err := runner.RemoveResources(s.ctx, e, found); err != nil {
			s.Error(err)
		}
	}
}

// checkLedger checks that every webhook is in the ledger that was accepted.
func (s *soak) checkLedger() {
	db, err := store.Open(s.ctx, filepath.Join(s.config.Data, "slipway.db"), store.Options{})
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, guid := range s.accepted {
		if _, err := db.DeliveryByGUID(s.ctx, guid); err != nil {
			s.Errorf("webhook %s was accepted: %v", guid, err)
		}
	}
}

// checkFiles checks that nothing unfinished is in the data directory.
func (s *soak) checkFiles() {
	err := filepath.WalkDir(s.config.Data, func(path string, _ fs.DirEntry, err error) error {
		name := filepath.Base(path)
		for _, bad := range []string{"*.lock", "tmp_*", ".tmp-*", "checkout-*", "create-*", "discard-*", "*.tail"} {
			if ok, _ := filepath.Match(bad, name); ok {
				s.Errorf("left in the data directory: %s", path)
			}
		}
		return err
	})
	if err != nil {
		s.Error(err)
	}
}
