package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
)

const (
	maxSubmodules     = 200 // of a checkout, at any depth
	maxSubmoduleDepth = 8
	maxModulesFile    = 1 << 20
	maxTreeList       = 256 << 20
)

// A submodule is a commit of another repository that a tree has at a path.
type submodule struct {
	name, path, sha string
	remote          Remote
	key             string // of its mirror
}

// submoduleWalk visits the submodules of a commit, outer ones first, and those
// of each after it. They are in mirrors of their own, which belong to the
// repository root: what one repository could fetch is not given to another.
type submoduleWalk struct {
	m     *Mirrors
	root  string // key
	seen  int
	level func(dir string, subs []submodule) error // may be nil
	visit func(ctx context.Context, dir string, s submodule) error
}

func (w *submoduleWalk) walk(ctx context.Context, key string, remote Remote, sha, dir string, depth int) error {
	mir, err := w.m.mirror(key)
	if err != nil {
		return err
	}
	var subs []submodule
	err = mir.read(func() (err error) {
		subs, err = w.m.submodules(ctx, mir, w.root, remote, sha)
		return err
	})
	if err != nil || len(subs) == 0 {
		return err
	}
	if depth > maxSubmoduleDepth {
		return invalid("submodules: they are nested more than %d deep", maxSubmoduleDepth)
	}
	if w.level != nil {
		if err := w.level(dir, subs); err != nil {
			return err
		}
	}
	for _, s := range subs {
		if w.seen++; w.seen > maxSubmodules {
			return invalid("submodules: there are more than %d", maxSubmodules)
		}
		at := path.Join(dir, s.path)
		if err := w.visit(ctx, at, s); err != nil {
			return fmt.Errorf("submodule %s: %w", at, err)
		}
		if err := w.walk(ctx, s.key, s.remote, s.sha, at, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// submodules returns those that the tree of a commit has itself.
func (m *Mirrors) submodules(ctx context.Context, mir *mirror, root string, remote Remote, sha string) ([]submodule, error) {
	types, err := m.objectTypes(ctx, mir, sha+":.gitmodules")
	if err != nil || types[0] != "blob" {
		return nil, err
	}
	links, err := m.gitlinks(ctx, mir, sha)
	if err != nil || len(links) == 0 {
		return nil, err
	}
	declared, err := m.declaredModules(ctx, mir, sha)
	if err != nil {
		return nil, err
	}
	var subs []submodule
	for _, s := range links {
		d, ok := declared[s.path]
		if !ok {
			return nil, invalid("submodule %s: .gitmodules does not say where it comes from", s.path)
		}
		s.name = d.name
		if s.remote, err = remote.submodule(d.url); err != nil {
			return nil, fmt.Errorf("submodule %s: %w", s.path, err)
		}
		s.key = submoduleKey(root, s.remote)
		subs = append(subs, s)
	}
	return subs, nil
}

// gitlinks returns where the tree of a commit has commits of other repositories.
func (m *Mirrors) gitlinks(ctx context.Context, mir *mirror, sha string) ([]submodule, error) {
	out, err := m.git(ctx, gitCmd{gitDir: mir.dir, args: []string{"ls-tree", "-r", "-z", "--full-tree", sha}}, maxTreeList)
	if err != nil {
		return nil, err
	}
	var links []submodule
	for entry := range strings.SplitSeq(string(out), "\x00") {
		meta, name, _ := strings.Cut(entry, "\t")
		if oid, ok := strings.CutPrefix(meta, "160000 commit "); ok {
			if err := checkSHA(oid); err != nil {
				return nil, err
			}
			links = append(links, submodule{path: name, sha: oid})
		}
	}
	return links, nil
}

type declaredModule struct{ name, url string }

// declaredModules reads .gitmodules, by path. Git parses it as a blob, for which
// it follows no includes.
func (m *Mirrors) declaredModules(ctx context.Context, mir *mirror, sha string) (map[string]declaredModule, error) {
	out, err := m.git(ctx, gitCmd{gitDir: mir.dir, args: []string{"config", "--blob", sha + ":.gitmodules", "-z", "--list"}}, maxModulesFile)
	var g *gitError
	switch {
	case errors.Is(err, errTooMuch):
		return nil, invalid(".gitmodules: it has more than %d bytes", maxModulesFile)
	case stderrMatches(err, saysBadModules) && errors.As(err, &g):
		return nil, invalid(".gitmodules: git says: %s", g.stderr) // and not that the mirror is broken
	case err != nil:
		return nil, err
	}
	paths, urls := map[string]string{}, map[string]string{}
	for entry := range strings.SplitSeq(string(out), "\x00") {
		key, value, _ := strings.Cut(entry, "\n")
		rest, ok := strings.CutPrefix(key, "submodule.")
		dot := strings.LastIndexByte(rest, '.')
		if !ok || dot < 0 {
			continue
		}
		switch name := rest[:dot]; rest[dot+1:] {
		case "path":
			paths[name] = value
		case "url":
			urls[name] = value
		}
	}
	declared := map[string]declaredModule{}
	for name, p := range paths {
		declared[path.Clean(p)] = declaredModule{name, urls[name]}
	}
	return declared, nil
}

// submodule returns the remote of a submodule with that URL, which may be
// relative to r's. The credential goes along only to r's own host.
func (r Remote) submodule(raw string) (Remote, error) {
	parent, err := checkURL(r.URL, r.AllowHTTP)
	if err != nil {
		return Remote{}, err
	}
	if strings.HasPrefix(raw, "./") || strings.HasPrefix(raw, "../") {
		raw = (&url.URL{Scheme: parent.Scheme, Host: parent.Host, Path: path.Join(parent.Path, raw)}).String()
	}
	u, err := checkURL(raw, r.AllowHTTP)
	if err != nil {
		return Remote{}, fmt.Errorf("%w; in .gitmodules it must be https or relative, like ../other.git", err)
	}
	to := Remote{URL: raw, AllowHTTP: r.AllowHTTP}
	if u.Scheme == parent.Scheme && u.Host == parent.Host {
		to.Username, to.Password = r.Username, r.Password
	}
	return to, nil
}

// submoduleMark stands in the key of a submodule's mirror after the key of the
// repository that it belongs to.
const submoduleMark = ".sub-"

// submoduleKey names the mirror of a submodule, which lives and goes with that of
// the repository root. What was fetched with a credential is another mirror than
// what was fetched without.
func submoduleKey(root string, r Remote) string {
	access := "anyone"
	if r.Password != "" {
		access = "credential"
	}
	sum := sha256.Sum256([]byte(root + "\x00" + access + "\x00" + r.URL))
	return root + submoduleMark + hex.EncodeToString(sum[:20])
}

// family returns the key and those of the mirrors that belong to it.
func (m *Mirrors) family(key string) ([]string, error) {
	entries, err := os.ReadDir(m.dir)
	if err != nil {
		return nil, err
	}
	keys := []string{key}
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".git"); ok && strings.HasPrefix(name, key+submoduleMark) {
			keys = append(keys, name)
		}
	}
	return keys, nil
}

// fetchSubmodules makes the submodules of a commit present.
func (m *Mirrors) fetchSubmodules(ctx context.Context, key string, remote Remote, sha string, o FetchOptions) error {
	w := &submoduleWalk{m: m, root: key, visit: func(ctx context.Context, _ string, s submodule) error {
		return m.fetch(ctx, s.key, s.remote, "", s.sha, FetchOptions{Limit: o.Limit})
	}}
	return w.walk(ctx, key, remote, sha, "", 1)
}

// addSubmodules checks out the submodules of a checkout.
func (m *Mirrors) addSubmodules(ctx context.Context, key string, remote Remote, c checkout, sha string) error {
	top, err := filepath.EvalSymlinks(c.dir)
	if err != nil {
		return err
	}
	w := &submoduleWalk{m: m, root: key,
		level: func(dir string, subs []submodule) error {
			return configureSubmodules(filepath.Join(top, filepath.FromSlash(dir), ".git", "config"), subs)
		},
		visit: func(ctx context.Context, dir string, s submodule) error {
			at := filepath.Join(top, filepath.FromSlash(dir))
			// Git made the directory. It refuses trees that lead out of the
			// checkout; this is so that nothing depends on it.
			if real, err := filepath.EvalSymlinks(at); err != nil || real != at {
				return invalid("path: it is not a directory of the checkout")
			}
			mir, err := m.mirror(s.key)
			if err != nil {
				return err
			}
			return mir.read(func() error {
				return m.fill(ctx, mir, checkout{dir: at}, s.sha, TarOptions{Depth: 1, URL: s.remote.URL})
			})
		}}
	return w.walk(ctx, key, remote, sha, "", 1)
}

// configureSubmodules tells a checkout's git that the submodules are there.
func configureSubmodules(config string, subs []submodule) error {
	var b strings.Builder
	for _, s := range subs {
		if !strings.ContainsAny(s.name, "\n\r\x00") {
			b.WriteString("[submodule " + quoteConfig(s.name) + "]\n\tactive = true\n\turl = " + quoteConfig(s.remote.URL) + "\n")
		}
	}
	f, err := os.OpenFile(config, os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	_, err = f.WriteString(b.String())
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
