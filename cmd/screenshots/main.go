// Screenshots takes pictures of slipway's pages: on a desktop and on a phone, in
// the light and in the dark.
//
//	go run ./cmd/screenshots -slipway bin/slipway -dir bin/screenshots
//
// What they show has happened: a server runs, a stand-in for GitHub sends it
// webhooks, and containers run the builds (seed.go), with scripts in place of the
// tools (sample). It looks at each page too, for what a picture does not tell:
// what could not be loaded, what is wider than the screen, what the console said.
// That is reported in the end, and the pictures are kept.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"syscall"
)

// options are what is asked for on the command line.
type options struct {
	slipway string         // path of the program
	busybox string         // path of a static busybox, of which the images are made
	dir     string         // where the pictures go
	only    *regexp.Regexp // what matches none of a picture's name is left out
	log     io.Writer      // what is being done, and the server's log
}

func main() {
	if err := command(); err != nil {
		fmt.Fprintln(os.Stderr, "screenshots:", err)
		os.Exit(1)
	}
}

// command is run with what the command line says, until a signal comes.
func command() (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o := options{log: os.Stderr}
	flag.StringVar(&o.slipway, "slipway", "bin/slipway", "the program whose pages are wanted")
	flag.StringVar(&o.dir, "dir", "bin/screenshots", "where the pictures go")
	only := flag.String("only", "", "take only pictures whose name matches this regular expression")
	flag.Parse()
	if o.only, err = regexp.Compile(*only); err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	return run(ctx, o)
}

// run takes the pictures. What it finds wrong with a page is in its error.
func run(ctx context.Context, o options) (err error) {
	if o.busybox = os.Getenv("SLIPWAY_BUSYBOX"); o.busybox == "" {
		if o.busybox, err = exec.LookPath("busybox"); err != nil {
			return fmt.Errorf("find a busybox for the images (Debian: apt-get install busybox-static): %w", err)
		}
	}
	if err := os.MkdirAll(o.dir, 0o750); err != nil {
		return err
	}
	h, err := openHarbour(ctx, o)
	defer func() { err = errors.Join(err, h.close(context.WithoutCancel(ctx))) }()
	if err != nil {
		return err
	}
	c, err := openCamera(ctx, o, h.url)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.login(adminToken); err != nil {
		return err
	}
	c.take(ctx, freshPages)
	pages, err := h.seed(ctx)
	if err != nil {
		return err
	}
	c.take(ctx, pages)
	c.takeReadme(pages)
	_, _ = fmt.Fprintf(o.log, "%d pictures in %s\n", c.taken, o.dir)
	return errors.Join(c.trouble...)
}
