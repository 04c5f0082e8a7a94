package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// explainer opens connections that have SQLite explain each statement before it
// runs.
type explainer struct {
	driver driver.Driver
	dsn    string

	mu    sync.Mutex          // guards plans
	plans map[string][]string // by statement: what it goes through
}

func (e *explainer) Driver() driver.Driver { return e.driver }

func (e *explainer) Connect(context.Context) (driver.Conn, error) {
	c, err := e.driver.Open(e.dsn)
	return explainedConn{c, e}, err
}

type explainedConn struct {
	driver.Conn
	e *explainer
}

func (c explainedConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
}

func (c explainedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.explain(ctx, query, args); err != nil {
		return nil, err
	}
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}

func (c explainedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.explain(ctx, query, args); err != nil {
		return nil, err
	}
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
}

func (c explainedConn) explain(ctx context.Context, query string, args []driver.NamedValue) error {
	rows, err := c.Conn.(driver.QueryerContext).QueryContext(ctx, "EXPLAIN QUERY PLAN "+query, args)
	if err != nil {
		return err
	}
	defer rows.Close()
	dest := make([]driver.Value, len(rows.Columns()))
	var plan []string
	for {
		err := rows.Next(dest)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		plan = append(plan, dest[3].(string))
	}
	c.e.mu.Lock()
	defer c.e.mu.Unlock()
	c.e.plans[strings.Join(strings.Fields(query), " ")] = plan
	return nil
}

// explained is a store whose statements are explained.
func explained(t *testing.T) (*Store, *explainer) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "slipway.db")
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := &explainer{driver: s.write.Driver(), dsn: dsn(path, "_txlock=immediate"), plans: map[string][]string{}}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s.write, s.read = sql.OpenDB(e), sql.OpenDB(e)
	s.write.SetMaxOpenConns(1)
	s.group.db = s.write
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, e
}

// growing are the tables whose rows stay, and what queries call them.
var growing = regexp.MustCompile(`^SCAN (builds|b|jobs|j|steps|st|deliveries|d|digests|commits|statuses|build_files|f|pipeline_texts|t)( USING (COVERING )?INDEX (\w+))?$`)

// No statement goes through a table that grows with every build, or through a
// whole index of it. Going through a partial index is what that is for.
func TestNoStatementGoesThroughWhatGrows(t *testing.T) {
	s, e := explained(t)
	partial := map[string]bool{}
	names, err := list(t.Context(), s.read, `SELECT name FROM sqlite_schema WHERE type = 'index' AND sql LIKE '% WHERE %'`)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		partial[name] = true
	}
	use(t, s)
	for query, plan := range e.plans {
		for _, line := range plan {
			m := growing.FindStringSubmatch(line)
			if len(m) == 0 || partial[m[4]] || slices.Contains(plan, "CO-ROUTINE "+m[1]) {
				continue
			}
			if strings.HasSuffix(query, "WHERE 1 ORDER BY d.id DESC LIMIT ?") { // ends after some rows
				continue
			}
			t.Errorf("%s:\n%s\n\t%s", line, query, strings.Join(plan, "\n\t"))
		}
	}
	if len(e.plans) < 100 {
		t.Errorf("only %d statements were seen", len(e.plans))
	}
}

// use calls everything that reads or writes rows of tables that grow.
func use(t *testing.T, s *Store) {
	t.Helper()
	ctx := t.Context()
	ok := func(err error) {
		t.Helper()
		if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrConflict) {
			t.Fatal(err)
		}
	}
	r, err := s.UpsertRepo(ctx, Repo{RemoteID: 1, Owner: "acme", Name: "app", DefaultBranch: "main"})
	ok(err)
	group := Group{Name: "deploy", Limit: 1, Cancel: true}
	jobs := []NewJob{{Name: "a", OnSuccess: true, Group: group, Plan: []byte("{}"), Steps: []NewStep{{Name: "x"}}},
		{Name: "b", OnSuccess: true, DependsOn: []string{"a"}, Plan: []byte("{}"), Steps: []NewStep{{Name: "x"}}}}
	_, err = s.AddDelivery(ctx, Delivery{GUID: "g", Repo: "acme/app", Body: []byte("{}")})
	ok(err)
	ok(s.RetryDelivery(ctx, "g", time.Now(), "later"))
	b, err := s.CreateBuild(ctx, Build{RepoID: r.ID, Number: 1, Planned: true, Event: "push", Ref: "refs/heads/main", Branch: "main",
		SHA: "aaaa", Author: "ada", Fingerprint: "f", Delivery: "g", Files: []string{"f"}, Texts: []PipelineFile{{Path: "f"}}}, jobs)
	ok(err)
	ok(s.Redeliver(ctx, "g"))
	p, err := s.CreateBuild(ctx, Build{RepoID: r.ID, Number: 2, Planned: true, Event: "pull_request", Ref: "refs/pull/1/head", Branch: "main",
		SHA: "bbbb", Fingerprint: "f", Pull: &Pull{Number: 1}, NeedsApproval: true}, jobs)
	ok(err)
	ok(s.Approve(ctx, p.ID, "bbbb", "admin"))
	j, err := s.Claim(ctx)
	ok(err)
	ok(s.IntendOp(ctx, j.ID, "k", Mark{Kind: MarkSourced, At: time.Now()}, Mark{Kind: MarkImaged, Step: 1, At: time.Now()}))
	ok(s.DoneOp(ctx, j.ID, "k", "id", Mark{Kind: MarkRan, Step: 1, At: time.Now()}))
	_, err = s.Ops(ctx, j.ID)
	ok(err)
	ok(s.StartStep(ctx, j.ID, 1, time.Now()))
	ok(s.StepUsed(ctx, j.ID, 1, 1, 1))
	ok(s.FinishStep(ctx, Step{JobID: j.ID, Number: 1, Status: Failure, FinishedAt: time.Now()}))
	_, err = s.StopRequest(ctx, j.ID)
	ok(err)
	ok(s.ExplainWait(ctx, "disk"))
	failed, err := s.UndigestedSteps(ctx, 10)
	ok(err)
	for _, st := range failed {
		d := Digest{StepID: st.ID, BuildID: st.Build.ID, RepoID: r.ID, Title: "boom"}
		ok(s.SaveFinding(ctx, d))
		ok(s.SaveDigest(ctx, d, &Changes{}))
	}
	ok(s.FinishJob(ctx, j.ID, Failure, "x", 1))
	for _, id := range []int64{b.ID, p.ID} {
		ok(s.RequestCancel(ctx, id, "admin"))
	}
	again, err := s.Restart(ctx, b.ID, "admin", Rerun{FailedOnly: true})
	ok(err)
	ok(s.RetryPlan(ctx, again))
	again.Planned = true
	old, err := s.Jobs(ctx, b.ID)
	ok(err)
	jobs[0].Carry = old[0].ID
	ok(s.PlanBuild(ctx, again, jobs))
	_, err = s.Restart(ctx, b.ID, "admin", Rerun{Job: 1, Step: 1})
	ok(err)
	ok(s.SetStatuses(ctx, Commit{r.ID, "aaaa", 1}, []WantedStatus{{Context: "slipway"}}))
	rows, err := s.UnsentStatuses(ctx, 10)
	ok(err)
	for _, st := range rows {
		ok(s.StatusFailed(ctx, st, time.Now(), 0, ""))
		ok(s.StatusSent(ctx, st))
	}
	ok(s.RetryStatuses(ctx, r.ID, "aaaa"))
	ok(s.SetRegistryLogin(ctx, r.ID, RegistryLogin{Registry: "x"}))
	ok(s.RemoveRegistryLogin(ctx, r.ID, "x"))
	ok(s.Guard(ctx, "x"))
	ok(s.Grant(ctx, "x", "y", "z"))
	_, err = s.ChangeRepoSettings(ctx, r.ID, func(*RepoSettings) {})
	ok(err)
	sessions := Sessions{s}
	ok(sessions.Commit("t", []byte{1}, time.Now()))
	_, _, err = sessions.Find("t")
	ok(err)
	ok(sessions.Delete("t"))

	read := func(_ any, err error) {
		t.Helper()
		ok(err)
	}
	read(s.BuildByID(ctx, b.ID))
	for _, f := range []BuildFilter{{}, {Branch: "x"}, {Event: "push"}, {SHA: "aaaa"}, {Ref: "x"}, {Author: "x"}, {Status: Success},
		{Ref: "x", Verdict: true}, {Branch: "x", Before: 3}, {Author: "x", Before: 3}, {SHA: "aa", Before: 7}} {
		read(s.Builds(ctx, r.ID, f))
	}
	read(s.Build(ctx, r.ID, 1))
	read(s.UnplannedBuilds(ctx))
	read(s.PreviousBuild(ctx, p))
	read(s.ApprovedPull(ctx, r.ID, 1, "bbbb"))
	read(s.CoveringBuild(ctx, b))
	read(s.CoveringBuild(ctx, p))
	_, _, err = s.QueueLength(ctx)
	ok(err)
	for _, text := range []string{"", "guid", "acme/app", "acme/", "abcdef"} {
		read(s.Deliveries(ctx, DeliveryFilter{Text: text}))
		read(s.Deliveries(ctx, DeliveryFilter{Text: text, Status: DeliveryDone, Before: 9}))
	}
	read(s.DeliveryByGUID(ctx, "g"))
	read(s.NextDeliveries(ctx))
	read(s.Digest(ctx, 1))
	read(s.Digests(ctx, b.ID))
	read(s.Culprits(ctx, b.ID))
	read(s.BuildChanges(ctx, b.ID))
	read(s.LastPassed(ctx, r.ID, "refs/heads/main", 9))
	read(s.SearchFailures(ctx, FailureQuery{Text: "boom"}))
	read(s.StepHistory(ctx, b, StepKey{r.ID, "a", "x"}, "main"))
	read(s.StepHistory(ctx, p, StepKey{r.ID, "a", "x"}, "main"))
	read(s.JobByID(ctx, j.ID))
	read(s.RunningJobs(ctx))
	read(s.Steps(ctx, j.ID))
	read(s.DirtyCommits(ctx, 10))
	read(s.CommitRuns(ctx, r.ID, "aaaa"))
	read(s.CommitStatuses(ctx, r.ID, "aaaa"))
	read(s.ActiveBuilds(ctx, false, 10))
	read(s.RedBranches(ctx, false, 10))
	read(s.RefHeads(ctx, r.ID, "refs/pull/", 10))
	read(s.Verdicts(ctx, r.ID, "", 10))
	read(s.Verdicts(ctx, r.ID, "main", 10))
	read(s.PipelineFiles(ctx, b.ID))
	read(s.Queue(ctx, false, 10))
	read(s.QueuePlaces(ctx, b.ID))
	read(s.GroupHolders(ctx, r.ID, "deploy"))
	read(s.RegistryLogins(ctx, r.ID))
	read(s.Granted(ctx, "x", "y", "z"))
	read(s.Repos(ctx, false))
	for _, text := range []string{"main", "7", "abcdef"} {
		read(s.Search(ctx, text, false, 10))
	}
	read(s.WaitReason(ctx))
}
