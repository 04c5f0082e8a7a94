package docker

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
)

const (
	// sandboxRepository is the name of the images of sandboxes. The tag is that
	// of their content.
	sandboxRepository = "slipway/sandbox"
	// sandboxLabel is on these images.
	sandboxLabel = "slipway.sandbox"
	// sandboxProgram is the only file in them.
	sandboxProgram = "/slipway"
)

// sandboxImage is the image of sandboxes, made of slipway's own binary when it
// is first needed. The zero value is ready.
type sandboxImage struct {
	mu  sync.Mutex // held while the image is made; guards ref
	ref string     // empty until it is known to be there
}

// ensure returns the image, which is made unless it is there. Images of earlier
// versions that no container has are removed.
func (i *sandboxImage) ensure(ctx context.Context, e *Engine) (string, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.ref != "" {
		return i.ref, nil
	}
	binary, err := openSandboxBinary(e.o.SandboxBinary)
	if err != nil {
		return "", err
	}
	defer binary.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, binary); err != nil {
		return "", fmt.Errorf("read %s: %w", binary.Name(), err)
	}
	ref := sandboxRepository + ":" + hex.EncodeToString(hash.Sum(nil))[:16]
	_, err = e.cli.ImageInspect(ctx, ref)
	switch {
	case errdefs.IsNotFound(err):
		if err := e.importSandbox(ctx, ref, binary); err != nil {
			return "", fmt.Errorf("import image %s: %w", ref, err)
		}
		e.removeOldSandboxImages(ctx, ref)
	case err != nil:
		return "", fmt.Errorf("inspect image %s: %w", ref, err)
	}
	i.ref = ref
	return ref, nil
}

// current is the image that was last ensured, "" if none was.
func (i *sandboxImage) current() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.ref
}

// forget has the image looked for again.
func (i *sandboxImage) forget() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ref = ""
}

// openSandboxBinary opens the program of sandboxes, which has to run in an image
// without libraries.
func openSandboxBinary(path string) (*os.File, error) {
	if path == "" {
		own, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find the running program: %w", err)
		}
		path = own
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open program of sandboxes: %w", err)
	}
	if err := checkStatic(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s cannot run in sandboxes: it %w; build slipway with CGO_ENABLED=0, as make build does", path, err)
	}
	return f, nil
}

// importSandbox makes an image of nothing but the binary.
func (e *Engine) importSandbox(ctx context.Context, ref string, binary *os.File) error {
	source, sink := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := writeSandboxRoot(sink, binary)
		sink.CloseWithError(err)
		written <- err
	}()
	body, err := e.cli.ImageImport(ctx, image.ImportSource{Source: source, SourceName: "-"}, ref,
		image.ImportOptions{Message: "sandbox of slipway", Changes: []string{"LABEL " + sandboxLabel + "=1"}})
	if err == nil {
		err = drainMessages(body)
		body.Close()
	}
	source.CloseWithError(io.ErrClosedPipe) // lets the writer end if the engine didn't read it all
	if werr := <-written; werr != nil && !errors.Is(werr, io.ErrClosedPipe) {
		return werr
	}
	return err
}

func writeSandboxRoot(to io.Writer, binary *os.File) error {
	info, err := binary.Stat()
	if err != nil {
		return err
	}
	w := tar.NewWriter(to)
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: sandboxProgram[1:], Mode: 0o555, Size: info.Size()}); err != nil {
		return err
	}
	if _, err := io.Copy(w, io.NewSectionReader(binary, 0, info.Size())); err != nil {
		return err
	}
	return w.Close()
}

// removeOldSandboxImages removes the images of other versions, but for those
// that a container has, of another server for example.
func (e *Engine) removeOldSandboxImages(ctx context.Context, current string) {
	images, err := e.cli.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("label", sandboxLabel))})
	if err != nil {
		e.log.WarnContext(ctx, "cannot look for sandbox images of earlier versions", "error", err)
		return
	}
	for _, i := range images {
		for _, name := range imageNames(i) {
			if name == current {
				continue
			}
			if _, err := e.cli.ImageRemove(ctx, name, image.RemoveOptions{}); err != nil && !errdefs.IsConflict(err) && !errdefs.IsNotFound(err) {
				e.log.WarnContext(ctx, "cannot remove the sandbox image of an earlier version", "image", name, "error", err)
			}
		}
	}
}

// imageNames returns what an image can be removed by: its tags, or its ID if it
// has none, as when two processes imported the same at once.
func imageNames(i image.Summary) []string {
	tags := slices.DeleteFunc(slices.Clone(i.RepoTags), func(tag string) bool { return tag == "<none>:<none>" })
	if len(tags) == 0 {
		return []string{i.ID}
	}
	return tags
}
