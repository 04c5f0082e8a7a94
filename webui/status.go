package webui

import (
	"html/template"

	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/store"
)

// word is what a state is called on a page.
func word(s store.Status) string {
	switch s {
	case store.Blocked:
		return "Waiting"
	case store.Pending:
		return "Queued"
	case store.Running:
		return "Running"
	case store.Success:
		return "Passed"
	case store.Failure:
		return "Failed"
	case store.Error:
		return "Error"
	case store.Canceled:
		return "Canceled"
	case store.Skipped:
		return "Skipped"
	default:
		return string(s)
	}
}

// eventWord is what an event is called on a page.
func eventWord(event string) string {
	switch pipeline.EventKind(event) {
	case pipeline.EventPush:
		return "push"
	case pipeline.EventTag:
		return "tag"
	case pipeline.EventPullRequest:
		return "pull request"
	default:
		return event
	}
}

// shapes are the icons of the states, on a grid of 16. They differ in shape, so
// that they can be told apart without their colour.
var shapes = map[store.Status]string{
	store.Success:  `<circle cx="8" cy="8" r="7" class="fill"/><path d="m4.8 8.3 2.2 2.2 4.2-4.6" class="mark"/>`,
	store.Failure:  `<circle cx="8" cy="8" r="7" class="fill"/><path d="m5.6 5.6 4.8 4.8m0-4.8-4.8 4.8" class="mark"/>`,
	store.Error:    `<path d="M8 1.2 15.4 14.4H.6z" class="fill"/><path d="M8 6v4m0 1.9v.3" class="mark"/>`,
	store.Canceled: `<circle cx="8" cy="8" r="6.2" class="line"/><path d="m3.7 3.7 8.6 8.6" class="line"/>`,
	store.Skipped:  `<circle cx="8" cy="8" r="6.2" class="line dash"/><path d="M5 8h6" class="line"/>`,
	store.Running:  `<circle cx="8" cy="8" r="6.2" class="line track"/><path d="M8 1.8A6.2 6.2 0 0 1 14.2 8" class="line spin"/>`,
	store.Pending:  `<circle cx="8" cy="8" r="6.2" class="line"/><path d="M8 4.6V8l2.4 1.6" class="line"/>`,
	store.Blocked:  `<rect x="1.8" y="1.8" width="12.4" height="12.4" rx="3" class="line"/><path d="M6.2 5.4v5.2m3.6-5.2v5.2" class="line"/>`,
}

// icon returns the picture of a state, with its word for who cannot see it.
func icon(s store.Status) template.HTML {
	shape, ok := shapes[s]
	if !ok {
		s, shape = store.Pending, shapes[store.Pending]
	}
	//nolint:gosec // of our own words only
	return template.HTML(`<svg class="icon s-` + string(s) + `" viewBox="0 0 16 16" width="16" height="16" role="img" aria-label="` +
		word(s) + `"><title>` + word(s) + `</title>` + shape + `</svg>`)
}

// faviconName returns the asset that shows a state in the browser's tab.
func faviconName(s store.Status) string {
	switch s {
	case store.Success:
		return "favicon-success.svg"
	case store.Failure, store.Error, store.Canceled:
		return "favicon-failure.svg"
	case store.Running:
		return "favicon-running.svg"
	case store.Pending, store.Blocked:
		return "favicon-pending.svg"
	default:
		return "favicon.svg"
	}
}
