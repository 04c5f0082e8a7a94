package webui

import (
	"context"
	"fmt"
	"strings"

	"github.com/slipway-ci/slipway/store"
)

// waiting says what a job waits for.
type waiting struct {
	Text string
	// Holders are the jobs of its concurrency group that it waits for.
	Holders []holder
}

// holder is a job that has a place in a group.
type holder struct{ Text, URL string }

// readWaiting works out what the jobs of a build wait for.
func (u *UI) readWaiting(ctx context.Context, p *buildPage) error {
	var places map[int64]store.QueuePlace
	for i := range p.Jobs {
		j := &p.Jobs[i]
		switch {
		case j.Status == store.Blocked:
			j.Waits = p.blocked(j)
		case j.Status == store.Pending && j.Held:
			members, err := u.store.GroupHolders(ctx, p.Repo.ID, j.Group.Name)
			if err != nil {
				return err
			}
			j.Waits = heldBy(p, j, members)
		case j.Status == store.Pending:
			if places == nil {
				var err error
				if places, err = u.store.QueuePlaces(ctx, p.Build.ID); err != nil {
					return err
				}
			}
			j.Waits = inQueue(places[j.ID])
		}
	}
	return nil
}

// blocked says for what a job is not in the queue yet. That the whole build waits
// for an approval is said above all jobs.
func (p *buildPage) blocked(j *jobView) *waiting {
	if p.Build.Status == store.Blocked {
		return nil
	}
	var names []string
	for _, name := range j.DependsOn {
		for i := range p.Jobs {
			if p.Jobs[i].Name == name && !p.Jobs[i].Status.Final() {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	return &waiting{Text: "waits for " + strings.Join(names, ", ")}
}

// heldBy says whose turn it is in a group.
func heldBy(p *buildPage, j *jobView, members []store.GroupMember) *waiting {
	w := &waiting{Text: fmt.Sprintf("waits for its turn in the group %s, of which %s may run at once", j.Group.Name, count(j.Group.Limit, "job"))}
	for _, m := range members {
		w.Holders = append(w.Holders, holder{fmt.Sprintf("#%d %s", m.BuildNumber, m.JobName), buildPath(p.Repo, m.BuildNumber)})
	}
	return w
}

// inQueue says where a job stands. Its place is not known if it was claimed a
// moment ago.
func inQueue(at store.QueuePlace) *waiting {
	w := &waiting{Text: "waits for a free place"}
	switch {
	case at.Of == 1:
		w.Text += ", next in the queue"
	case at.Of > 1:
		w.Text += fmt.Sprintf(", %s of %d in the queue", ordinal(at.Place), at.Of)
	}
	return w
}
