package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestRestoredBackup: the data directory without its mirrors, as the manual has it
// backed up, is all that a server needs.
func TestRestoredBackup(t *testing.T) {
	w := newWorld(t)
	r := w.repo("app")
	files := w.files("steps: [{name: test, image: IMAGE, commands: echo from the first build}]\n")
	w.wantVerdict(r, w.push(r, files), "success: passed in …")
	w.stop()
	restored := filepath.Join(t.TempDir(), "restored")
	if err := os.CopyFS(restored, os.DirFS(w.config.Data)); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{w.config.Data, filepath.Join(restored, "mirrors")} {
		if err := os.RemoveAll(gone); err != nil {
			t.Fatal(err)
		}
	}
	w.config.Data = restored
	w.start()
	w.wantLines(w.log(r, 1, 1, 1), "from the first build")
	files["second"] = "2"
	w.wantVerdict(r, w.push(r, files), "success: passed in …")
	if b := w.build(r, 2); b.Status != "success" {
		t.Errorf("the build after the restore: %+v", b)
	}
}
