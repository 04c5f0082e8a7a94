package githubtest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	// hookTimeout is how long GitHub waits for the answer to a webhook.
	hookTimeout = 10 * time.Second
	// maxSending is how many webhooks are under way at once.
	maxSending = 32
	// maxDeliveries is how many deliveries are remembered.
	maxDeliveries = 10_000
)

// hook is a webhook for all events of all repositories, as an organisation has.
type hook struct {
	id  int64
	url string
}

// hooks sends webhooks and remembers what came of them.
type hooks struct {
	s       *Server
	client  *http.Client
	slots   chan struct{} // one for each that is under way
	changed signal        // a delivery has ended

	mu         sync.Mutex // guards what follows
	hooks      []hook
	deliveries []Delivery
	sending    int // begun and not ended
}

func newHooks(s *Server) *hooks {
	return &hooks{
		s: s,
		client: &http.Client{
			Timeout:   hookTimeout,
			Transport: &http.Transport{MaxIdleConnsPerHost: maxSending},
			// GitHub takes a redirect for the answer that it is.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		slots: make(chan struct{}, maxSending),
	}
}

// AddWebhook adds a webhook for everything that happens in any repository. As
// GitHub does, it sends it a ping.
func (s *Server) AddWebhook(url string) error {
	h := hook{id: s.nextID(), url: url}
	now := stamp(s.now())
	body, err := json.Marshal(object{
		"zen":     "Keep it logically awesome.",
		"hook_id": h.id,
		"hook": object{
			"type": "Organization", "id": h.id, "name": "web", "active": true,
			"events":     []string{"push", "pull_request"},
			"config":     object{"content_type": "json", "url": url, "insecure_ssl": "0"},
			"updated_at": now, "created_at": now,
		},
		"sender": s.userJSON(s.opts.Login),
	})
	if err != nil {
		return err
	}
	s.hooks.mu.Lock()
	s.hooks.hooks = append(s.hooks.hooks, h)
	s.hooks.mu.Unlock()
	s.hooks.start(h, Delivery{GUID: newGUID(), Event: "ping", Payload: body})
	return nil
}

// all returns the webhooks there are.
func (h *hooks) all() []hook {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.hooks)
}

// send sends an event to every webhook, and returns before it has arrived.
func (h *hooks) send(event, action string, r *Repo, payload []byte) {
	for _, to := range h.all() {
		h.start(to, Delivery{GUID: newGUID(), Event: event, Action: action, Repo: r.FullName(), Payload: payload})
	}
}

// start sends d in the background; Close waits for it.
func (h *hooks) start(to hook, d Delivery) {
	if !h.s.begin() {
		return
	}
	h.count(1)
	go func() {
		defer h.s.active.Done()
		defer h.count(-1)
		h.deliver(h.s.ctx, to, d)
	}()
}

func (h *hooks) count(n int) {
	h.mu.Lock()
	h.sending += n
	h.mu.Unlock()
	h.changed.send()
}

var errNoWebhook = errors.New("no webhook was added")

// Deliver sends an event with a payload of the caller's to every webhook and
// returns what came of it, in the order of the webhooks. An empty guid is
// replaced by a new one. A webhook that fails is no error but a Delivery that
// says so.
func (s *Server) Deliver(ctx context.Context, event string, payload []byte, guid string) ([]Delivery, error) {
	if guid == "" {
		guid = newGUID()
	}
	return s.hooks.toAll(ctx, Delivery{GUID: guid, Event: event, Payload: payload})
}

// Redeliver sends the newest delivery with the given GUID again, with the same
// GUID, to every webhook, and returns what came of it.
func (s *Server) Redeliver(ctx context.Context, guid string) ([]Delivery, error) {
	for _, d := range slices.Backward(s.Deliveries()) {
		if d.GUID == guid {
			return s.hooks.toAll(ctx, Delivery{
				GUID: guid, Event: d.Event, Action: d.Action, Repo: d.Repo, Payload: d.Payload, Redelivery: true,
			})
		}
	}
	return nil, errors.New("redeliver: no delivery has the GUID " + guid)
}

func (h *hooks) toAll(ctx context.Context, d Delivery) ([]Delivery, error) {
	all := h.all()
	if len(all) == 0 {
		return nil, errNoWebhook
	}
	if !h.s.begin() {
		return nil, errors.New("deliver: the stand-in GitHub is closed")
	}
	defer h.s.active.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(h.s.ctx, cancel)()
	var out []Delivery
	for _, to := range all {
		out = append(out, h.deliver(ctx, to, d))
	}
	return out, nil
}

// Deliveries returns what was delivered or failed to be, oldest first; no more
// than the last 10,000.
func (s *Server) Deliveries() []Delivery {
	s.hooks.mu.Lock()
	defer s.hooks.mu.Unlock()
	return slices.Clone(s.hooks.deliveries)
}

// Settle waits until no webhook is under way.
func (s *Server) Settle(ctx context.Context) error {
	for {
		changed := s.hooks.changed.next()
		s.hooks.mu.Lock()
		sending := s.hooks.sending
		s.hooks.mu.Unlock()
		if sending == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (h *hooks) record(d Delivery) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.deliveries) == maxDeliveries {
		h.deliveries = slices.Delete(h.deliveries, 0, maxDeliveries/10)
	}
	h.deliveries = append(h.deliveries, d)
}
