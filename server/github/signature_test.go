package github

import (
	"errors"
	"strings"
	"testing"
)

// The example that GitHub's documentation gives for testing an implementation.
const (
	docSecret    = "It's a Secret to Everybody"
	docBody      = "Hello, World!"
	docSignature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
)

func TestVerifySignature(t *testing.T) {
	tests := []struct {
		name, secret, header, body string
		want                       error
	}{
		{"documented example", docSecret, docSignature, docBody, nil},
		{"upper-case digits", docSecret, "sha256=" + strings.ToUpper(docSignature[7:]), docBody, nil},
		{"no secret", "", docSignature, docBody, ErrNoSecret},
		{"no secret and no header", "", "", docBody, ErrNoSecret},
		{"no header", docSecret, "", docBody, ErrNoSignature},
		{"SHA-1", docSecret, "sha1=0123456789012345678901234567890123456789", docBody, ErrSHA1Signature},
		{"no algorithm", docSecret, docSignature[7:], docBody, ErrMalformedSignature},
		{"short", docSecret, docSignature[:len(docSignature)-2], docBody, ErrMalformedSignature},
		{"long", docSecret, docSignature + "00", docBody, ErrMalformedSignature},
		{"empty", docSecret, "sha256=", docBody, ErrMalformedSignature},
		{"not hex", docSecret, "sha256=" + strings.Repeat("zz", 32), docBody, ErrMalformedSignature},
		{"other secret", "x", docSignature, docBody, ErrWrongSignature},
		{"other body", docSecret, docSignature, docBody + "\n", ErrWrongSignature},
		{"last digit", docSecret, docSignature[:len(docSignature)-1] + "8", docBody, ErrWrongSignature},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := VerifySignature([]byte(tt.secret), tt.header, []byte(tt.body))
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestPayload(t *testing.T) {
	tests := []struct {
		name, contentType, body, want string
		wantErr                       string
	}{
		{"JSON", "application/json", `{"a":1}`, `{"a":1}`, ""},
		{"JSON with charset", "application/json; charset=utf-8", `{}`, `{}`, ""},
		{"form", "application/x-www-form-urlencoded", "payload=%7B%22a%22%3A%22b+c%22%7D", `{"a":"b c"}`, ""},
		{"form without payload", "application/x-www-form-urlencoded", "a=b", "", "no field payload"},
		{"broken form", "application/x-www-form-urlencoded", "payload=%zz", "", "parse form"},
		{"text", "text/plain", "{}", "", "application/json"},
		{"none", "", "{}", "", "application/json"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Payload(tt.contentType, []byte(tt.body))
			if string(got) != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			checkError(t, err, tt.wantErr)
		})
	}
}

// checkError checks that err is nil if want is empty, and else contains want.
func checkError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("unexpected error: %v", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("got error %v, want one with %q", err, want)
	}
}
