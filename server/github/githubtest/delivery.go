package githubtest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"time"
)

// A Delivery is a webhook that was sent, and what came of it.
type Delivery struct {
	ID         int64 // of this attempt
	GUID       string
	Event      string
	Action     string // empty if the event has none
	Repo       string // "owner/name"; empty for what concerns none
	URL        string
	Redelivery bool
	Header     http.Header // as sent
	Payload    []byte      // not to be changed
	SentAt     time.Time
	Duration   time.Duration
	Status     int    // of the answer; 0 if there was none
	Response   string // its body, at most 64 KiB
	Error      string // why there was no answer
}

// deliver sends d, waiting for its turn, and records it.
func (h *hooks) deliver(ctx context.Context, to hook, d Delivery) Delivery {
	d.ID, d.URL = h.s.nextID(), to.url
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
		h.post(ctx, to, &d)
	case <-ctx.Done():
		d.SentAt, d.Error = h.s.now(), ctx.Err().Error()
	}
	h.s.log.Debug("webhook sent", "event", d.Event, "delivery", d.GUID, "repo", d.Repo, "status", d.Status, "error", d.Error)
	h.record(d)
	return d
}

func (h *hooks) post(ctx context.Context, to hook, d *Delivery) {
	d.SentAt = h.s.now()
	defer func() { d.Duration = h.s.now().Sub(d.SentAt) }()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.url, bytes.NewReader(d.Payload))
	if err != nil {
		d.Error = err.Error()
		return
	}
	req.Header = h.header(to, d)
	d.Header = req.Header.Clone()
	resp, err := h.client.Do(req)
	if err != nil {
		d.Error = err.Error()
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	d.Status, d.Response = resp.StatusCode, string(body)
	if err != nil {
		d.Error = err.Error()
	}
}

func (h *hooks) header(to hook, d *Delivery) http.Header {
	header := http.Header{}
	set := func(name, value string) { header[name] = []string{value} } // GitHub's own spelling
	set("Accept", "*/*")
	set("Content-Type", "application/json")
	set("User-Agent", "GitHub-Hookshot/0a1b2c3")
	set("X-GitHub-Delivery", d.GUID)
	set("X-GitHub-Event", d.Event)
	set("X-GitHub-Hook-ID", strconv.FormatInt(to.id, 10))
	set("X-GitHub-Hook-Installation-Target-ID", "1")
	set("X-GitHub-Hook-Installation-Target-Type", "organization")
	if secret := h.s.opts.WebhookSecret; secret != "" {
		set("X-Hub-Signature", "sha1="+sign(sha1.New, secret, d.Payload))
		set("X-Hub-Signature-256", "sha256="+sign(sha256.New, secret, d.Payload))
	}
	return header
}

func sign(algorithm func() hash.Hash, secret string, body []byte) string {
	mac := hmac.New(algorithm, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// newGUID returns a random UUID.
func newGUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
