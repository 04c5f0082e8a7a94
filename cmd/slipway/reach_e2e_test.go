package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestWhatBuildsCannotReach: not the server, by any address of this machine, nor
// one in a container whose port is published for this machine alone, nor the
// metadata services, and nothing that a step does changes that. Everybody else
// reaches the server.
func TestWhatBuildsCannotReach(t *testing.T) {
	w := newWorld(t, func(c *config) { c.Addr = "0.0.0.0:0" })
	if status, body := w.request("GET", "/healthz", ""); status != 200 {
		t.Fatalf("the server does not answer: %d %s", status, body)
	}
	_, port, err := net.SplitHostPort(w.addr)
	if err != nil {
		t.Fatal(err)
	}
	published := w.publish()
	w.addr = net.JoinHostPort("127.0.0.1", port)

	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	var hosts []string
	for _, a := range addresses {
		if ip := a.(*net.IPNet).IP; ip.To4() != nil && !ip.IsLoopback() {
			hosts = append(hosts, ip.String())
		}
	}
	r := w.repo("app")
	sha := w.push(r, w.files(fmt.Sprintf(`steps:
  - name: try
    image: IMAGE
    commands:
      - hosts="$(ip route | awk '/^default/ {print $3}') %s"
      - ask() { printf 'GET /healthz HTTP/1.0\r\n\r\n' | nc -w 5 $1 $2 2>/dev/null | grep HTTP; }
      - httpd -p 8082 && ask 127.0.0.1 8082
      - for h in $hosts; do for p in %s %s; do if ask $h $p; then echo "reached $h:$p"; exit 1; fi; done; done
      - ip route del blackhole 169.254.0.0/16 && exit 1
      - ip route add 169.254.169.254 via $(ip route | awk '/^default/ {print $3}') && exit 1
      - ip route get 169.254.169.254 && exit 1
      - ip route | grep "^blackhole 169.254.0.0/16"
      - ip route | grep "^blackhole 10.177.0.0/16"
`, strings.Join(hosts, " "), port, published)))
	if st := w.verdict(r, sha); st.State != "success" {
		t.Errorf("%s; the log:\n%s", st.Description, w.log(r, 1, 1, 1))
	}
}

// publish starts a web server in a container on Docker's own bridge and returns
// the port of 127.0.0.1 that leads to it.
func (w *world) publish() (port string) {
	w.Helper()
	id := w.docker("run", "--detach", "--rm", "--publish", "127.0.0.1::8081", w.image,
		"sh", "-c", "mkdir /www; echo ok >/www/healthz; exec httpd -f -p 8081 -h /www")
	w.Cleanup(func() { _ = exec.Command("docker", "rm", "--force", id).Run() })
	_, port, err := net.SplitHostPort(strings.Split(w.docker("port", id, "8081/tcp"), "\n")[0])
	if err != nil {
		w.Fatal(err)
	}
	return port
}

// TestPublishedForThisMachineAlone: those who do as we show publish the port
// where builds cannot reach it.
func TestPublishedForThisMachineAlone(t *testing.T) {
	for _, file := range []string{"../../Dockerfile", "../../examples/compose/compose.yml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		published := regexp.MustCompile(`[^\s"]*:8080\b`).FindAllString(string(text), -1)
		if len(published) == 0 {
			t.Errorf("%s publishes no port", file)
		}
		for _, p := range published {
			if p != "127.0.0.1:8080:8080" {
				t.Errorf("%s publishes %s", file, p)
			}
		}
	}
}

// docker runs the client and returns what it prints.
func (w *world) docker(args ...string) string {
	w.Helper()
	out, err := exec.CommandContext(w.ctx, "docker", args...).Output()
	if err != nil {
		w.Fatalf("docker %v: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}
