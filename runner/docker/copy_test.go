package docker

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/docker/docker/client"
)

// TestCopyToReadsTheSourceToItsEnd: also where the engine answers before it has.
func TestCopyToReadsTheSourceToItsEnd(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	cli, err := client.NewClientWithOpts(client.WithHost("tcp://"+s.Listener.Addr().String()), client.WithVersion("1.41"))
	if err != nil {
		t.Fatal(err)
	}
	defer cli.Close()
	source := strings.NewReader(strings.Repeat("x", 32<<20))
	if err := New(cli, Options{}).copyTo(t.Context(), "id", "/", source); err != nil {
		t.Fatal(err)
	}
	if source.Len() != 0 {
		t.Errorf("%d bytes were left", source.Len())
	}
}
