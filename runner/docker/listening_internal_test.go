package docker

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
)

func TestListens(t *testing.T) {
	for _, tt := range []struct {
		address, state string
		want           bool
	}{
		{"00000000:1538", "0A", true},
		{"0500ADAC:1538", "0A", true},
		{"00000000:1538", "01", false}, // a connection
		{"00000000:1539", "0A", false},
		{"0100007F:1538", "0A", false}, // 127.0.0.1
		{"0B00007F:1538", "0A", false}, // 127.0.0.11
		{"7F00000A:1538", "0A", true},  // 10.0.0.127
		{strings.Repeat("0", 32) + ":1538", "0A", true},
		{"00000000000000000000000001000000:1538", "0A", false}, // ::1
		{"0000000000000000FFFF00000100007F:1538", "0A", false}, // ::ffff:127.0.0.1
		{"0000000000000000FFFF00000500ADAC:1538", "0A", true},
		{"1538", "0A", false},
	} {
		table := "  sl  local_address rem_address   st tx_queue\n" + fmt.Sprintf("   0: %s 00000000:0000 %s 00000000:00000000\n", tt.address, tt.state)
		if got := listens([]byte(table), 0x1538); got != tt.want {
			t.Errorf("%s in state %s: %v, want %v", tt.address, tt.state, got, tt.want)
		}
	}
}

func TestExposedPort(t *testing.T) {
	for ports, want := range map[string]int{
		`{"53/udp":{},"8443/tcp":{},"8080/tcp":{}}`: 8080,
		`{"53/udp":{}}`: 0,
		`null`:          0,
	} {
		c := container.InspectResponse{Config: &container.Config{}}
		if err := json.Unmarshal([]byte(`{"ExposedPorts":`+ports+`}`), c.Config); err != nil {
			t.Fatal(err)
		}
		if got := exposedPort(c); got != want {
			t.Errorf("%s: port %d, want %d", ports, got, want)
		}
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	last := &tail{limit: 4}
	for _, s := range []string{"ab", "c", "defgh", "i"} {
		fmt.Fprint(last, s)
	}
	if got := last.String(); got != "fghi" {
		t.Errorf("kept %q", got)
	}
}
