package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/dustin/go-humanize"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
)

// Magic numbers of file systems on which locks and SQLite's shared memory do not
// hold between machines, from statfs(2). See https://sqlite.org/wal.html.
var remoteFileSystems = map[uint32]string{0x6969: "NFS", 0xff534d42: "CIFS", 0xfe534d42: "SMB", 0x517b: "SMB"}

// checkData looks whether the data directory is safe, and who uses it.
func (d *doctor) checkData(context.Context) (found findings) {
	dir := d.config.Data
	st, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		found.warn(dir+" does not exist yet; the first start makes it", "if a server runs here, set SLIPWAY_DATA to where its data is")
		return found
	case err != nil:
		found.mend(err.Error(), "run as the user that the server runs as")
		return found
	case !st.IsDir():
		found.mend(dir+" is no directory", "set SLIPWAY_DATA to a directory")
		return found
	}
	if open := st.Mode().Perm() &^ 0o700; open != 0 {
		found.warn(fmt.Sprintf("others of this machine may look into %s (%s): logs and private source are in it", dir, st.Mode().Perm()), "chmod 700 "+dir)
	}
	if syscall.Access(dir, 2 /* W_OK */) != nil {
		found.mend("no permission to write to "+dir, "run as the user that the server runs as, or give it the directory: chown -R")
	}
	var on syscall.Statfs_t
	if err := syscall.Statfs(dir, &on); err == nil {
		if name, ok := remoteFileSystems[uint32(on.Type)]; ok {
			found.mend(dir+" is on "+name+", where databases get damaged", "move it to a disk of this machine")
		}
	}
	running, err := locked(dir)
	if err != nil {
		found.mend(err.Error(), "run as the user that the server runs as")
	}
	who := "no server uses it now"
	if running {
		who = "a server uses it"
	}
	return found.orOK(dir + ", " + who)
}

// locked reports whether a server has locked the data directory. The lock is
// tried as one among readers and given back at once.
func locked(dir string) (bool, error) {
	f, err := os.Open(filepath.Join(dir, "lock"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }()
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}

// recentRepos is in how many repositories the token is tried, if none are named.
const recentRepos = 5

func (d *doctor) checkDatabase(ctx context.Context) (found findings) {
	path := filepath.Join(d.config.Data, "slipway.db")
	const restore = "stop the server, and restore the newest backup of the data directory; without one: sqlite3 slipway.db .recover"
	db, err := store.Inspect(ctx, path, recentRepos)
	d.recent.Store(&db.Repos)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		found.ok("there is none yet")
		return found
	case errors.Is(err, fs.ErrPermission):
		found.mend(err.Error(), "run as the user that the server runs as")
		return found
	case err != nil:
		found.mend("it cannot be read: "+err.Error(), restore)
		return found
	case len(db.Damage) > 0:
		found.mend(path+" is damaged: "+strings.Join(db.Damage, "; "), restore)
		return found
	}
	if len(db.Dangling) > 0 {
		found.mend("rows that refer to nothing in "+strings.Join(db.Dangling, ", "), restore)
	}
	switch {
	case db.Schema > db.Newest:
		found.mend(fmt.Sprintf("a newer slipway has written it: schema %d, and this program knows %d", db.Schema, db.Newest), "run that version or a newer one")
	case db.Schema < db.Newest:
		found.warn(fmt.Sprintf("schema %d is behind this program's %d", db.Schema, db.Newest), "start the server of this version, which brings it up to date")
	}
	return found.orOK(fmt.Sprintf("sound, schema %d, %s", db.Schema, humanize.IBytes(uint64(db.Bytes))))
}

// readLogs is how many logs are compared with their checksums.
const readLogs = 200

func (d *doctor) checkLogs(ctx context.Context) (found findings) {
	l, err := logs.Inspect(ctx, filepath.Join(d.config.Data, "logs"), readLogs)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		found.ok("there are none yet")
		return found
	case err != nil:
		found.mend(err.Error(), "run as the user that the server runs as; otherwise see whether the disk fails: dmesg")
		return found
	case len(l.Damaged) > 0:
		found.mend(fmt.Sprintf("damaged: %d of the newest %d, such as %s", len(l.Damaged), l.Read, l.Damaged[0]),
			"see whether the disk fails (dmesg, smartctl); the logs can only be restored from a backup")
		return found
	}
	found.ok(fmt.Sprintf("%d in %s; the newest %d are whole", l.Logs, humanize.IBytes(uint64(l.Bytes)), l.Read))
	return found
}
