package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestFind(t *testing.T) {
	tests := []struct {
		name string
		tree []string
		want []string // nil: ErrNone
	}{
		{"nothing", []string{"README.md", "drone.yml"}, nil},
		{"Drone's last", []string{".drone.yml", "README.md"}, []string{".drone.yml"}},
		{"Woodpecker's before Drone's", []string{".drone.yml", ".woodpecker.yml"}, []string{".woodpecker.yml"}},
		{"folder, sorted", []string{".slipway/b.yml", ".slipway/a.yaml", ".slipway.yml", ".woodpecker.yml"}, []string{".slipway/a.yaml", ".slipway/b.yml"}},
		{"no subfolders, nothing else", []string{".slipway/a.yml", ".slipway/sub/b.yml", ".slipway/c.sh", ".slipway/d.yml/e"}, []string{".slipway/a.yml"}},
		{"folder without any", []string{".slipway/run.sh", ".slipway.yaml"}, []string{".slipway.yaml"}},
		{"yml before yaml", []string{".slipway.yaml", ".slipway.yml"}, []string{".slipway.yml"}},
		{"ours before Woodpecker's", []string{".woodpecker/a.yml", ".slipway.yaml"}, []string{".slipway.yaml"}},
		{"Woodpecker's folder", []string{".woodpecker/b.yaml", ".woodpecker/a.yml", ".woodpecker.yml"}, []string{".woodpecker/a.yml", ".woodpecker/b.yaml"}},
		{"Woodpecker's yaml before yml", []string{".woodpecker.yml", ".woodpecker.yaml"}, []string{".woodpecker.yaml"}},
		{"file called as the folder", []string{".slipway", ".woodpecker.yml"}, []string{".woodpecker.yml"}},
		{"folder called as the file", []string{".slipway.yml/x", ".woodpecker.yml"}, []string{".woodpecker.yml"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fsys := fstest.MapFS{}
			for _, name := range tt.tree {
				fsys[name] = &fstest.MapFile{Data: []byte("of " + name)}
			}
			files, err := Find(fsys)
			if tt.want == nil {
				if !errors.Is(err, ErrNone) {
					t.Fatalf("got %v, %v; want ErrNone", files, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range files {
				got = append(got, f.Path)
				if string(f.Data) != "of "+f.Path {
					t.Errorf("%s holds %q", f.Path, f.Data)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFindBounds(t *testing.T) {
	big := make([]byte, MaxFileBytes+1)
	_, err := Find(fstest.MapFS{".slipway/a.yml": {Data: big}, ".slipway/b.yml": {}, ".slipway/c.yml": {Data: big}})
	want := []string{
		".slipway/a.yml: is larger than 1024 KiB; move long scripts into files of their own and call them",
		".slipway/c.yml: is larger than 1024 KiB; move long scripts into files of their own and call them",
	}
	if diff := cmp.Diff(want, lines(err)); diff != "" {
		t.Errorf("large files (-want +got):\n%s", diff)
	}
	if _, err := Find(fstest.MapFS{".slipway.yml": {Data: big[1:]}}); err != nil {
		t.Errorf("the largest file: %v", err)
	}
	many := fstest.MapFS{}
	for i := range MaxFiles {
		many[fmt.Sprintf(".slipway/%03d.yml", i)] = &fstest.MapFile{}
	}
	if _, err := Find(many); err != nil {
		t.Errorf("the most files: %v", err)
	}
	many[".slipway/more.yml"] = &fstest.MapFile{}
	_, err = Find(many)
	want = []string{".slipway/more.yml: .slipway has 101 pipeline files, at most 100 are read; merge some of them or move what is no workflow elsewhere"}
	if diff := cmp.Diff(want, lines(err)); diff != "" {
		t.Errorf("many files (-want +got):\n%s", diff)
	}
}

// A link in a repository may point at anything the server can read.
func TestFindFollowsNoLinks(t *testing.T) {
	for _, name := range []string{".slipway.yml", ".slipway/a.yml"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			secret := filepath.Join(t.TempDir(), "secret")
			if err := os.WriteFile(secret, []byte("steps: []"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(secret, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
			files, err := Find(os.DirFS(dir))
			want := []string{name + ": is not a regular file; put the file itself here; links are not followed"}
			if diff := cmp.Diff(want, lines(err)); diff != "" {
				t.Errorf("got %v (-want +got):\n%s", files, diff)
			}
		})
	}
}

// broken is a tree whose disk fails.
type broken struct{ fs.FS }

var errDisk = errors.New("disk on fire")

func (broken) Open(string) (fs.File, error)      { return nil, errDisk }
func (broken) Lstat(string) (fs.FileInfo, error) { return nil, errDisk }
func (broken) ReadLink(string) (string, error)   { return "", errDisk }

func TestFindPassesErrorsOn(t *testing.T) {
	if _, err := Find(broken{}); !errors.Is(err, errDisk) {
		t.Errorf("got %v, want the disk's error", err)
	}
}

func TestFindAt(t *testing.T) {
	fsys := fstest.MapFS{}
	for _, name := range []string{".slipway.yml", "ci/b.yml", "ci/a.yaml", "ci/x.sh", "ci/sub/c.yml", "build.pipeline", "empty/x.sh"} {
		fsys[name] = &fstest.MapFile{Data: []byte(name)}
	}
	for place, want := range map[string][]string{
		"": {".slipway.yml"}, "ci": {"ci/a.yaml", "ci/b.yml"}, "ci/": {"ci/a.yaml", "ci/b.yml"}, "./ci/sub/": {"ci/sub/c.yml"},
		"ci/sub/c.yml": {"ci/sub/c.yml"}, "build.pipeline": {"build.pipeline"},
		"empty": nil, "gone.yml": nil, "gone/": nil, "..": nil, "../etc/x.yml": nil, "/etc/x.yml": nil, ".": nil, "/": nil,
	} {
		files, err := FindAt(fsys, place)
		var got []string
		for _, f := range files {
			got = append(got, f.Path)
		}
		if diff := cmp.Diff(want, got); diff != "" || (want == nil) != errors.Is(err, ErrNone) {
			t.Errorf("%q: %v (-want +got):\n%s", place, err, diff)
		}
	}
}

func TestDialects(t *testing.T) {
	for path, want := range map[string]dialect{
		".slipway.yml": slipway, "ci/build.yml": slipway, ".woodpecker.yml": woodpecker, ".woodpecker/a.yml": woodpecker,
		"ci/.woodpecker.yaml": woodpecker, "ci/.woodpecker/a.yml": woodpecker, ".drone.yml": drone, "woodpecker.yml": slipway,
	} {
		if got := dialectOf(path); got != want {
			t.Errorf("%s is of %s, want %s", path, got, want)
		}
	}
}
