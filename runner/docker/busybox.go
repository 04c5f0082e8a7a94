package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"
)

// ImportBusybox makes a small base image out of a static busybox binary of this
// machine, for where no image can be pulled. It has every applet, a root user,
// nobody, and "app" with ID 1000. Further changes are Dockerfile instructions
// ("USER 1000"). It does nothing if the image exists.
func ImportBusybox(ctx context.Context, cli client.APIClient, ref, busyboxPath string, changes ...string) error {
	if _, err := cli.ImageInspect(ctx, ref); err == nil {
		return nil
	} else if !errdefs.IsNotFound(err) {
		return fmt.Errorf("inspect image %s: %w", ref, err)
	}
	root, err := busyboxRoot(ctx, busyboxPath)
	if err != nil {
		return fmt.Errorf("make image %s: %w", ref, err)
	}
	changes = append([]string{
		"ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		`CMD ["/bin/sh"]`,
	}, changes...)
	body, err := cli.ImageImport(ctx, image.ImportSource{Source: root, SourceName: "-"}, ref,
		image.ImportOptions{Message: "busybox of the host", Changes: changes})
	if err != nil {
		return fmt.Errorf("import image %s: %w", ref, err)
	}
	defer body.Close()
	if err := drainMessages(body); err != nil {
		return fmt.Errorf("import image %s: %w", ref, err)
	}
	return nil
}

// busyboxRoot returns the image's file system as a tar stream.
func busyboxRoot(ctx context.Context, busyboxPath string) (io.Reader, error) {
	binary, err := os.ReadFile(busyboxPath)
	if err != nil {
		return nil, fmt.Errorf("read busybox (Debian: apt-get install busybox-static): %w", err)
	}
	if err := checkStatic(bytes.NewReader(binary)); err != nil {
		return nil, fmt.Errorf("%s %w; a static one is needed (Debian: apt-get install busybox-static)", busyboxPath, err)
	}
	applets, err := exec.CommandContext(ctx, busyboxPath, "--list-full").Output()
	if err != nil {
		return nil, fmt.Errorf("list the applets of %s: %w", busyboxPath, err)
	}
	var buf bytes.Buffer
	w := tree{tw: tar.NewWriter(&buf), made: map[string]bool{}}
	w.dir("tmp", 0o1777)
	w.dir("var/tmp", 0o1777)
	w.dir("root", 0o700)
	w.ownedDir("home/app", 0o755, 1000)
	w.file("etc/passwd", 0o644, []byte(passwd))
	w.file("etc/group", 0o644, []byte(group))
	w.file("etc/nsswitch.conf", 0o644, []byte(nsswitch))
	w.file("bin/busybox", 0o755, binary)
	for _, applet := range strings.Fields(string(applets)) {
		if applet != "bin/busybox" {
			w.symlink(applet, "/bin/busybox")
		}
	}
	if w.err == nil {
		w.err = w.tw.Close()
	}
	return &buf, w.err
}

const passwd = `root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
app:x:1000:1000:app:/home/app:/bin/sh
`

const group = `root:x:0:
nogroup:x:65534:
app:x:1000:
`

// nsswitch names the sources that are built into the C library. Without it a
// static glibc looks for others, in libraries that are not there, and crashes.
const nsswitch = `passwd: files
group: files
hosts: files dns
`

// checkStatic reports a binary that would not run in an image without libraries.
func checkStatic(binary io.ReaderAt) error {
	f, err := elf.NewFile(binary)
	if err != nil {
		return fmt.Errorf("is not a Linux binary: %w", err)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return errors.New("is linked dynamically")
		}
	}
	return nil
}

// tree writes a file system as a tar stream, parents before children. The first
// error sticks.
type tree struct {
	tw   *tar.Writer
	made map[string]bool
	err  error
}

func (t *tree) dir(name string, mode int64) { t.ownedDir(name, mode, 0) }

func (t *tree) ownedDir(name string, mode int64, uid int) {
	t.parents(name)
	t.made[name] = true
	t.header(tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode, Uid: uid, Gid: uid})
}

func (t *tree) file(name string, mode int64, content []byte) {
	t.parents(name)
	t.header(tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(content))})
	if t.err == nil {
		_, t.err = t.tw.Write(content)
	}
}

func (t *tree) symlink(name, target string) {
	t.parents(name)
	t.header(tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777})
}

func (t *tree) parents(name string) {
	if dir := path.Dir(name); dir != "." && !t.made[dir] {
		t.dir(dir, 0o755)
	}
}

func (t *tree) header(h tar.Header) {
	if t.err == nil {
		t.err = t.tw.WriteHeader(&h)
	}
}
