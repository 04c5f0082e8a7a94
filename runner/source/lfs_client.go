package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	lfsType       = "application/vnd.git-lfs+json"
	lfsBatch      = 100
	lfsLimit      = 2 * time.Minute  // of asking where files are
	lfsStall      = 30 * time.Minute // of one file
	maxLFSAnswer  = 4 << 20
	maxLFSMessage = 300
)

// lfsClient downloads large files over the basic transfer of Git LFS.
type lfsClient struct {
	remote Remote
	mir    *mirror
}

// lfsObject is a file in the answer to a batch request.
type lfsObject struct {
	OID     string `json:"oid"`
	Size    int64  `json:"size"`
	Actions struct {
		Download *struct {
			Href   string            `json:"href"`
			Header map[string]string `json:"header"`
		} `json:"download"`
	} `json:"actions"`
	Error *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// download fetches files into the mirror.
func (c *lfsClient) download(ctx context.Context, files []pointer) error {
	if _, err := checkURL(c.remote.URL, c.remote.AllowHTTP); err != nil {
		return err
	}
	for len(files) > 0 {
		batch := files[:min(len(files), lfsBatch)]
		files = files[len(batch):]
		found, err := c.ask(ctx, batch)
		if err != nil {
			return fmt.Errorf("ask for large files: %w", err)
		}
		for _, p := range batch {
			if err := c.get(ctx, p, found[p.oid]); err != nil {
				return fmt.Errorf("large file %.12s: %w", p.oid, err)
			}
		}
	}
	return nil
}

// ask returns where the remote has files, by their OIDs.
func (c *lfsClient) ask(ctx context.Context, files []pointer) (map[string]lfsObject, error) {
	ctx, cancel := context.WithTimeout(ctx, lfsLimit)
	defer cancel()
	type want struct {
		OID  string `json:"oid"`
		Size int64  `json:"size"`
	}
	request := struct {
		Operation string   `json:"operation"`
		Transfers []string `json:"transfers"`
		Objects   []want   `json:"objects"`
	}{Operation: "download", Transfers: []string{"basic"}}
	for _, p := range files {
		request.Objects = append(request.Objects, want{p.oid, p.size})
	}
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	base := c.remote.URL
	if !strings.HasSuffix(base, ".git") {
		base += ".git"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/info/lfs/objects/batch", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", lfsType)
	req.Header.Set("Content-Type", lfsType)
	if auth := c.remote.authorization(); auth != "" {
		req.Header.Set("Authorization", auth)
	}
	resp, err := lfsHTTP.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxLFSAnswer))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, lfsRefused(resp.StatusCode, answer)
	}
	var got struct{ Objects []lfsObject }
	if err := json.Unmarshal(answer, &got); err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	found := map[string]lfsObject{}
	for _, o := range got.Objects {
		found[o.OID] = o
	}
	return found, nil
}

// lfsHTTP follows no redirect: the credential is for the address it was given for.
var lfsHTTP = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func lfsRefused(status int, answer []byte) error {
	var said struct{ Message string }
	_ = json.Unmarshal(answer, &said) // without one the status says it
	err := fmt.Errorf("the remote answers %d %s", status, said.Message[:min(len(said.Message), maxLFSMessage)])
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		return fmt.Errorf("%w: %w", ErrAuth, err)
	}
	return err
}

// get downloads one file from where the remote says it is, which may be another
// host: it gets what the remote gave out for it, and not the credential.
func (c *lfsClient) get(ctx context.Context, p pointer, o lfsObject) error {
	switch {
	case o.Error != nil:
		return fmt.Errorf("%w: %s", ErrCommitNotFound, o.Error.Message[:min(len(o.Error.Message), maxLFSMessage)])
	case o.Actions.Download == nil:
		return fmt.Errorf("%w: the remote has not got it", ErrCommitNotFound)
	}
	u, err := url.Parse(o.Actions.Download.Href)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !c.remote.AllowHTTP) {
		return errors.New("the remote gives an address that is not https")
	}
	ctx, cancel := context.WithTimeout(ctx, lfsStall)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return errors.New("the remote gives an address that cannot be asked")
	}
	for k, v := range o.Actions.Download.Header {
		req.Header.Set(k, v)
	}
	resp, err := lfsHTTP.Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // the address may have a signature in it
		}
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %d", u.Host, resp.StatusCode)
	}
	return c.mir.keepLarge(p, resp.Body)
}
