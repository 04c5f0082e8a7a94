package runner

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/slipway-ci/slipway/runner/pipeline"
)

// hasty is an engine whose pulls are over as soon as they begin.
type hasty struct{ Engine }

func (hasty) PullImage(_ context.Context, s ImageSpec, progress io.Writer) error {
	_, err := fmt.Fprintf(progress, "pulled %s\n", s.Image)
	return err
}

// TestPullIsToldFromItsBeginning: also if it is over before who began it waits.
func TestPullIsToldFromItsBeginning(t *testing.T) {
	r := &run{job: &Job{}, eng: hasty{}, live: t.Context()}
	defer r.pulls.stop()
	var said bytes.Buffer
	p := r.pulls.start(r, "app", pipeline.PullIfNotPresent, &said)
	<-p.done
	if got := said.String(); p.err != nil || got != "pulled app\n" {
		t.Errorf("said %q, %v", got, p.err)
	}
}
