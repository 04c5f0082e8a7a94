package webui

import (
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
)

//go:embed static
var staticFiles embed.FS

//go:embed templates/*.html
var templateFiles embed.FS

// assets are the files under /static. One checksum over all of them is in each
// URL, so that scripts can import one another by relative names, and a browser
// keeps what it has for ever. It is over the templates too, for the parts of
// pages that browsers keep.
type assets struct {
	hash  string
	files map[string]asset
}

type asset struct {
	body        []byte
	packed      []byte // with gzip
	contentType string
}

// types are set here because the ones that mime finds depend on the machine.
var types = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

func loadAssets() (*assets, error) {
	a := &assets{files: map[string]asset{}}
	if err := a.add("terminal.css", terminalCSS()); err != nil {
		return nil, err
	}
	sum := sha256.New()
	if err := sumTemplates(sum); err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(staticFiles, "static")
	if err != nil {
		return nil, err
	}
	sum.Write(a.files["terminal.css"].body)
	for _, e := range entries {
		body, err := staticFiles.ReadFile("static/" + e.Name())
		if err != nil {
			return nil, err
		}
		if err := a.add(e.Name(), body); err != nil {
			return nil, err
		}
		sum.Write(body)
	}
	a.hash = hex.EncodeToString(sum.Sum(nil))[:16]
	return a, nil
}

func sumTemplates(w io.Writer) error {
	entries, err := fs.ReadDir(templateFiles, "templates")
	if err != nil {
		return err
	}
	for _, e := range entries {
		body, err := templateFiles.ReadFile("templates/" + e.Name())
		if err != nil {
			return err
		}
		if _, err := w.Write(body); err != nil {
			return err
		}
	}
	return nil
}

func (a *assets) add(name string, body []byte) error {
	contentType, ok := types[path.Ext(name)]
	if !ok {
		return fmt.Errorf("%s: unknown type of file", name)
	}
	packed, err := pack(body, gzip.BestCompression)
	a.files[name] = asset{body, packed, contentType}
	return err
}

// url returns the address of an asset, and fails for one that does not exist.
func (a *assets) url(name string) (string, error) {
	if _, ok := a.files[name]; !ok {
		return "", fmt.Errorf("no asset %q", name)
	}
	return "/static/" + a.hash + "/" + name, nil
}

func (u *UI) static(c *request) error {
	f, ok := u.assets.files[c.Param("file")]
	if !ok || c.Param("hash") != u.assets.hash {
		return errNotFound
	}
	c.Response().Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	c.Response().Header().Set("Vary", "Accept-Encoding")
	if takesGzip(c.Request()) && len(f.packed) < len(f.body) {
		c.Response().Header().Set("Content-Encoding", "gzip")
		return c.Blob(http.StatusOK, f.contentType, f.packed)
	}
	return c.Blob(http.StatusOK, f.contentType, f.body)
}
