package runnertest

import (
	"errors"
	"io"

	"github.com/slipway-ci/slipway/runner"
)

// fill fills a volume.
func (r *rig) fill(volume string, source io.Reader) error {
	return r.engine.FillVolume(r.ctx, runner.FillSpec{Name: volume + "-source", Labels: r.labels(), VolumeID: volume}, source)
}

func fillVolume(r *rig) {
	s := r.spec(showFile)
	s.VolumeID, s.MountPath = r.volume(), "/work"
	source := Archive("src/hello.txt", "hello\n")
	source.Write(make([]byte, 1<<20)) // padding behind the archive's end
	torn := io.MultiReader(io.LimitReader(Archive("src/hello.txt", "hello\n"), 700), failingReader{})
	r.is("FillVolume", r.fill(s.VolumeID, torn), errSource)
	r.ok("FillVolume again", r.fill(s.VolumeID, source))
	if source.Len() != 0 {
		r.Errorf("FillVolume left %d bytes of its source", source.Len())
	}
	id := r.create(s)
	r.start(id)
	if code := r.wait(id).ExitCode; code != 0 {
		r.Errorf("exit code %d", code)
	}
	if stdout, stderr := r.logs(id); stdout != "hello\n" {
		r.Errorf("the file holds %q (%s)", stdout, stderr)
	}
}

var errSource = errors.New("source failed")

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errSource }

func volumeIsShared(r *rig) {
	v := r.volume()
	writer, reader := r.spec(writeFile), r.spec(showFile)
	writer.VolumeID, writer.MountPath = v, "/work"
	reader.VolumeID, reader.MountPath = v, "/work"
	w, rd := r.create(writer), r.create(reader)
	r.ok("FillVolume", r.fill(v, Archive("src/hello.txt", "hello\n")))
	r.start(w)
	r.wait(w)
	r.ok("RemoveContainer", r.engine.RemoveContainer(r.ctx, w))
	r.start(rd)
	r.wait(rd)
	if stdout, stderr := r.logs(rd); stdout != "changed\n" {
		r.Errorf("the second container sees %q (%s)", stdout, stderr)
	}
}
