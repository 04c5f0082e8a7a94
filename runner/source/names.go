package source

import (
	"net/url"
	"path"
	"regexp"
	"strings"
)

var (
	keyPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*$`) // up to maxKey
	shaPattern = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
)

// maxKey is the most bytes of a mirror's key.
const maxKey = 200

// checkKey accepts what can safely be part of a file name.
func checkKey(key string) error {
	if len(key) > maxKey || !keyPattern.MatchString(key) {
		return invalid("mirror key %q", key)
	}
	return nil
}

// checkSHA accepts a full object name of either hash, in lower case.
func checkSHA(sha string) error {
	if !shaPattern.MatchString(sha) || strings.Trim(sha, "0") == "" {
		return invalid("commit SHA %q", sha)
	}
	return nil
}

// checkRef accepts the full refs that git check-ref-format accepts. They begin
// with "refs/", so none can be taken for an option.
func checkRef(ref string) error {
	rest, ok := strings.CutPrefix(ref, "refs/")
	if !ok || len(ref) > 1024 || strings.HasSuffix(ref, ".") ||
		strings.Contains(ref, "..") || strings.Contains(ref, "@{") {
		return invalid("ref %q", ref)
	}
	for _, c := range []byte(ref) {
		if c <= ' ' || c == 0x7f || strings.IndexByte(`~^:?*[\`, c) >= 0 {
			return invalid("ref %q", ref)
		}
	}
	for part := range strings.SplitSeq(rest, "/") {
		if part == "" || part[0] == '.' || strings.HasSuffix(part, ".lock") {
			return invalid("ref %q", ref)
		}
	}
	return nil
}

// checkURL accepts http(s) URLs of a host and a path, without a credential. Its
// errors don't repeat the URL, which may hold one.
func checkURL(raw string, allowHTTP bool) (*url.URL, error) {
	for _, c := range []byte(raw) {
		if c <= ' ' || c >= 0x7f || c == '\\' || c == '"' {
			return nil, invalid("remote URL: it has a character that is not allowed")
		}
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, invalid("remote URL: it cannot be parsed")
	case u.Scheme != "https" && (u.Scheme != "http" || !allowHTTP):
		return nil, invalid("remote URL: protocol %q is not allowed", u.Scheme)
	case !strings.HasPrefix(raw, u.Scheme+"://"):
		return nil, invalid("remote URL: its protocol is not in lower case") // git does not know it then
	case u.User != nil:
		return nil, invalid("remote URL: it has a credential in it")
	case u.Hostname() == "" || u.Hostname()[0] == '-' || u.Opaque != "":
		return nil, invalid("remote URL: it has no host")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, invalid("remote URL: it has a query or a fragment")
	}
	return u, nil
}

// cleanPrefix returns the prefix of a tar's entries without slashes around it,
// "" for none.
func cleanPrefix(prefix string) (string, error) {
	if strings.Contains(prefix, "\x00") {
		return "", invalid("path %q", prefix)
	}
	for part := range strings.SplitSeq(prefix, "/") {
		if part == ".." {
			return "", invalid("path %q", prefix)
		}
	}
	clean := strings.Trim(path.Clean("/"+prefix), "/")
	return clean, nil
}
