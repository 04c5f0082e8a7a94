package pipeline

import (
	"path"
	"strings"
)

// dialect is the grammar a file is written in. It follows from the file's path.
type dialect int

const (
	// slipway is our own: strict, unknown keys are errors.
	slipway dialect = iota
	// woodpecker is read as Woodpecker reads it, so that a repository that
	// comes from there runs unmodified: unknown keys are warnings, and its
	// escapes and its workspace hold.
	woodpecker
	// drone is read as Drone reads it: a stream of pipelines with keys of their
	// own. Unknown keys are warnings.
	drone
)

// String returns the name of the dialect as the tag `only` has it.
func (d dialect) String() string {
	switch d {
	case woodpecker:
		return "woodpecker"
	case drone:
		return "drone"
	}
	return "slipway"
}

func dialectOf(file string) dialect {
	if strings.HasPrefix(path.Base(file), ".woodpecker.") || path.Base(path.Dir(file)) == ".woodpecker" {
		return woodpecker
	}
	if strings.HasPrefix(path.Base(file), ".drone.") {
		return drone
	}
	return slipway
}

// workflowName returns the name of the workflow in a file.
//
// A file of a folder gives its base name: `.slipway/test.yml` is "test". A
// single file, `.slipway.yml`, is "main": its base name would be "slipway",
// and a status `slipway/slipway` beside the aggregate `slipway` helps nobody.
func workflowName(file string) string {
	dir, base := path.Split(file)
	if dir == "" {
		return "main"
	}
	base = strings.TrimPrefix(base, ".")
	return strings.TrimSuffix(base, path.Ext(base))
}

// isYAML reports whether a file's name ends as a YAML file's does.
func isYAML(name string) bool {
	ext := path.Ext(name)
	return ext == ".yml" || ext == ".yaml"
}
