package pause

import (
	"errors"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
)

// Command is the argument that makes slipway's binary run Main.
const Command = "sandbox"

// Ready is the line that Main writes once the routes stand.
const Ready = "ready\n"

// Main sets a blackhole route for each of the arguments, which are prefixes such
// as 169.254.0.0/16, and waits for SIGTERM or SIGINT. It returns the exit code;
// an error goes to stderr.
func Main(args []string, stdout, stderr io.Writer) int {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	if err := prepare(args); err != nil {
		_, _ = io.WriteString(stderr, "slipway sandbox: "+err.Error()+"\n")
		return 1
	}
	if _, err := io.WriteString(stdout, Ready); err != nil {
		return 1
	}
	<-told
	return 0
}

func prepare(args []string) error {
	for _, arg := range args {
		prefix, err := netip.ParsePrefix(arg)
		if err != nil {
			return err
		}
		if err := blackhole(prefix); err != nil {
			return errors.New("block " + arg + ": " + err.Error())
		}
	}
	if err := dropCapabilities(); err != nil {
		return errors.New("drop capabilities: " + err.Error())
	}
	return nil
}
