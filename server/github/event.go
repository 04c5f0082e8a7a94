package github

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Kind tells what an Event is.
type Kind string

const (
	KindPing        Kind = "ping"
	KindPush        Kind = "push"
	KindPullRequest Kind = "pull_request"
	KindRelease     Kind = "release"
	KindDeployment  Kind = "deployment"
	// KindIgnored is a valid payload that makes no build; Event.Reason says why.
	KindIgnored Kind = "ignored"
)

// An Event is what slipway takes from one webhook.
type Event struct {
	Kind Kind
	// Reason says in words why the event is ignored; empty for other kinds.
	Reason string
	// Repo is set for what makes a build; for other kinds it is what the payload
	// told, which may be nothing.
	Repo   Repo
	Sender User
	// InstallationID is the GitHub App installation's; 0 if the webhook is not
	// an App's.
	InstallationID int64
	Push           *Push        // set if and only if Kind is KindPush
	PullRequest    *PullRequest // set if and only if Kind is KindPullRequest
	Release        *Release     // set if and only if Kind is KindRelease
	Deployment     *Deployment  // set if and only if Kind is KindDeployment
}

// Repo is a repository as GitHub describes it. Owner and Name are checked to
// be names: they contain no slash and can stand in a path.
type Repo struct {
	ID            int64
	Owner, Name   string
	Private       bool
	DefaultBranch string
	CloneURL      string
	HTMLURL       string
}

// FullName returns "owner/name", empty for the zero Repo.
func (r Repo) FullName() string {
	if r.Owner == "" {
		return ""
	}
	return r.Owner + "/" + r.Name
}

// User is a GitHub account.
type User struct {
	Login     string
	AvatarURL string
}

// A PayloadError says what is wrong with a webhook's payload.
type PayloadError struct {
	// Field is the JSON path of what is wrong, "repository.owner.login"; empty
	// if the payload is not JSON.
	Field string
	// Problem says what is wrong with it: "is missing".
	Problem string
}

func (e *PayloadError) Error() string {
	if e.Field == "" {
		return "the payload " + e.Problem
	}
	return fmt.Sprintf("the payload's field %s %s", e.Field, e.Problem)
}

// Parse turns the JSON payload of the event with the given name (the
// X-GitHub-Event header) into an Event. Its error is a *PayloadError: the
// payload is not JSON, or lacks what its kind needs. An event that slipway does
// not build is no error but KindIgnored.
func Parse(event string, body []byte) (Event, error) {
	if !json.Valid(body) {
		return Event{}, &PayloadError{Problem: "is not valid JSON"}
	}
	switch event {
	case "push":
		return parsePush(body)
	case "pull_request":
		return parsePullRequest(body)
	case "release":
		return parseRelease(body)
	case "deployment":
		return parseDeployment(body)
	case "ping":
		e := parseOther(body)
		e.Kind = KindPing
		return e, nil
	case "":
		return Event{}, &PayloadError{Problem: "came without the name of its event (X-GitHub-Event)"}
	default:
		e := parseOther(body)
		e.Kind, e.Reason = KindIgnored, fmt.Sprintf("event %s is not one slipway builds", event)
		return e, nil
	}
}

// parseOther takes what it can from a payload of any shape.
func parseOther(body []byte) Event {
	var parts struct{ Repository, Sender, Installation json.RawMessage }
	if json.Unmarshal(body, &parts) != nil {
		return Event{} // not an object
	}
	var e Event
	var r *repository
	if json.Unmarshal(parts.Repository, &r) == nil {
		if repo, err := r.repo("repository"); err == nil {
			e.Repo = repo
		}
	}
	var u *account
	if json.Unmarshal(parts.Sender, &u) == nil {
		e.Sender = u.user()
	}
	var i *installation
	if json.Unmarshal(parts.Installation, &i) == nil && i != nil {
		e.InstallationID = i.ID
	}
	return e
}

// decode unmarshals body into v and names the field whose type is wrong.
func decode(body []byte, v any) error {
	err := json.Unmarshal(body, v)
	var wrongType *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrongType):
		// encoding/json puts the embedded struct's name into the path.
		field := strings.TrimPrefix(wrongType.Field, "envelope.")
		return &PayloadError{Field: field, Problem: "must not be a JSON " + wrongType.Value}
	default:
		return &PayloadError{Problem: "cannot be decoded: " + err.Error()}
	}
}
