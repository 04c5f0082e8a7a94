package runnertest

import (
	"errors"
	"io"
)

func copyBeforeStart(r *rig) {
	s := r.spec(showFile)
	s.VolumeID, s.MountPath = r.volume(), "/work"
	id := r.create(s)
	source := Archive("src/hello.txt", "hello\n")
	source.Write(make([]byte, 1<<20)) // padding behind the archive's end
	r.ok("CopyTo", r.engine.CopyTo(r.ctx, id, "/work", source))
	if source.Len() != 0 {
		r.Errorf("CopyTo left %d bytes of its source", source.Len())
	}
	r.start(id)
	if code := r.wait(id).ExitCode; code != 0 {
		r.Errorf("exit code %d", code)
	}
	if stdout, stderr := r.logs(id); stdout != "hello\n" {
		r.Errorf("the file holds %q (%s)", stdout, stderr)
	}
}

var errSource = errors.New("source failed")

func copyFailsWithSource(r *rig) {
	s := r.spec(showFile)
	s.VolumeID, s.MountPath = r.volume(), "/work"
	id := r.create(s)
	whole := Archive("src/hello.txt", "hello\n")
	torn := io.MultiReader(io.LimitReader(whole, 700), failingReader{})
	r.is("CopyTo", r.engine.CopyTo(r.ctx, id, "/work", torn), errSource)
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errSource }

func volumeIsShared(r *rig) {
	v := r.volume()
	writer, reader := r.spec(writeFile), r.spec(showFile)
	writer.VolumeID, writer.MountPath = v, "/work"
	reader.VolumeID, reader.MountPath = v, "/work"
	w, rd := r.create(writer), r.create(reader)
	r.ok("CopyTo", r.engine.CopyTo(r.ctx, w, "/work", Archive("src/hello.txt", "hello\n")))
	r.start(w)
	r.wait(w)
	r.ok("RemoveContainer", r.engine.RemoveContainer(r.ctx, w))
	r.start(rd)
	r.wait(rd)
	if stdout, stderr := r.logs(rd); stdout != "changed\n" {
		r.Errorf("the second container sees %q (%s)", stdout, stderr)
	}
}
