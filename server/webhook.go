package server

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/slipway-ci/slipway/server/github"
	"github.com/slipway-ci/slipway/store"
)

const (
	bodyTimeout  = 30 * time.Second
	maxGUID      = 100
	headerGUID   = "X-GitHub-Delivery"
	headerEvent  = "X-GitHub-Event"
	answerStored = "stored"
	answerKnown  = "known"
)

// receipt is the answer to a webhook.
type receipt struct {
	Delivery string `json:"delivery"`
	// Status is "stored", or "known" for a delivery that came before.
	Status string `json:"status"`
}

// webhook verifies a delivery and commits it to the ledger before it answers.
// Everything else comes after, from the ledger.
func (s *Server) webhook(c echo.Context) error {
	r := c.Request()
	guid, event := r.Header.Get(headerGUID), r.Header.Get(headerEvent)
	switch {
	case r.Header.Get(github.SignatureHeader) == "":
		return newError(http.StatusUnauthorized, "header "+github.SignatureHeader+" is missing: set a secret in the webhook's settings on GitHub")
	case event == "" || len(event) > maxGUID:
		return newError(http.StatusBadRequest, "header "+headerEvent+" is missing or too long")
	case guid == "" || len(guid) > maxGUID:
		return newError(http.StatusBadRequest, "header "+headerGUID+" is missing or too long")
	}
	body, release, err := s.readBody(c)
	if err != nil {
		return err
	}
	defer release()
	if err := github.VerifySignature([]byte(s.WebhookSecret), r.Header.Get(github.SignatureHeader), body); err != nil {
		s.Logger.Warn("webhook refused", "delivery", guid, "event", event, "error", err)
		return newError(http.StatusUnauthorized, err.Error())
	}
	about := subject(r.Header.Get(echo.HeaderContentType), body)
	added, err := s.Store.AddDelivery(r.Context(), store.Delivery{
		GUID: guid, Event: event, Headers: keptHeaders(r.Header), Body: body,
		Repo: about.Repository.FullName, SHA: about.sha(),
	})
	if err != nil {
		s.Logger.Error("webhook cannot be stored", "delivery", guid, "error", err)
		return newError(http.StatusServiceUnavailable, "the delivery cannot be stored now; send it again")
	}
	status := answerStored
	if !added {
		status = answerKnown
	}
	return c.JSON(http.StatusAccepted, receipt{Delivery: guid, Status: status})
}

// keptHeaders are the headers worth keeping: GitHub's own without the
// signatures, which prove knowledge of the secret.
func keptHeaders(h http.Header) http.Header {
	kept := http.Header{}
	for name, values := range h {
		isGitHub := strings.HasPrefix(name, "X-Github-") || name == "Content-Type" || name == "User-Agent"
		if isGitHub && !strings.Contains(name, "Signature") {
			kept[name] = values
		}
	}
	return kept
}

// payloadSubject is what a payload is about, as far as the ledger is concerned:
// it groups deliveries by it and finds them again. The trigger reads the body
// for real.
type payloadSubject struct {
	Repository struct {
		FullName string `json:"full_name"`
	} `json:"repository"`
	After       string `json:"after"`
	PullRequest struct {
		Head commitRef `json:"head"`
	} `json:"pull_request"`
	Deployment commitRef `json:"deployment"`
}

type commitRef struct {
	SHA string `json:"sha"`
}

// sha is the commit, "" if the payload names none.
func (p payloadSubject) sha() string {
	return cmp.Or(p.PullRequest.Head.SHA, p.Deployment.SHA, p.After)
}

// subject reads what a body is about; the zero value if it cannot be read.
func subject(contentType string, body []byte) payloadSubject {
	payload, err := github.Payload(contentType, body)
	if err != nil {
		return payloadSubject{}
	}
	var p payloadSubject
	if err := json.Unmarshal(payload, &p); err != nil {
		return payloadSubject{}
	}
	return p
}
