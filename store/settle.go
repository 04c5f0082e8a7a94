package store

import "fmt"

// settle moves on a build after something of it changed: it queues the jobs
// whose needs are met, skips those that cannot run any more, and ends the build
// when all have ended. A blocked or final build is left alone.
func (s *Store) settle(tx *tx, buildID int64) error {
	var status Status
	if err := tx.row(`SELECT status FROM builds WHERE id = ?`, buildID).Scan(&status); err != nil {
		return err
	}
	if status == Blocked || status.Final() {
		return nil
	}
	rows, err := tx.sql.QueryContext(tx.ctx, `SELECT `+jobsButPlans+` FROM jobs j
		WHERE j.build_id = ? ORDER BY j.number`, buildID)
	jobs, err := collect(rows, err, (*Job).scan)
	if err != nil {
		return err
	}
	g := jobGraph(jobs)
	// A job that is skipped may decide others, in any order of the file.
	for again := true; again; {
		again = false
		for i := range jobs {
			if jobs[i].Status != Blocked {
				continue
			}
			to, reason, ready := g.decide(&jobs[i])
			if !ready {
				continue
			}
			if err := s.setBlockedJob(tx, &jobs[i], to, reason); err != nil {
				return err
			}
			again = true
		}
	}
	return s.endIfAllEnded(tx, buildID, jobs)
}

// graph finds a build's jobs by name.
type graph map[string]*Job

func jobGraph(jobs []Job) graph {
	g := graph{}
	for i := range jobs {
		g[jobs[i].Name] = &jobs[i]
	}
	return g
}

// decide says what a blocked job becomes, and whether its needs have ended.
func (g graph) decide(j *Job) (to Status, reason string, ready bool) {
	failed := ""
	for _, name := range j.DependsOn {
		dep, ok := g[name]
		if !ok {
			continue // planning made sure that it exists
		}
		if !dep.Status.Final() {
			return "", "", false
		}
		if failed == "" && g.failed(dep) {
			failed = name
		}
	}
	switch {
	case failed == "" && !j.OnSuccess:
		return Skipped, "runs on failure only", true
	case failed != "" && !j.OnFailure:
		return Skipped, fmt.Sprintf("workflow %s did not succeed", failed), true
	default:
		return Pending, "", true
	}
}

// failed reports whether a final job counts as failed for those after it. One
// that was skipped by its conditions does not, one that was skipped because of
// a failure does.
func (g graph) failed(j *Job) bool {
	switch j.Status {
	case Success:
		return false
	case Skipped:
		for _, name := range j.DependsOn {
			if dep, ok := g[name]; ok && g.failed(dep) && !j.OnFailure {
				return true
			}
		}
		return false
	default:
		return true
	}
}

func (s *Store) setBlockedJob(tx *tx, j *Job, to Status, reason string) error {
	j.Status, j.Reason = to, reason
	if to == Pending {
		return s.queueJob(tx, j)
	}
	return s.endJob(tx, j.ID, to, reason, 0)
}

// endIfAllEnded gives the build its verdict: the worst of its jobs', with the
// reason of the first that was as bad.
func (s *Store) endIfAllEnded(tx *tx, buildID int64, jobs []Job) error {
	verdict := Job{Status: Skipped, Reason: "skipped: no workflow matches"}
	for _, j := range jobs {
		if !j.Status.Final() {
			return nil
		}
		if j.Status.rank() > verdict.Status.rank() {
			verdict = j
		}
	}
	reason := verdict.Reason
	if reason != "" && verdict.Name != "" && len(jobs) > 1 {
		reason = fmt.Sprintf("workflow %s: %s", verdict.Name, reason)
	}
	_, err := s.setBuild(tx, buildID, []Status{Pending, Running}, verdict.Status, reason)
	return err
}

// endBuild ends a build and everything of it that does not run.
func (s *Store) endBuild(tx *tx, buildID int64, to Status, reason string) error {
	rows, err := tx.sql.QueryContext(tx.ctx, `SELECT id FROM jobs WHERE build_id = ? AND status IN ('blocked', 'pending')`, buildID)
	ids, err := collect(rows, err, func(id *int64, row scanner) error { return row.Scan(id) })
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.endJob(tx, id, to, reason, 0); err != nil {
			return err
		}
	}
	_, err = s.setBuild(tx, buildID, []Status{Blocked, Pending, Running}, to, reason)
	return err
}

// endJob ends a job and those of its steps that have not ended, forgets what was
// recorded for resuming it, and gives its place in its group to the next.
func (s *Store) endJob(tx *tx, jobID int64, to Status, reason string, failedStep int) error {
	now := ms(s.Now())
	if err := tx.exec(`UPDATE jobs SET status = ?, reason = ?, failed_step = ?, finished_at = ?
		WHERE id = ? AND status IN ('blocked', 'pending', 'running')`, to, reason, failedStep, now, jobID); err != nil {
		return err
	}
	stepTo := Skipped
	if to == Canceled || to == Error {
		stepTo = to
	}
	if err := tx.exec(`UPDATE steps SET status = CASE status WHEN 'running' THEN ? ELSE 'skipped' END,
			reason = ?, finished_at = ?
		WHERE job_id = ? AND status IN ('blocked', 'pending', 'running')`, stepTo, reason, now, jobID); err != nil {
		return err
	}
	if err := tx.exec(`DELETE FROM ops WHERE job_id = ?`, jobID); err != nil {
		return err
	}
	return s.leaveGroup(tx, jobID)
}
