package server

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
)

// A route whose access was forgotten is closed, to the admin too.
func TestForgottenRouteIsClosed(t *testing.T) {
	s := New(Options{Logger: slog.New(slog.DiscardHandler), AdminToken: "token"})
	config := s.apiConfig()
	config.OpenAPIPath = ""
	var forgotten access
	get(s, humaecho.New(s.echo, config), forgotten, "/api/forgotten", "forgotten", "",
		func(context.Context, *struct{}) (*struct{}, error) {
			t.Error("the handler ran")
			return nil, nil
		})
	for _, token := range []string{"", "Bearer token"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/forgotten", nil)
		r.Header.Set("Authorization", token)
		rec := httptest.NewRecorder()
		s.echo.ServeHTTP(rec, r)
		if rec.Code != http.StatusForbidden {
			t.Errorf("with %q: %d %s", token, rec.Code, rec.Body)
		}
	}
}

func TestEmptyTokenEqualsNone(t *testing.T) {
	for _, tt := range []struct {
		want, got string
		equal     bool
	}{{"a", "a", true}, {"a", "b", false}, {"a", "", false}, {"", "", false}, {"", "a", false}} {
		if got := equalToken(tt.want, tt.got); got != tt.equal {
			t.Errorf("equalToken(%q, %q) = %t", tt.want, tt.got, got)
		}
	}
}
