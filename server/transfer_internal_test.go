package server

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// deadlineWriter notes the deadlines that it is given.
type deadlineWriter struct {
	http.ResponseWriter
	deadlines []time.Time
}

func (w *deadlineWriter) SetWriteDeadline(t time.Time) error {
	w.deadlines = append(w.deadlines, t)
	return nil
}

// Whatever a handler sends, and be it the header alone, it is not sent with the
// deadline of what was sent before on the connection.
func TestEachWriteHasATimeOfItsOwn(t *testing.T) {
	below := &deadlineWriter{ResponseWriter: httptest.NewRecorder()}
	w := &boundWriter{below, http.NewResponseController(below), time.Hour}
	for name, send := range map[string]func(){
		"a header": func() { w.WriteHeader(http.StatusOK) },
		"a body": func() {
			if _, err := w.Write([]byte("x")); err != nil {
				t.Error(err)
			}
		},
		"what is buffered": w.Flush,
	} {
		before, n := time.Now(), len(below.deadlines)
		send()
		if len(below.deadlines) != n+1 || below.deadlines[n].Before(before.Add(time.Hour)) {
			t.Errorf("%s: deadlines %v", name, below.deadlines[n:])
		}
	}
}
