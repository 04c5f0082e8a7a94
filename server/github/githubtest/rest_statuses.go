package githubtest

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// invalid is what GitHub answers to a field that it does not take.
func invalid(field, message string) error {
	e := object{"resource": "Status", "code": "custom", "message": message}
	if field != "" {
		e["field"] = field
	}
	return &apiError{status: http.StatusUnprocessableEntity, message: "Validation Failed", errors: []object{e}}
}

func (s *Server) postStatus(w http.ResponseWriter, r *http.Request) error {
	if err := s.requireAuth(r); err != nil {
		return err
	}
	repo, err := s.repoOf(r)
	if err != nil {
		return err
	}
	if !s.granted().Statuses {
		return errNotGranted
	}
	st, err := readStatus(r)
	if err != nil {
		return err
	}
	sha := r.PathValue("sha")
	switch ok, err := repo.hasCommit(r.Context(), sha); {
	case err != nil:
		return err
	case !ok:
		return &apiError{status: http.StatusUnprocessableEntity, message: "No commit found for SHA: " + sha}
	}
	st.ID, st.Creator, st.CreatedAt = s.nextID(), s.opts.Login, s.now()
	if !repo.statuses.add(sha, st) {
		return invalid("", "This SHA and context has reached the maximum number of statuses.")
	}
	writeJSON(w, http.StatusCreated, repo.statusJSON(sha, st))
	return nil
}

// readStatus reads a status and checks it as GitHub does.
func readStatus(r *http.Request) (Status, error) {
	var in struct {
		State       string `json:"state"`
		Context     string `json:"context"`
		Description string `json:"description"`
		TargetURL   string `json:"target_url"`
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return Status{}, err
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return Status{}, &apiError{status: http.StatusBadRequest, message: "Problems parsing JSON"}
	}
	in.Context = cmp.Or(in.Context, "default")
	switch {
	case !slices.Contains([]string{"error", "failure", "pending", "success"}, in.State):
		return Status{}, invalid("state", "state is not included in the list")
	case utf8.RuneCountInString(in.Description) > 140:
		return Status{}, invalid("description", "description is too long (maximum is 140 characters)")
	case utf8.RuneCountInString(in.Context) > 255:
		return Status{}, invalid("context", "context is too long (maximum is 255 characters)")
	case !isWebURL(in.TargetURL):
		return Status{}, invalid("target_url", "target_url must use http(s) scheme")
	}
	return Status{State: in.State, Context: in.Context, Description: in.Description, TargetURL: in.TargetURL}, nil
}

func isWebURL(s string) bool {
	if s == "" {
		return true
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https")
}

// getCommits answers for what is below a commit, which may be named by a branch
// with slashes in its name.
func (s *Server) getCommits(w http.ResponseWriter, r *http.Request) error {
	repo, err := s.repoOf(r)
	if err != nil {
		return err
	}
	ref, isList := strings.CutSuffix(r.PathValue("rest"), "/statuses")
	if !isList {
		var isOne bool
		if ref, isOne = strings.CutSuffix(ref, "/status"); !isOne {
			return s.getCommit(w, r, repo, ref)
		}
	}
	sha, err := repo.find(r, ref)
	if err != nil {
		return err
	}
	all := repo.Statuses(sha)
	if isList {
		slices.Reverse(all)
		writeJSON(w, http.StatusOK, repo.statusesJSON(sha, page(r, all)))
		return nil
	}
	newest := latest(all)
	writeJSON(w, http.StatusOK, object{
		"state":       combined(all),
		"sha":         sha,
		"total_count": len(newest),
		"statuses":    repo.statusesJSON(sha, page(r, newest)),
		"repository":  repo.json(),
		"commit_url":  s.URL() + "/api/v3/repos/" + repo.FullName() + "/commits/" + sha,
	})
	return nil
}

// getCommit answers with as little of a commit as tells that it is there.
func (s *Server) getCommit(w http.ResponseWriter, r *http.Request, repo *Repo, ref string) error {
	if repo.private && !s.granted().Contents {
		return errNotGranted
	}
	sha, err := repo.find(r, ref)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, object{"sha": sha, "url": s.URL() + "/api/v3/repos/" + repo.FullName() + "/commits/" + sha})
	return nil
}

// find returns the commit that a SHA, a branch or a tag names.
func (r *Repo) find(req *http.Request, ref string) (string, error) {
	candidates := []string{"refs/heads/" + ref, "refs/tags/" + ref}
	if shaRE.MatchString(ref) {
		candidates = []string{ref}
	}
	for _, c := range candidates {
		if sha, err := r.Resolve(req.Context(), c); err != nil || sha != "" {
			return sha, err
		}
	}
	return "", &apiError{status: http.StatusUnprocessableEntity, message: "No commit found for SHA: " + ref}
}

// page returns the part of all that the request's page and per_page ask for.
func page(r *http.Request, all []Status) []Status {
	number := func(name string, fallback int) int {
		n, err := strconv.Atoi(r.URL.Query().Get(name))
		if err != nil || n < 1 {
			return fallback
		}
		return n
	}
	size := min(number("per_page", 30), 100)
	from := min((number("page", 1)-1)*size, len(all))
	return all[from:min(from+size, len(all))]
}

func (r *Repo) statusesJSON(sha string, ss []Status) []object {
	out := []object{}
	for _, s := range ss {
		out = append(out, r.statusJSON(sha, s))
	}
	return out
}

func (r *Repo) statusJSON(sha string, s Status) object {
	out := object{
		"id":          s.ID,
		"node_id":     nodeID("StatusContext", s.ID),
		"url":         r.s.URL() + "/api/v3/repos/" + r.FullName() + "/statuses/" + sha,
		"state":       s.State,
		"context":     s.Context,
		"description": s.Description,
		"target_url":  nil,
		"created_at":  stamp(s.CreatedAt),
		"updated_at":  stamp(s.CreatedAt),
		"creator":     r.s.userJSON(s.Creator),
	}
	if s.TargetURL != "" {
		out["target_url"] = s.TargetURL
	}
	return out
}
