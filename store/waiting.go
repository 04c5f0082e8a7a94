package store

import "context"

// QueuePlace is where a job stands among those that may be claimed.
type QueuePlace struct {
	Place int // from 1: the next one
	Of    int // how many wait
}

// QueuePlaces returns the places of a build's pending jobs by their IDs, in the
// order in which Claim takes them: repositories in turn, within one the oldest
// first. A job that its group holds back has none.
func (s *Store) QueuePlaces(ctx context.Context, buildID int64) (map[int64]QueuePlace, error) {
	type place struct {
		id int64
		QueuePlace
	}
	rows, err := s.read.QueryContext(ctx, placesSQL+`
		SELECT id, place, total FROM places WHERE build_id = ?`, buildID)
	found, err := collect(rows, err, func(p *place, row scanner) error { return row.Scan(&p.id, &p.Place, &p.Of) })
	if err != nil {
		return nil, wrap("read places in the queue", err)
	}
	out := make(map[int64]QueuePlace, len(found))
	for _, p := range found {
		out[p.id] = p.QueuePlace
	}
	return out, nil
}

// GroupMember is a job that has a place in its concurrency group.
type GroupMember struct {
	BuildNumber int64
	JobNumber   int
	JobName     string
	Running     bool
}

// maxMembers bounds how many members of a group are told of.
const maxMembers = 20

// GroupHolders returns the jobs that have a place in a repository's group, for
// which the others of it wait, the oldest first.
func (s *Store) GroupHolders(ctx context.Context, repoID int64, group string) ([]GroupMember, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT b.number, j.number, j.name, j.status = 'running'
		FROM jobs j JOIN builds b ON b.id = j.build_id
		WHERE j.repo_id = ? AND j.group_name = ? AND j.group_name <> '' AND j.status IN ('pending', 'running') AND j.held = 0
		ORDER BY j.id LIMIT ?`, repoID, group, maxMembers)
	out, err := collect(rows, err, func(m *GroupMember, row scanner) error {
		return row.Scan(&m.BuildNumber, &m.JobNumber, &m.JobName, &m.Running)
	})
	return out, wrap("list who holds a group", err)
}
