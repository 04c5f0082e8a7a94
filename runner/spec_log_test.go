package runner_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/runner"
)

func TestSpecIsNeverPrintedWhole(t *testing.T) {
	spec := runner.ContainerSpec{Name: "slipway-s-1-1-1", Image: "alpine", Env: []string{"TOKEN=hunter2"}}
	var log strings.Builder
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("made", "spec", spec)
	}
	for _, got := range []string{fmt.Sprintf("%v", spec), fmt.Sprintf("%+v", &spec), fmt.Sprintf("%#v", spec), log.String()} {
		if strings.Contains(got, "hunter2") || !strings.Contains(got, spec.Name) {
			t.Errorf("printed as %s", got)
		}
	}
}
