package githubtest

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// apiHandler answers one REST request. An *apiError is answered as GitHub
// does, any other error as 500.
type apiHandler func(w http.ResponseWriter, r *http.Request) error

// apiError is an error answer.
type apiError struct {
	status  int
	message string
	errors  []object
}

func (e *apiError) Error() string { return e.message }

var errNotFound = &apiError{status: http.StatusNotFound, message: "Not Found"}

// api wraps a handler with what all REST requests have in common.
func (s *Server) api(h apiHandler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Date", s.now().UTC().Format(http.TimeFormat))
		header.Set("X-GitHub-Request-Id", strings.ToUpper(newGUID()))
		header.Set("X-GitHub-Media-Type", "github.v3; format=json")
		// Nobody is limited here unless a test asks for it.
		header.Set("X-RateLimit-Limit", "5000")
		header.Set("X-RateLimit-Remaining", "4999")
		header.Set("X-RateLimit-Reset", strconv.FormatInt(s.now().Add(time.Hour).Unix(), 10))
		err := s.checkCredentials(r)
		if err == nil {
			err = h(w, r)
		}
		var refused *apiError
		switch {
		case err == nil:
		case errors.As(err, &refused):
			body := object{
				"message":           refused.message,
				"documentation_url": "https://docs.github.com/rest",
				"status":            strconv.Itoa(refused.status),
			}
			if refused.errors != nil {
				body["errors"] = refused.errors
			}
			writeJSON(w, refused.status, body)
		default:
			s.log.Error("answer a request", "path", r.URL.Path, "error", err)
			writeJSON(w, http.StatusInternalServerError, object{"message": "Server Error"})
		}
	})
}

// checkCredentials refuses credentials that are wrong. None at all are fine,
// for what is public.
func (s *Server) checkCredentials(r *http.Request) error {
	if r.Header.Get("Authorization") == "" || s.authenticated(r) {
		return nil
	}
	return &apiError{status: http.StatusUnauthorized, message: "Bad credentials"}
}

// authenticated reports whether the request carries the token, in any of the
// ways GitHub takes it.
func (s *Server) authenticated(r *http.Request) bool {
	if _, password, ok := r.BasicAuth(); ok {
		return s.isToken(password)
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return (strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "token")) && s.isToken(token)
}

func (s *Server) requireAuth(r *http.Request) error {
	if s.authenticated(r) {
		return nil
	}
	return &apiError{status: http.StatusUnauthorized, message: "Requires authentication"}
}

// repoOf returns the repository that the path names, if the request may see it.
func (s *Server) repoOf(r *http.Request) (*Repo, error) {
	repo := s.Repo(r.PathValue("owner"), r.PathValue("name"))
	if repo == nil || repo.private && !s.authenticated(r) {
		return nil, errNotFound
	}
	return repo, nil
}

func (s *Server) notFound(http.ResponseWriter, *http.Request) error { return errNotFound }

func (s *Server) getRoot(w http.ResponseWriter, _ *http.Request) error {
	api := s.URL() + "/api/v3"
	writeJSON(w, http.StatusOK, object{
		"current_user_url": api + "/user",
		"rate_limit_url":   api + "/rate_limit",
		"repository_url":   api + "/repos/{owner}/{repo}",
	})
	return nil
}

func (s *Server) getUser(w http.ResponseWriter, r *http.Request) error {
	if err := s.requireAuth(r); err != nil {
		return err
	}
	s.granted().describe(w.Header())
	writeJSON(w, http.StatusOK, s.userJSON(s.opts.Login))
	return nil
}

func (s *Server) getRateLimit(w http.ResponseWriter, _ *http.Request) error {
	core := object{"limit": 5000, "used": 1, "remaining": 4999, "reset": s.now().Add(time.Hour).Unix()}
	writeJSON(w, http.StatusOK, object{"resources": object{"core": core}, "rate": core})
	return nil
}

func (s *Server) getMeta(w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, object{
		"verifiable_password_authentication": false,
		"installed_version":                  "3.14.0",
	})
	return nil
}

func (s *Server) getRepo(w http.ResponseWriter, r *http.Request) error {
	repo, err := s.repoOf(r)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, repo.json())
	return nil
}
