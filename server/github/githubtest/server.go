package githubtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options configure a Server.
type Options struct {
	// Token is the one credential that the server accepts; required.
	Token string
	// Login is whose token it is; empty means "slipway-bot".
	Login string
	// WebhookSecret signs webhooks; empty sends them unsigned, as GitHub does.
	WebhookSecret string
	// AnonymousPush lets everybody push; otherwise it takes the token.
	AnonymousPush bool
	// URL is the root under which the server is reached, if Start does not say.
	URL    string
	Logger *slog.Logger     // nil means none
	Now    func() time.Time // nil means time.Now
}

// A Server is a stand-in GitHub. It is an http.Handler; Start serves it on a
// listener of its own. Close must be called.
type Server struct {
	opts  Options
	log   *slog.Logger
	now   func() time.Time
	git   *git
	mux   *http.ServeMux
	hooks *hooks
	// ctx ends when Close is called: hanging requests and webhooks end with it.
	ctx    context.Context
	cancel context.CancelFunc

	faults faults

	active sync.WaitGroup // requests and webhooks; see begin

	mu     sync.Mutex // guards what follows
	closed bool
	url    string
	lastID int64
	grants Grants
	repos  map[string]*Repo  // by lower-case "owner/name"
	logins map[string]string // by e-mail address of a Person
	server *http.Server      // nil until Start
	serve  chan error        // the end of server; has room for it

	pullMu sync.Mutex // guards the pull requests of all repositories
	pulls  []*pull
}

// New makes a Server and its directory for repositories.
func New(o Options) (*Server, error) {
	if o.Token == "" {
		return nil, errors.New("the stand-in GitHub needs a token")
	}
	if o.Login == "" {
		o.Login = "slipway-bot"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	dir, err := os.MkdirTemp("", "slipway-github-")
	if err != nil {
		return nil, fmt.Errorf("make directory for repositories: %w", err)
	}
	git, err := newGit(dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		opts: o, log: o.Logger, now: o.Now, git: git,
		ctx: ctx, cancel: cancel,
		url:    strings.TrimRight(o.URL, "/"),
		lastID: 1000,
		grants: Grants{Classic: []string{"repo"}, Contents: true, Statuses: true},
		repos:  map[string]*Repo{},
		logins: map[string]string{},
	}
	s.hooks = newHooks(s)
	s.mux = s.routes()
	return s, nil
}

// Start listens on addr, "127.0.0.1:0" for any free port, and serves there
// until Close. From then on URL is that of the listener.
func (s *Server) Start(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen for the stand-in GitHub: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.server != nil {
		return errors.Join(errors.New("start the stand-in GitHub: it was started or closed before"), l.Close())
	}
	s.url = "http://" + l.Addr().String()
	s.server = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	s.serve = make(chan error, 1)
	go func() { s.serve <- s.server.Serve(l) }()
	return nil
}

// URL returns the root of the web site, without a slash at its end. The REST
// API is below it, at /api/v3.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// Close ends hanging requests and webhooks, stops serving, waits for all that
// is under way and removes the repositories.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	server, serve := s.server, s.serve
	s.mu.Unlock()

	s.cancel()
	var err error
	if server != nil {
		err = errors.Join(shutdown(server), ended(<-serve))
	}
	s.active.Wait()
	s.hooks.client.CloseIdleConnections()
	return errors.Join(err, os.RemoveAll(s.git.dir))
}

func shutdown(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return server.Close()
	}
	return nil
}

func ended(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// begin counts something that Close waits for, and reports whether it may go
// on. If so, s.active.Done must be called.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.active.Add(1)
	return true
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.begin() {
		http.Error(w, "closed", http.StatusServiceUnavailable)
		return
	}
	defer s.active.Done()
	s.faults.serve(s.ctx, w, r, s.mux)
}

// routes is the list of everything the server answers.
func (s *Server) routes() *http.ServeMux {
	rest := http.NewServeMux()
	api := func(pattern string, h apiHandler) { rest.Handle(pattern, s.api(h)) }
	api("GET /{$}", s.getRoot)
	api("GET /user", s.getUser)
	api("GET /rate_limit", s.getRateLimit)
	api("GET /meta", s.getMeta)
	api("GET /repos/{owner}/{name}", s.getRepo)
	api("POST /repos/{owner}/{name}/statuses/{sha}", s.postStatus)
	api("GET /repos/{owner}/{name}/commits/{rest...}", s.getCommits)
	api("/", s.notFound)

	m := http.NewServeMux()
	m.HandleFunc("GET /{owner}/{repo}/info/refs", s.serveGit)
	m.HandleFunc("POST /{owner}/{repo}/git-upload-pack", s.serveGit)
	m.HandleFunc("POST /{owner}/{repo}/git-receive-pack", s.serveGit)

	m.HandleFunc("GET /{$}", s.indexPage)
	m.HandleFunc("GET /{owner}/{name}", s.repoPage)
	m.HandleFunc("GET /{owner}/{name}/commit/{sha}", s.toRepoPage)
	m.HandleFunc("GET /{owner}/{name}/pull/{number}", s.toRepoPage)
	m.HandleFunc("GET /avatars/{login}", s.avatar)

	// Apart, because a repository "api/v3" would match too.
	all := http.NewServeMux()
	all.Handle("/api/v3/", http.StripPrefix("/api/v3", rest))
	all.Handle("/", m)
	return all
}

// nextID returns a number that nothing else here has.
func (s *Server) nextID() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	return s.lastID
}

// Repo returns a repository that was added, or nil.
func (s *Server) Repo(owner, name string) *Repo {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.repos[repoKey(owner, name)]
}

// Repos returns all repositories, oldest first.
func (s *Server) Repos() []*Repo {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*Repo, 0, len(s.repos))
	for _, r := range s.repos {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *Repo) int { return int(a.id - b.id) })
	return all
}

func repoKey(owner, name string) string { return strings.ToLower(owner + "/" + name) }
