package docker

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
)

// ReclaimImage removes the oldest image that slipway has made and no container
// has, to free space, and reports whether there was one. Those that builds have
// pulled are the engine's owner's: nobody knows who else wants them.
func (e *Engine) ReclaimImage(ctx context.Context) (removed bool, err error) {
	images, err := e.cli.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("label", sandboxLabel))})
	if err != nil {
		return false, fmt.Errorf("list images to free space: %w", err)
	}
	current := e.image.current()
	slices.SortFunc(images, func(a, b image.Summary) int { return cmp.Compare(a.Created, b.Created) })
	for _, i := range images {
		if slices.Contains(i.RepoTags, current) {
			continue // it would be made again for the next job
		}
		_, err := e.cli.ImageRemove(ctx, i.ID, image.RemoveOptions{})
		switch {
		case err == nil:
			e.log.InfoContext(ctx, "removed an unused image to free space", "image", i.ID, "tags", i.RepoTags)
			return true, nil
		case errdefs.IsConflict(err), errdefs.IsNotFound(err): // in use, or gone meanwhile
		default:
			return false, fmt.Errorf("remove image %s to free space: %w", i.ID, err)
		}
	}
	return false, nil
}
