package runner

import (
	"context"
	"errors"
	"fmt"
)

// RemoveResources removes what List found: containers first, since they hold
// the networks and volumes. It goes on after an error and returns all of them.
func RemoveResources(ctx context.Context, eng Engine, found []Resource) error {
	remove := []struct {
		kind ResourceKind
		call func(context.Context, string) error
	}{
		{ResourceContainer, eng.RemoveContainer},
		{ResourceNetwork, eng.RemoveNetwork},
		{ResourceVolume, eng.RemoveVolume},
	}
	var errs []error
	for _, rm := range remove {
		for _, r := range found {
			if r.Kind != rm.kind {
				continue
			}
			if err := rm.call(ctx, r.ID); err != nil {
				errs = append(errs, fmt.Errorf("remove %s %s: %w", r.Kind, r.Name, err))
			}
		}
	}
	return errors.Join(errs...)
}
