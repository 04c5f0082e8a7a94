package webui

import (
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
)

// Options are what New needs. Store and Logs are required.
type Options struct {
	Store *store.Store
	Logs  *logs.Store

	// AdminToken opens a session at /login. Empty: nobody can log in.
	AdminToken string
	// PublicURL is where browsers reach the server, such as
	// "https://ci.example.org". Cookies are Secure if it is https.
	PublicURL string
	// Version is shown at the foot of each page.
	Version string
	// Logger hears of internal errors; nil means nobody.
	Logger *slog.Logger

	// Done is closed when the server shuts down: streams end then. nil means
	// never.
	Done <-chan struct{}
	// Heartbeat is how often an idle stream sends a comment; 0 means 15 s.
	Heartbeat time.Duration
	// MaxStreams is how many streams are served at a time; 0 means 1000. Anybody
	// may open them, and webhooks need connections too.
	MaxStreams int
}

// UI serves the pages. Its methods may be called concurrently. It holds nothing
// that needs closing.
type UI struct {
	store     *store.Store
	logs      *logs.Store
	log       *slog.Logger
	public    *url.URL
	version   string
	done      <-chan struct{}
	heartbeat time.Duration

	templates *template.Template
	assets    *assets
	manual    *manual
	sessions  *scs.SessionManager
	admin     adminToken
	origins   *http.CrossOriginProtection
	logins    *loginLimit
	searches  chan struct{} // holds one for each search of a log that runs
	streams   chan struct{} // and one for each stream
}

// New parses the templates and returns the UI; it fails if one is broken.
func New(o Options) (*UI, error) {
	if o.Store == nil || o.Logs == nil {
		return nil, errors.New("webui: Store and Logs are required")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Heartbeat <= 0 {
		o.Heartbeat = 15 * time.Second
	}
	if o.MaxStreams <= 0 {
		o.MaxStreams = 1000
	}
	public, err := url.Parse(o.PublicURL)
	if err != nil {
		return nil, fmt.Errorf("parse public URL: %w", err)
	}
	u := &UI{
		store: o.Store, logs: o.Logs, log: o.Logger, public: public, version: o.Version,
		done: o.Done, heartbeat: o.Heartbeat,
		sessions: newSessions(o.Store, public.Scheme == "https"),
		admin:    newAdminToken(o.AdminToken),
		origins:  http.NewCrossOriginProtection(),
		logins:   newLoginLimit(),
		searches: make(chan struct{}, maxSearches),
		streams:  make(chan struct{}, o.MaxStreams),
	}
	if public.Host != "" {
		if err := u.origins.AddTrustedOrigin(public.Scheme + "://" + public.Host); err != nil {
			return nil, fmt.Errorf("trust public URL: %w", err)
		}
	}
	if u.assets, err = loadAssets(); err != nil {
		return nil, fmt.Errorf("load assets: %w", err)
	}
	if u.manual, err = loadManual(); err != nil {
		return nil, fmt.Errorf("load manual: %w", err)
	}
	if u.templates, err = parseTemplates(u.assets); err != nil {
		return nil, fmt.Errorf("parse templates: %w", err)
	}
	return u, nil
}
