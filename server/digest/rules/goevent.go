package rules

import (
	"bytes"
	"encoding/json"
)

// A goEvent is a row of `go test -json`; see `go doc test2json` for its fields.
// The output of the program under test is in it, one line a row.
type goEvent struct {
	Action, Package, ImportPath, Test, Output string
}

var (
	goEventStarts = [][]byte{[]byte(`{"Time":"`), []byte(`{"ImportPath":"`), []byte(`{"Action":"`)}
	goEventAction = []byte(`"Action":"`)
)

// goEventOf returns the event that a row is, if it is one.
func goEventOf(row []byte) (e goEvent, ok bool) {
	for _, start := range goEventStarts {
		if bytes.HasPrefix(row, start) && bytes.Contains(row, goEventAction) {
			return e, json.Unmarshal(row, &e) == nil && e.Package+e.ImportPath != ""
		}
	}
	return e, false
}
