package rules

import "testing"

// TestExpressionsCompile: whatever a log has in it, no expression panics.
func TestExpressionsCompile(t *testing.T) {
	all := []*expression{ctestDots, shellcheck, shellcheckPlace, tapError} // which no sample needs
	for _, r := range book().rules {
		all = append(all, r.line, r.above, r.not)
	}
	for _, e := range all {
		if e != nil {
			e.compiled()
		}
	}
}
