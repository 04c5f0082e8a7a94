package githubtest

import (
	"bytes"
	"cmp"
	"crypto/subtle"
	"log/slog"
	"net/http"
	"net/http/cgi"
	"os"
	"path/filepath"
	"strings"
)

// serveGit answers a git client through git http-backend.
func (s *Server) serveGit(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutSuffix(r.PathValue("repo"), ".git")
	if !ok {
		http.NotFound(w, r)
		return
	}
	repo := s.Repo(r.PathValue("owner"), name)
	user, password, hasAuth := r.BasicAuth()
	isToken := hasAuth && s.isToken(password)
	push := isPush(r)
	switch {
	case hasAuth && !isToken,
		!isToken && (repo == nil || repo.private),
		!isToken && push && !s.opts.AnonymousPush:
		// GitHub says the same of what is not there: who may not see a
		// repository does not learn that there is one.
		w.Header().Set("WWW-Authenticate", `Basic realm="GitHub"`)
		http.Error(w, "Repository not found.", http.StatusUnauthorized)
	case repo == nil:
		http.Error(w, "Repository not found.", http.StatusNotFound)
	case push && r.Method == http.MethodPost:
		s.receivePack(w, r, repo, s.pusher(repo, user, isToken))
	default:
		s.backend(repo, "").ServeHTTP(w, unchunked(r))
	}
}

func isPush(r *http.Request) bool {
	const service = "git-receive-pack"
	return strings.HasSuffix(r.URL.Path, "/"+service) || r.URL.Query().Get("service") == service
}

func (s *Server) isToken(given string) bool {
	return subtle.ConstantTimeCompare([]byte(given), []byte(s.opts.Token)) == 1
}

// pusher returns the login that a push is ascribed to.
func (s *Server) pusher(repo *Repo, user string, isToken bool) string {
	switch {
	case !isToken:
		return repo.owner
	case user == "x-access-token":
		return s.opts.Login
	default:
		return cmp.Or(user, s.opts.Login)
	}
}

// receivePack takes a push and announces what of it was accepted, which git
// writes into a file by the hook. The answer ends only then: when `git push`
// returns, its webhooks are on their way and Settle waits for them.
func (s *Server) receivePack(w http.ResponseWriter, r *http.Request, repo *Repo, sender string) {
	file, err := os.CreateTemp(s.git.dir, "pushed-")
	if err != nil {
		s.log.Error("make file for a push", "error", err)
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		return
	}
	defer os.Remove(file.Name())
	defer file.Close()
	s.backend(repo, file.Name()).ServeHTTP(w, unchunked(r))
	lines, err := os.ReadFile(file.Name())
	if err != nil {
		s.log.Error("read what was pushed", "repo", repo.FullName(), "error", err)
		return
	}
	// Not with the request's context: the push is done, whoever has hung up.
	if err := repo.announce(s.ctx, parseUpdates(string(lines)), sender); err != nil {
		s.log.Error("announce a push", "repo", repo.FullName(), "error", err)
	}
}

// backend runs git http-backend on one repository.
func (s *Server) backend(repo *Repo, pushed string) http.Handler {
	log := slog.NewLogLogger(s.log.With("repo", repo.FullName()).Handler(), slog.LevelDebug)
	h := &cgi.Handler{
		Path:   s.git.backend,
		Dir:    s.git.dir,
		Env:    append([]string{"GIT_PROJECT_ROOT=" + filepath.Dir(repo.dir), "GIT_HTTP_EXPORT_ALL=1"}, s.git.env...),
		Logger: log,
		Stderr: &lineWriter{print: func(line string) { log.Print(line) }},
	}
	if pushed != "" {
		h.Env = append(h.Env, pushedVar+"="+pushed)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The path that was asked for is replaced by where the repository is:
		// its name may be spelled otherwise.
		_, service, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		_, service, _ = strings.Cut(service, "/")
		r.URL.Path = "/" + filepath.Base(repo.dir) + "/" + service
		h.ServeHTTP(w, r)
	})
}

// unchunked returns a copy of r whose body is of unknown length but not
// chunked, which package cgi refuses. git http-backend then reads to its end.
func unchunked(r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	r.TransferEncoding = nil
	return r
}

// lineWriter prints what is written to it line by line; a rest without a
// newline is not printed. It is used by one goroutine.
type lineWriter struct {
	print func(line string)
	rest  []byte
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		line, rest, ok := bytes.Cut(w.rest, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		w.print(string(line))
		w.rest = rest
	}
}
