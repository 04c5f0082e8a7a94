package docker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A message is one JSON object of the stream in which the engine tells how a
// pull or an import goes on.
type message struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	Progress struct {
		Current int64 `json:"current"`
		Total   int64 `json:"total"`
	} `json:"progressDetail"`
	Error  string `json:"error"`
	Detail struct {
		Message string `json:"message"`
	} `json:"errorDetail"`
}

// engineError is a failure that the engine told in a message, after it had
// answered the request with success.
type engineError string

func (e engineError) Error() string { return string(e) }

// readMessages calls handle for every message until the stream ends. A message
// that tells a failure is returned as an engineError.
func readMessages(r io.Reader, handle func(message)) error {
	for dec := json.NewDecoder(r); ; {
		var m message
		if err := dec.Decode(&m); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read progress: %w", err)
		}
		switch {
		case m.Detail.Message != "":
			return engineError(m.Detail.Message)
		case m.Error != "":
			return engineError(m.Error)
		}
		handle(m)
	}
}

// drainMessages reads the stream to its end, which is when the engine is done.
func drainMessages(r io.Reader) error { return readMessages(r, func(message) {}) }
