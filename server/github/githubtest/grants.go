package githubtest

import (
	"net/http"
	"strings"
	"time"
)

// Grants are what the token is good for. The zero value is a fine-grained
// token that expires never and may do nothing.
type Grants struct {
	// Classic tells the scopes of a classic token, possibly none; nil is a
	// fine-grained one, whose permissions GitHub does not tell.
	Classic  []string
	Expires  time.Time // zero for never
	Contents bool      // read files
	Statuses bool      // write commit statuses
}

// Grant changes what the token is good for, over the REST API only. A new
// server's token is a classic one with the scope repo.
func (s *Server) Grant(g Grants) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grants = g
}

func (s *Server) granted() Grants {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.grants
}

// describe tells of the token what GitHub tells.
func (g Grants) describe(h http.Header) {
	if g.Classic != nil {
		h.Set("X-OAuth-Scopes", strings.Join(g.Classic, ", "))
		h.Set("X-Accepted-OAuth-Scopes", "")
	}
	if !g.Expires.IsZero() {
		h.Set("GitHub-Authentication-Token-Expiration", g.Expires.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
}

// errNotGranted is what GitHub says to a fine-grained token without the
// permission.
var errNotGranted = &apiError{status: http.StatusForbidden, message: "Resource not accessible by personal access token"}
