package webui

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-ci/slipway/store"
)

const (
	deliveriesPerPage = 50
	// maxPayload is how many bytes of a payload its page shows; the whole is one
	// link away.
	maxPayload = 256 << 10
)

// deliveryStates are the states to filter by, and their words.
var deliveryStates = []struct {
	Value store.DeliveryStatus
	Text  string
}{
	{store.DeliveryPending, "Waiting"}, {store.DeliveryDone, "Worked out"},
	{store.DeliveryIgnored, "Ignored"}, {store.DeliveryFailed, "Failed"},
}

// deliveryView is a delivery as the pages show it.
type deliveryView struct{ store.Delivery }

// Icon is the state whose picture stands for the delivery's.
func (d deliveryView) Icon() store.Status {
	switch d.Status {
	case store.DeliveryDone:
		return store.Success
	case store.DeliveryIgnored:
		return store.Skipped
	case store.DeliveryFailed:
		return store.Failure
	default:
		return store.Pending
	}
}

// Word and URL are what the delivery's state is called and where its page is.
func (d deliveryView) Word() string {
	for _, s := range deliveryStates {
		if s.Value == d.Status {
			return s.Text
		}
	}
	return string(d.Status)
}
func (d deliveryView) URL() string { return "/deliveries/" + url.PathEscape(d.GUID) }

// deliveriesPage is the view of templates/deliveries.html.
type deliveriesPage struct {
	frame
	Deliveries []deliveryView
	Filter     store.DeliveryFilter
	Now        time.Time
	Older      string // "" if there are none
	Newest     string // "" on the page that has them
}

// States are the states to filter by.
func (*deliveriesPage) States() any { return deliveryStates }

func (u *UI) deliveries(c *request) error {
	before, _ := strconv.ParseInt(c.QueryParam("before"), 10, 64)
	f := store.DeliveryFilter{Text: c.QueryParam("q"), Status: store.DeliveryStatus(c.QueryParam("status")),
		Before: before, Limit: deliveriesPerPage + 1}
	found, err := u.store.Deliveries(c.Request().Context(), f)
	if err != nil {
		return err
	}
	p := &deliveriesPage{frame: u.frame(c), Filter: f, Now: u.store.Now()}
	if p.Flash, err = u.takeFlash(c); err != nil {
		return err
	}
	p.Title, p.Section, p.Styles = "Deliveries · slipway", "/deliveries", []string{"pages.css"}
	q := c.QueryParams()
	if before > 0 {
		q.Del("before")
		p.Newest = "/deliveries?" + q.Encode()
	}
	if len(found) > deliveriesPerPage {
		found = found[:deliveriesPerPage]
		q.Set("before", strconv.FormatInt(found[deliveriesPerPage-1].ID, 10))
		p.Older = "/deliveries?" + q.Encode()
	}
	for _, d := range found {
		p.Deliveries = append(p.Deliveries, deliveryView{d})
	}
	return u.render(c, http.StatusOK, "deliveries", p)
}

// deliveryPage is the view of templates/delivery.html.
type deliveryPage struct {
	frame
	deliveryView
	Build       *store.RepoBuild // that it made, or that covers it
	HeaderNames []string
	Payload     string
	Cut         bool // the payload is longer
	Now         time.Time
}

func (u *UI) delivery(c *request) error {
	ctx := c.Request().Context()
	d, err := u.store.DeliveryByGUID(ctx, c.Param("guid"))
	if err != nil {
		return err
	}
	p := &deliveryPage{frame: u.frame(c), deliveryView: deliveryView{d}, Now: u.store.Now()}
	if p.Flash, err = u.takeFlash(c); err != nil {
		return err
	}
	if d.BuildID > 0 {
		b, err := u.store.BuildByID(ctx, d.BuildID)
		if err != nil {
			return err
		}
		r, err := u.store.RepoByID(ctx, b.RepoID)
		if err != nil {
			return err
		}
		p.Build = &store.RepoBuild{Repo: r, Build: b}
	}
	for name := range d.Headers {
		p.HeaderNames = append(p.HeaderNames, name)
	}
	slices.Sort(p.HeaderNames)
	p.Payload, p.Cut = readablePayload(d)
	p.Title, p.Section, p.Styles = "Delivery "+d.GUID+" · slipway", "/deliveries", []string{"pages.css"}
	return u.render(c, http.StatusOK, "delivery", p)
}

// readablePayload returns a delivery's JSON with line breaks, or the body as it
// came if it is none, and whether it was cut.
func readablePayload(d store.Delivery) (text string, cut bool) {
	body := d.Body
	if form, err := url.ParseQuery(string(body)); err == nil && strings.HasPrefix(d.Headers.Get("Content-Type"), "application/x-www-form-urlencoded") {
		body = []byte(form.Get("payload"))
	}
	var b bytes.Buffer
	if json.Indent(&b, body, "", "  ") == nil {
		body = b.Bytes()
	}
	if len(body) > maxPayload {
		return strings.ToValidUTF8(string(body[:maxPayload]), ""), true
	}
	return strings.ToValidUTF8(string(body), "\ufffd"), false
}

// payload sends a delivery's body as it came. It is a download, so that no
// browser takes it for a page.
func (u *UI) payload(c *request) error {
	d, err := u.store.DeliveryByGUID(c.Request().Context(), c.Param("guid"))
	if err != nil {
		return err
	}
	c.Response().Header().Set("Content-Disposition", "attachment; filename=delivery.json")
	return c.Blob(http.StatusOK, "application/octet-stream", d.Body)
}

// redeliver lets a delivery be worked out again.
func (u *UI) redeliver(c *request) error {
	guid := c.Param("guid")
	err := u.store.Redeliver(c.Request().Context(), guid)
	done := "It is worked out again."
	if errors.Is(err, store.ErrConflict) {
		err, done = nil, "It waits to be worked out already."
	}
	if err == nil {
		err = u.setFlash(c, done)
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/deliveries/"+url.PathEscape(guid))
}
