package github

import (
	"errors"
	"fmt"
	"mime"
	"net/url"
)

// Payload returns the JSON in a webhook's body. GitHub sends it bare, or in the
// form field "payload" where the webhook's content type was left at its
// default; the signature covers the body either way, so verify that first.
func Payload(contentType string, body []byte) ([]byte, error) {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, fmt.Errorf("content type %q is not valid: set the webhook's content type to application/json", contentType)
	}
	switch media {
	case "application/json":
		return body, nil
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, fmt.Errorf("parse form: %w", err)
		}
		if !form.Has("payload") {
			return nil, errors.New("the form has no field payload: set the webhook's content type to application/json")
		}
		return []byte(form.Get("payload")), nil
	default:
		return nil, fmt.Errorf("content type %s is not one GitHub sends: set the webhook's content type to application/json", media)
	}
}
