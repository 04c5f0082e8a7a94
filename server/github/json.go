package github

import (
	"fmt"
	"regexp"
)

// The types in this file are GitHub's JSON objects, reduced to what is read.
// What may be null is a pointer, and its methods accept nil.

type envelope struct {
	Repository   *repository   `json:"repository"`
	Sender       *account      `json:"sender"`
	Installation *installation `json:"installation"`
}

type repository struct {
	ID            int64    `json:"id"`
	Name          string   `json:"name"`
	FullName      string   `json:"full_name"`
	Owner         *account `json:"owner"`
	Private       bool     `json:"private"`
	DefaultBranch string   `json:"default_branch"`
	CloneURL      string   `json:"clone_url"`
	HTMLURL       string   `json:"html_url"`
}

// account is a user or an organisation. A push's repository has the login
// under "name" too; "login" is in all of them.
type account struct {
	Login     string `json:"login"`
	AvatarURL string `json:"avatar_url"`
}

type installation struct {
	ID int64 `json:"id"`
}

// event returns the parts that every event has in common.
func (e *envelope) event() (Event, error) {
	repo, err := e.Repository.repo("repository")
	if err != nil {
		return Event{}, err
	}
	out := Event{Repo: repo, Sender: e.Sender.user()}
	if e.Installation != nil {
		out.InstallationID = e.Installation.ID
	}
	return out, nil
}

// repo checks r and converts it; field is where it stands in the payload.
func (r *repository) repo(field string) (Repo, error) {
	if r == nil {
		return Repo{}, missing(field)
	}
	if r.ID == 0 {
		return Repo{}, missing(field + ".id")
	}
	if err := checkName(field+".name", r.Name); err != nil {
		return Repo{}, err
	}
	if err := checkName(field+".owner.login", r.Owner.user().Login); err != nil {
		return Repo{}, err
	}
	if r.CloneURL == "" {
		return Repo{}, missing(field + ".clone_url")
	}
	return Repo{
		ID:            r.ID,
		Owner:         r.Owner.Login,
		Name:          r.Name,
		Private:       r.Private,
		DefaultBranch: r.DefaultBranch,
		CloneURL:      r.CloneURL,
		HTMLURL:       r.HTMLURL,
	}, nil
}

func (a *account) user() User {
	if a == nil {
		return User{}
	}
	return User{Login: a.Login, AvatarURL: a.AvatarURL}
}

var (
	nameRE = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
	shaRE  = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
	zeroRE = regexp.MustCompile(`^0+$`)
)

// maxName is the most bytes of a name.
const maxName = 100

// validName tells what GitHub may allow as an owner or a repository: names
// become parts of paths and URLs.
func validName(name string) bool {
	return len(name) <= maxName && nameRE.MatchString(name) && name != "." && name != ".."
}

// validSHA tells a commit's full SHA-1 or SHA-256; that of nothing, all zeros,
// is none.
func validSHA(sha string) bool { return shaRE.MatchString(sha) && !zeroRE.MatchString(sha) }

func checkName(field, name string) error {
	if name == "" {
		return missing(field)
	}
	if !validName(name) {
		return &PayloadError{Field: field, Problem: fmt.Sprintf("is not a name GitHub allows: %s", quote(name))}
	}
	return nil
}

func checkSHA(field, sha string) error {
	if sha == "" {
		return missing(field)
	}
	if !validSHA(sha) {
		return &PayloadError{Field: field, Problem: fmt.Sprintf("is not a commit's SHA: %s", quote(sha))}
	}
	return nil
}

func missing(field string) error {
	return &PayloadError{Field: field, Problem: "is missing"}
}

// quote quotes a value from outside, shortened so that it fits an error.
func quote(s string) string { return fmt.Sprintf("%q", cut(s, 60)) }
