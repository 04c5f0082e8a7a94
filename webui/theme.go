package webui

import (
	"net/http"
	"slices"
	"time"
)

// themeCookie holds the theme that a reader chose; who chose none has none. It
// is of the browser and not of a session, and the page's own script sets it too.
const themeCookie = "slipway-theme"

// theme is a choice of the switch in the footer.
type theme struct{ Value, Text string }

// themes are the choices; the empty one follows the system.
var themes = []theme{{"", "System"}, {"light", "Light"}, {"dark", "Dark"}}

// themeOf returns the theme that the request's cookie names, "" for none. It is
// rendered into the page, so that the first paint is the right one.
func themeOf(c *request) string {
	cookie, err := c.Request().Cookie(themeCookie)
	if err != nil || !isTheme(cookie.Value) {
		return ""
	}
	return cookie.Value
}

func isTheme(value string) bool {
	return slices.ContainsFunc(themes, func(t theme) bool { return t.Value == value })
}

// setTheme remembers the choice for a year and returns to the page. It changes
// nothing but colours, so it asks for no session.
func (u *UI) setTheme(c *request) error {
	value := c.FormValue("theme")
	if !isTheme(value) {
		return &pageError{http.StatusBadRequest, "There is no such theme."}
	}
	cookie := &http.Cookie{ //nolint:gosec // the page's script sets it too, and over http it has to work
		Name: themeCookie, Value: value, Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()),
		SameSite: http.SameSiteLaxMode, Secure: u.public.Scheme == "https",
	}
	if value == "" {
		cookie.MaxAge = -1
	}
	c.SetCookie(cookie)
	return c.Redirect(http.StatusSeeOther, localPath(c.FormValue("next")))
}
