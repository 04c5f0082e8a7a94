package server_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/server"
	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/storetest"
)

const pingBody = `{"zen":"Speak like a human.","repository":{"full_name":"acme/app"}}`

func TestWebhookIsInTheLedgerWhenItIsAnswered(t *testing.T) {
	w := newWorld(t)
	// The signature is its authorisation, whatever a proxy's password adds.
	a := w.do(http.MethodPost, "/webhook", pingBody, append(hook("g-1", "ping", pingBody), "Authorization", "Basic eDp5")...)
	w.want(decode[map[string]string](w, a, http.StatusAccepted), map[string]string{"delivery": "g-1", "status": "stored"})
	d, err := w.store.DeliveryByGUID(t.Context(), "g-1")
	w.ok(err)
	w.want([]any{d.Event, d.Repo, string(d.Body), d.Status}, []any{"ping", "acme/app", pingBody, store.DeliveryPending})
	w.want(d.Headers, http.Header{"Content-Type": {"application/json"}, "User-Agent": {"Go-http-client/1.1"},
		"X-Github-Delivery": {"g-1"}, "X-Github-Event": {"ping"}})
}

func TestWebhookRefusals(t *testing.T) {
	const body = pingBody
	good := hook("g", "ping", body)
	with := func(name, value string) []string { return append(without(good, name), name, value) }
	const signature = "X-Hub-Signature-256"
	tests := []struct {
		name    string
		header  []string
		status  int
		code    string
		message string
	}{
		{"no signature", without(good, signature), 401, "unauthorized", "header X-Hub-Signature-256 is missing…"},
		{"SHA-1 only", append(without(good, signature), "X-Hub-Signature", "sha1=0123456789012345678901234567890123456789"),
			401, "unauthorized", "header X-Hub-Signature-256 is missing…"},
		{"SHA-1 in the place of SHA-256", with(signature, "sha1=0123456789012345678901234567890123456789"),
			401, "unauthorized", "the signature is SHA-1…"},
		{"of another secret", with(signature, sign("other", body)), 401, "unauthorized", "the signature does not match the body…"},
		{"of an empty secret", with(signature, sign("", body)), 401, "unauthorized", "the signature does not match the body…"},
		{"of another body", with(signature, sign(secret, body+" ")), 401, "unauthorized", "the signature does not match the body…"},
		{"malformed", with(signature, "sha256=zz"), 401, "unauthorized", "the X-Hub-Signature-256 header is not…"},
		{"no event", without(good, "X-GitHub-Event"), 400, "bad_request", "header X-GitHub-Event is missing or too long"},
		{"long event", with("X-GitHub-Event", strings.Repeat("x", 101)), 400, "bad_request", "header X-GitHub-Event is missing or too long"},
		{"no GUID", without(good, "X-GitHub-Delivery"), 400, "bad_request", "header X-GitHub-Delivery is missing or too long"},
		{"long GUID", with("X-GitHub-Delivery", strings.Repeat("x", 101)), 400, "bad_request", "header X-GitHub-Delivery is missing or too long"},
	}
	w := newWorld(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.T = t
			w.wantError(w.do(http.MethodPost, "/webhook", body, tt.header...), tt.status, tt.code, tt.message)
		})
	}
	w.T = t
	w.wantError(w.get("/webhook"), http.StatusMethodNotAllowed, "method_not_allowed", "Method Not Allowed")
	w.want(len(w.deliveries()), 0)
	if strings.Contains(w.log.String(), secret) {
		t.Errorf("the log tells the secret")
	}
}

func TestWebhookWithoutAConfiguredSecret(t *testing.T) {
	w := newWorld(t, func(o *server.Options) { o.WebhookSecret = "" })
	header := append(without(hook("g", "ping", pingBody), "X-Hub-Signature-256"), "X-Hub-Signature-256", sign("", pingBody))
	w.wantError(w.do(http.MethodPost, "/webhook", pingBody, header...), 401, "unauthorized", "no webhook secret is configured…")
	w.want(len(w.deliveries()), 0)
}

// zeros is an endless body.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestWebhookThatIsTooLarge(t *testing.T) {
	const limit = 25 << 20
	w := newWorld(t)
	t.Run("by its length", func(t *testing.T) {
		w.T = t
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/webhook", io.LimitReader(zeros{}, limit+1))
		r.ContentLength = limit + 1
		header := hook("g", "push", "")
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		rec := httptest.NewRecorder()
		w.server.Echo().ServeHTTP(rec, r)
		w.wantError(answer{rec.Code, rec.Header(), rec.Body.String()}, 413, "request_entity_too_large", "the body is larger than 25 MiB")
	})
	t.Run("without a length", func(t *testing.T) {
		w.T = t
		resp := w.open(http.MethodPost, "/webhook", io.LimitReader(zeros{}, limit+1), hook("g", "push", "")...)
		b, err := io.ReadAll(resp.Body)
		w.ok(err)
		w.wantError(answer{resp.StatusCode, resp.Header, string(b)}, 413, "request_entity_too_large", "the body is larger than 25 MiB")
	})
	t.Run("and as large as may be", func(t *testing.T) {
		w.T = t
		body := `{"x":"` + strings.Repeat("x", limit-8) + `"}`
		a := w.do(http.MethodPost, "/webhook", body, hook("g", "push", body)...)
		w.want(a.status, http.StatusAccepted)
	})
	w.T = t
	w.want(len(w.deliveries()), 1)
}

func TestWebhookThatStalls(t *testing.T) {
	w := newWorld(t, func(o *server.Options) { o.BodyTimeout = time.Millisecond })
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	w.ok(err)
	defer conn.Close()
	w.ok(conn.SetDeadline(time.Now().Add(patience)))
	var head strings.Builder
	fmt.Fprintf(&head, "POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n")
	header := hook("g", "push", "")
	for i := 0; i < len(header); i += 2 {
		fmt.Fprintf(&head, "%s: %s\r\n", header[i], header[i+1])
	}
	_, err = io.WriteString(conn, head.String()+"\r\n{") // and no more
	w.ok(err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	w.ok(err)
	b, err := io.ReadAll(resp.Body)
	w.ok(err)
	w.wantError(answer{resp.StatusCode, resp.Header, string(b)}, 400, "bad_request", "the body was cut off or took more than 1ms")
	w.want(len(w.deliveries()), 0)
}

// Who announces large bodies and sends nothing keeps nobody else out.
func TestWebhooksThatStallHoldNoMemory(t *testing.T) {
	w := newWorld(t)
	for range 20 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
		w.ok(err)
		t.Cleanup(func() { _ = conn.Close() })
		var head strings.Builder
		fmt.Fprintf(&head, "POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n", 25<<20)
		header := hook("g", "push", "")
		for i := 0; i < len(header); i += 2 {
			fmt.Fprintf(&head, "%s: %s\r\n", header[i], header[i+1])
		}
		_, err = io.WriteString(conn, head.String()+"\r\n{")
		w.ok(err)
	}
	body := `{"x":"` + strings.Repeat("x", 1<<20) + `"}`
	w.want(w.do(http.MethodPost, "/webhook", body, hook("large", "push", body)...).status, http.StatusAccepted)
}

func TestWebhookDuplicates(t *testing.T) {
	w := newWorld(t)
	var mu sync.Mutex // guards counts
	counts := map[string]int{}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			a := w.do(http.MethodPost, "/webhook", pingBody, hook("same", "ping", pingBody)...)
			var receipt struct{ Status string }
			if err := json.Unmarshal([]byte(a.body), &receipt); err != nil || a.status != http.StatusAccepted {
				t.Errorf("%d %s", a.status, a.body)
			}
			mu.Lock()
			defer mu.Unlock()
			counts[receipt.Status]++
		})
	}
	wg.Wait()
	w.want(counts, map[string]int{"stored": 1, "known": 19})
	w.want(len(w.deliveries()), 1)
}

func TestWebhookThatCannotBeStored(t *testing.T) {
	w := newWorld(t)
	mend := storetest.Break(t, w.path, "INSERT", "deliveries")
	send := func() answer { return w.do(http.MethodPost, "/webhook", pingBody, hook("g", "ping", pingBody)...) }
	a := send()
	w.wantError(a, 503, "service_unavailable", "the delivery cannot be stored now; send it again")
	if strings.Contains(a.body, storetest.Broken) || !strings.Contains(w.log.String(), storetest.Broken) {
		t.Errorf("the cause belongs into the log and not into the answer %s", a.body)
	}
	mend()
	w.want(send().status, http.StatusAccepted)
}

// A form is what GitHub sends if the webhook's content type was left as it is.
func TestWebhookAsAForm(t *testing.T) {
	w := newWorld(t)
	body := "payload=" + url.QueryEscape(pingBody)
	header := append(without(hook("g", "ping", body), "Content-Type"), "Content-Type", "application/x-www-form-urlencoded")
	w.want(w.do(http.MethodPost, "/webhook", body, header...).status, http.StatusAccepted)
	d, err := w.store.DeliveryByGUID(t.Context(), "g")
	w.ok(err)
	w.want([]any{d.Repo, string(d.Body)}, []any{"acme/app", body})
}

// Whatever is signed is kept: what it means is found out later.
func TestWebhookOfAnythingThatIsSigned(t *testing.T) {
	w := newWorld(t)
	for i, body := range []string{"", "{", "[]", `{"repository":7}`, string([]byte{0, 0xff})} {
		guid := fmt.Sprint(i)
		a := w.do(http.MethodPost, "/webhook", body, hook(guid, "push", body)...)
		w.want(a.status, http.StatusAccepted)
		d, err := w.store.DeliveryByGUID(t.Context(), guid)
		w.ok(err)
		if !bytes.Equal(d.Body, []byte(body)) || d.Repo != "" {
			t.Errorf("%q was kept as %q of %q", body, d.Body, d.Repo)
		}
	}
}
