package github

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCut(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""},
		{"12345", "12345"},
		{"123456", "1234…"},
		{"äöüäö", "äöüäö"},
		{"äöüäöü", "äöüä…"},
		{"123 567", "123…"},
		{"\xff23456", "\uFFFD234…"},
	}
	for _, tt := range tests {
		if got := cut(tt.in, 5); got != tt.want {
			t.Errorf("cut(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
	if n := utf8.RuneCountInString(cut(strings.Repeat("ж", 200), MaxDescription)); n != MaxDescription {
		t.Errorf("got %d characters", n)
	}
}

func TestEndpoints(t *testing.T) {
	tests := []struct{ in, api, web, err string }{
		{"", "https://api.github.com/", "https://github.com/", ""},
		{"https://github.com", "https://api.github.com/", "https://github.com/", ""},
		{"https://api.github.com/", "https://api.github.com/", "https://github.com/", ""},
		{"https://ghe.example.com", "https://ghe.example.com/api/v3/", "https://ghe.example.com/", ""},
		{"https://ghe.example.com/api/v3", "https://ghe.example.com/api/v3/", "https://ghe.example.com/", ""},
		{"https://ghe.example.com/api/v3/", "https://ghe.example.com/api/v3/", "https://ghe.example.com/", ""},
		{"http://127.0.0.1:80/sub/", "http://127.0.0.1:80/sub/api/v3/", "http://127.0.0.1:80/sub/", ""},
		{"https://api.octocorp.ghe.com", "https://api.octocorp.ghe.com/", "https://octocorp.ghe.com/", ""},
		{"ghe.example.com", "", "", "http(s)://host"},
		{"ftp://x", "", "", "http(s)://host"},
		{"https://u:sesame@x", "", "", "user or password"},
		{"https://x?a=b", "", "", "end with its path"},
		{"https://u:sesame@x\x01", "", "", "parse GitHub URL"},
	}
	for _, tt := range tests {
		api, web, err := endpoints(tt.in)
		checkError(t, err, tt.err)
		if err != nil {
			if strings.Contains(err.Error(), "sesame") {
				t.Errorf("%q: the error tells the password: %v", tt.in, err)
			}
			continue
		}
		if api.String() != tt.api || web.String() != tt.web {
			t.Errorf("%q: got %s and %s", tt.in, api, web)
		}
	}
}
