package main

import (
	"context"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/storetest"
)

// TestMemoryIsGivenBackWhenItIsQuiet: once after each time that something
// happened.
func TestMemoryIsGivenBackWhenItIsQuiet(t *testing.T) {
	s := storetest.Open(t, nil)
	events := s.Subscribe()
	defer events.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const quiet = 20 * time.Millisecond
	given := make(chan time.Time)
	done := make(chan struct{})
	go func() {
		defer close(done)
		giveBackMemory(ctx, events, quiet, func() { given <- time.Now() })
	}()
	<-given
	happened := time.Now()
	if _, err := s.AddDelivery(t.Context(), store.Delivery{GUID: "a", Event: "push", Body: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	if at := <-given; at.Sub(happened) < quiet {
		t.Errorf("given back %v after something happened, want %v", at.Sub(happened), quiet)
	}
	cancel()
	<-done
}
