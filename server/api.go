package server

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/slipway-ci/slipway/store"
)

// What the API answers. Names and meanings only ever grow.

type repoJSON struct {
	Owner         string     `json:"owner"`
	Name          string     `json:"name"`
	Private       bool       `json:"private"`
	DefaultBranch string     `json:"default_branch"`
	URL           string     `json:"url" doc:"Its page on GitHub"`
	LatestBuild   *buildJSON `json:"latest_build,omitempty"`
	// Settings, where an admin asked for one repository.
	Trust        *store.Trust `json:"trust,omitempty" doc:"What its steps may do beyond a container"`
	Runtime      *string      `json:"runtime,omitempty" doc:"What runs its containers, by the Docker engine's name; empty for the server's"`
	UserNS       *string      `json:"userns,omitempty" doc:"host: its containers' users are those of the machine, also where the Docker engine maps users; empty for the server's"`
	PipelineFile *string      `json:"pipeline_file,omitempty" doc:"The file or folder that is used and no other; empty for where pipeline files usually are"`
}

type buildJSON struct {
	Number      int64           `json:"number" doc:"Counts from 1 within the repository"`
	Status      store.Status    `json:"status" enum:"blocked,pending,running,success,failure,error,canceled,skipped"`
	Reason      string          `json:"reason,omitempty" doc:"Why it ended as it did, or what it waits for"`
	Event       string          `json:"event" enum:"push,tag,pull_request,pull_request_closed,release,deployment,cron,manual,merge_group"`
	Ref         string          `json:"ref"`
	Branch      string          `json:"branch,omitempty" doc:"The pushed branch, or a pull request's target"`
	Tag         string          `json:"tag,omitempty"`
	Commit      string          `json:"commit" doc:"Its SHA"`
	Message     string          `json:"message"`
	Author      string          `json:"author"`
	Sender      string          `json:"sender" doc:"Who caused the event"`
	PullRequest *store.Pull     `json:"pull_request,omitempty"`
	Release     *store.Release  `json:"release,omitempty"`
	Deployment  *store.Deploy   `json:"deployment,omitempty"`
	Restarts    int64           `json:"restarts,omitempty" doc:"Number of the build that it runs again"`
	ApprovedBy  string          `json:"approved_by,omitempty"`
	CanceledBy  string          `json:"canceled_by,omitempty"`
	Files       []string        `json:"files,omitempty" doc:"The pipeline files that were used"`
	Problems    json.RawMessage `json:"problems,omitempty" doc:"What is wrong in the pipeline files"`
	URL         string          `json:"url" doc:"Its page"`
	CreatedAt   *time.Time      `json:"created_at"`
	StartedAt   *time.Time      `json:"started_at,omitempty"`
	FinishedAt  *time.Time      `json:"finished_at,omitempty"`
	Jobs        []jobJSON       `json:"jobs,omitempty"`
}

type jobJSON struct {
	Number     int               `json:"number"`
	Workflow   string            `json:"workflow" doc:"Its name, unique in the build: test, or test (1.26, linux) of a matrix"`
	Base       string            `json:"base,omitempty" doc:"The workflow without the values of its matrix"`
	Matrix     map[string]string `json:"matrix,omitempty"`
	Status     store.Status      `json:"status" enum:"blocked,pending,running,success,failure,error,canceled,skipped"`
	Reason     string            `json:"reason,omitempty"`
	DependsOn  []string          `json:"depends_on,omitempty"`
	Carried    int64             `json:"carried_from,omitempty" doc:"Number of the build that it ran in, if a restart took over its outcome; its logs are there"`
	QueuedAt   *time.Time        `json:"queued_at,omitempty"`
	StartedAt  *time.Time        `json:"started_at,omitempty"`
	FinishedAt *time.Time        `json:"finished_at,omitempty"`
	Steps      []stepJSON        `json:"steps"`
}

type stepJSON struct {
	Number     int          `json:"number"`
	Name       string       `json:"name"`
	Kind       string       `json:"kind" enum:"commands,plugin,service"`
	Image      string       `json:"image"`
	Status     store.Status `json:"status" enum:"blocked,pending,running,success,failure,error,canceled,skipped"`
	ExitCode   *int         `json:"exit_code,omitempty"`
	Error      string       `json:"error,omitempty" doc:"Why it failed, was skipped or stopped"`
	StartedAt  *time.Time   `json:"started_at,omitempty"`
	FinishedAt *time.Time   `json:"finished_at,omitempty"`
	Failure    *failureJSON `json:"failure,omitempty" doc:"Why it failed, as its log says it; there soon after it has ended"`
	// Usage is left out where it is not known.
	CPUSeconds      float64 `json:"cpu_seconds,omitempty" doc:"CPU time of all cores; absent if the step was too short to be measured"`
	PeakMemoryBytes int64   `json:"peak_memory_bytes,omitempty" doc:"The most memory that was seen in use; absent if the step was too short to be measured"`
}

type failureJSON struct {
	Line    int64  `json:"line,omitempty" doc:"The line of the log that says why"`
	Title   string `json:"title"`
	Excerpt string `json:"excerpt,omitempty" doc:"The lines that matter, as plain text"`
}

func newRepoJSON(r store.Repo) repoJSON {
	return repoJSON{Owner: r.Owner, Name: r.Name, Private: r.Private, DefaultBranch: r.DefaultBranch, URL: r.HTMLURL}
}

func (s *Server) newBuildJSON(r store.Repo, b store.Build) buildJSON {
	return buildJSON{
		Number: b.Number, Status: b.Status, Reason: b.Reason, Event: b.Event, Ref: b.Ref, Branch: b.Branch, Tag: b.Tag,
		Commit: b.SHA, Message: b.Message, Author: b.Author, Sender: b.Sender, PullRequest: b.Pull, Release: b.Release, Deployment: b.Deploy, Restarts: b.Parent,
		ApprovedBy: b.ApprovedBy, CanceledBy: b.CanceledBy, Files: b.Files, Problems: b.Problems,
		URL:       fmt.Sprintf("%s/repos/%s/builds/%d", s.URL, r.FullName(), b.Number),
		CreatedAt: timeJSON(b.CreatedAt), StartedAt: timeJSON(b.StartedAt), FinishedAt: timeJSON(b.FinishedAt),
	}
}

func newJobJSON(j store.Job) jobJSON {
	return jobJSON{Number: j.Number, Workflow: j.Name, Base: j.Base, Matrix: j.Matrix, Status: j.Status, Reason: j.Reason, DependsOn: j.DependsOn, Carried: j.CarriedFrom,
		QueuedAt: timeJSON(j.QueuedAt), StartedAt: timeJSON(j.StartedAt), FinishedAt: timeJSON(j.FinishedAt)}
}

func newStepJSON(st store.Step) stepJSON {
	out := stepJSON{Number: st.Number, Name: st.Name, Kind: st.Kind, Image: st.Image, Status: st.Status, Error: st.Reason,
		StartedAt: timeJSON(st.StartedAt), FinishedAt: timeJSON(st.FinishedAt),
		CPUSeconds: st.CPU.Seconds(), PeakMemoryBytes: st.PeakMemory}
	if st.Exited {
		out.ExitCode = &st.ExitCode
	}
	return out
}

// timeJSON leaves out a time that has not come.
func timeJSON(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
