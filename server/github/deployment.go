package github

import "fmt"

// Deployment is a deployment that somebody asked for.
type Deployment struct {
	ID  int64
	SHA string // the commit to deploy
	// Ref is what was asked for: the name of a branch or a tag, a full ref, or
	// the commit itself.
	Ref         string
	Environment string
	Task        string // "deploy" unless another was given
	Description string
	Creator     User
}

type deploymentPayload struct {
	envelope
	Action     string `json:"action"`
	Deployment *struct {
		ID          int64    `json:"id"`
		SHA         string   `json:"sha"`
		Ref         string   `json:"ref"`
		Environment string   `json:"environment"`
		Task        string   `json:"task"`
		Description *string  `json:"description"`
		Creator     *account `json:"creator"`
	} `json:"deployment"`
}

func parseDeployment(body []byte) (Event, error) {
	var p deploymentPayload
	if err := decode(body, &p); err != nil {
		return Event{}, err
	}
	e, err := p.event()
	if err != nil {
		return Event{}, err
	}
	if p.Action != "" && p.Action != "created" {
		e.Kind, e.Reason = KindIgnored, fmt.Sprintf("deployment action %s", cut(p.Action, 100))
		return e, nil
	}
	d := p.Deployment
	switch {
	case d == nil:
		return Event{}, missing("deployment")
	case d.ID <= 0:
		return Event{}, missing("deployment.id")
	case d.Ref == "":
		return Event{}, missing("deployment.ref")
	}
	if err := checkSHA("deployment.sha", d.SHA); err != nil {
		return Event{}, err
	}
	e.Kind = KindDeployment
	e.Deployment = &Deployment{ID: d.ID, SHA: d.SHA, Ref: d.Ref, Environment: d.Environment, Task: d.Task, Creator: d.Creator.user()}
	if d.Description != nil {
		e.Deployment.Description = *d.Description
	}
	return e, nil
}
