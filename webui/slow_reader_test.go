package webui_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/store"
)

// A reader who does not read holds up neither the step that writes nor another
// reader, and has every row once he reads.
func TestSlowReaderHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, j, w := s.running(s.repo("ada", "engine", false), 1)
	const stream = stepPage + "/stream?from=1"
	slow, quick := s.listen(stream, ""), s.listen(stream, "")

	// 8 MB as the stream sends it: more than the connection holds for the slow
	// one, who has not read a byte when the quick one has all of it.
	const rows, batch = 8000, 500
	padding := strings.Repeat("slow ", 150)
	for i := 0; i < rows; i += batch {
		lines := numbered(batch)
		for k := range lines {
			lines[k].Text = fmt.Appendf(nil, "row %d %s", i+k+1, padding)
		}
		must(t, w.Append(lines...))
	}
	quick.until("rows", fmt.Sprintf(`id="L%d"`, rows))
	must(t, w.Close())
	s.finishStep(j, 1, store.Success, 0)
	quick.until("end", `"exit":0`)

	next, last := 1, ""
	for {
		e, ok := slow.next()
		if !ok { // after half a minute the server drops him; he comes back as a browser does
			slow = s.listen(stream, last)
			continue
		}
		if e.id != "" {
			last = e.id
		}
		for next <= rows && strings.Contains(e.data, fmt.Sprintf(`>row %d `, next)) {
			next++
		}
		if e.name == "end" {
			if next != rows+1 {
				t.Errorf("row %d is missing", next)
			}
			return
		}
	}
}
