package webui

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/slipway-ci/slipway/store"
)

// formToken is the name of the form field with the session's token.
const formToken = "csrf"

// Keys of what a session holds.
const (
	keyAdmin = "admin" // adminToken.proof
	keyForm  = "form"  // the token that the session's forms carry
	keyFlash = "flash" // a sentence for the next page
)

func newSessions(s *store.Store, secure bool) *scs.SessionManager {
	m := scs.New()
	m.Store = store.Sessions{Store: s}
	m.Lifetime = 14 * 24 * time.Hour
	m.Cookie.Name = "slipway"
	if secure {
		m.Cookie.Name = "__Host-slipway" // browsers take it over https and from this host only
	}
	m.Cookie.Secure = secure
	m.Cookie.HttpOnly = true
	m.Cookie.SameSite = http.SameSiteLaxMode
	m.Cookie.Path = "/"
	return m
}

// adminToken compares tokens by their hashes, so that neither the length nor
// the bytes of the right one can be told from the time it takes.
type adminToken struct {
	set  bool
	hash [sha256.Size]byte
}

func newAdminToken(token string) adminToken {
	return adminToken{token != "", sha256.Sum256([]byte(token))}
}

func (a adminToken) matches(token string) bool {
	hash := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(hash[:], a.hash[:]) == 1 && a.set
}

// proof is kept in a session: with another admin token it is no longer right,
// so changing the token ends every session.
func (a adminToken) proof() string {
	p := sha256.Sum256(append([]byte("session "), a.hash[:]...))
	return hex.EncodeToString(p[:])
}

// A session is what the cookie of a request stands for.
type session struct {
	admin bool
	token string // for forms, "" without a session
	// form is token as this request's pages have it: masked, since they are
	// compressed beside text of others, and their length would tell it (BREACH).
	form string
}

// newSession is an admin's session with the token of its forms.
func newSession(token string) session {
	pad := make([]byte, len(token))
	_, _ = rand.Read(pad) // it does not fail
	return session{admin: true, token: token, form: hex.EncodeToString(pad) + hex.EncodeToString(xor(pad, []byte(token)))}
}

// xor returns the bytes of a and b, which are as many, put together.
func xor(a, b []byte) []byte {
	out := make([]byte, len(a))
	subtle.XORBytes(out, a, b)
	return out
}

// validForm reports whether a form carries the session's token.
func (s session) validForm(masked string) bool {
	b, err := hex.DecodeString(masked)
	n := len(s.token)
	if err != nil || n == 0 || len(b) != 2*n {
		return false
	}
	return subtle.ConstantTimeCompare(xor(b[:n], b[n:]), []byte(s.token)) == 1
}

// loadSession reads the session of a request, if it has one. Reading writes
// nothing, save that a flash is taken out.
func (u *UI) loadSession(c *request) error {
	cookie, err := c.Request().Cookie(u.sessions.Cookie.Name)
	token := ""
	if err == nil {
		token = cookie.Value
	}
	ctx, err := u.sessions.Load(c.Request().Context(), token)
	if err != nil {
		return fmt.Errorf("load session: %w", err)
	}
	c.SetRequest(c.Request().WithContext(ctx))
	proof := u.sessions.GetString(ctx, keyAdmin)
	if subtle.ConstantTimeCompare([]byte(proof), []byte(u.admin.proof())) != 1 || !u.admin.set {
		return nil
	}
	c.session = newSession(u.sessions.GetString(ctx, keyForm))
	return nil
}

// openSession starts an admin's session under a new token, so that a token that
// was known before is worth nothing.
func (u *UI) openSession(c *request) error {
	ctx := c.Request().Context()
	if err := u.sessions.RenewToken(ctx); err != nil {
		return fmt.Errorf("renew session: %w", err)
	}
	u.sessions.Put(ctx, keyAdmin, u.admin.proof())
	u.sessions.Put(ctx, keyForm, rand.Text())
	return u.saveSession(c)
}

func (u *UI) closeSession(c *request) error {
	ctx := c.Request().Context()
	if err := u.sessions.Destroy(ctx); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	u.sessions.WriteSessionCookie(ctx, c.Response(), "", time.Time{})
	return nil
}

func (u *UI) saveSession(c *request) error {
	ctx := c.Request().Context()
	token, expiry, err := u.sessions.Commit(ctx)
	if err != nil {
		return fmt.Errorf("save session: %w", err)
	}
	u.sessions.WriteSessionCookie(ctx, c.Response(), token, expiry)
	return nil
}

// setFlash keeps a sentence for the next page of the session.
func (u *UI) setFlash(c *request, text string) error {
	u.sessions.Put(c.Request().Context(), keyFlash, text)
	return u.saveSession(c)
}

// takeFlash returns the sentence that was kept, once. It is not for a page that
// the script of another one fetches a part of (live.js), maybe just before the
// reader is led to the page that is to show it.
func (u *UI) takeFlash(c *request) (string, error) {
	if !c.session.admin || c.Request().Header.Get("X-Requested-With") != "" || !u.sessions.Exists(c.Request().Context(), keyFlash) {
		return "", nil
	}
	text := u.sessions.PopString(c.Request().Context(), keyFlash)
	return text, u.saveSession(c)
}

var _ scs.CtxStore = store.Sessions{}
