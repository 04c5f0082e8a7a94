package server

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
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
	c := echo.New().NewContext(httptest.NewRequest(http.MethodGet, "/", nil), below)
	s := &Server{Options: Options{WriteTimeout: time.Hour}}
	var w http.ResponseWriter
	begin := s.boundTransfers(func(c echo.Context) error {
		w = c.Response().Writer
		return nil
	})
	if err := begin(c); err != nil || len(below.deadlines) != 1 {
		t.Fatalf("at the beginning: deadlines %v, %v", below.deadlines, err)
	}
	for name, send := range map[string]func(){
		"a header": func() { w.WriteHeader(http.StatusOK) },
		"a body": func() {
			if _, err := w.Write([]byte("x")); err != nil {
				t.Error(err)
			}
		},
		"what is buffered": func() { w.(http.Flusher).Flush() },
	} {
		before, n := time.Now(), len(below.deadlines)
		send()
		if len(below.deadlines) != n+1 || below.deadlines[n].Before(before.Add(time.Hour)) {
			t.Errorf("%s: deadlines %v", name, below.deadlines[n:])
		}
	}
}
