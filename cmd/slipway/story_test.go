package main

import (
	"context"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/storetest"
)

// TestStoryIsToldToItsEnd: what happened before it was to stop is told, however
// late it comes to that, and though the one who asked for it has gone.
func TestStoryIsToldToItsEnd(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out strings.Builder
	stop := newStory(&out).tell(ctx, s, nil)
	if _, err := s.AddDelivery(t.Context(), store.Delivery{GUID: "a", Event: "push", Body: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	stop()
	if !strings.Contains(out.String(), "webhook  push") {
		t.Errorf("the story lacks the webhook:\n%s", &out)
	}
}
