package webui

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// minPacked is the least size in bytes that is worth compressing: what fits into
// a packet arrives no sooner.
const minPacked = 1400

// pack compresses with gzip. A page is packed for each request, so at a level
// that costs little; an asset once, at the best.
func pack(body []byte, level int) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, level)
	if err == nil {
		_, err = z.Write(body)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return b.Bytes(), nil
}

// takesGzip reports whether the browser takes a compressed answer.
func takesGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, q, weighed := strings.Cut(strings.ReplaceAll(part, " ", ""), ";q=")
		if name == "gzip" {
			return !weighed || strings.Trim(q, "0.") != ""
		}
	}
	return false
}

// sendPage answers with a page, compressed if it may be.
func sendPage(c *request, code int, page []byte) error {
	c.Response().Header().Add("Vary", "Accept-Encoding")
	if len(page) < minPacked || !takesGzip(c.Request()) {
		return c.HTMLBlob(code, page)
	}
	packed, err := pack(page, gzip.BestSpeed)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Content-Encoding", "gzip")
	return c.Blob(code, echo.MIMETextHTMLCharsetUTF8, packed)
}
