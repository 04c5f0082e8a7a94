package githubtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Person is an author. The zero Person is "Mona <mona@example.com>", login mona.
type Person struct {
	Name, Email string
	Login       string // the account that has the address; may be empty
}

var mona = Person{Name: "Mona", Email: "mona@example.com", Login: "mona"}

// orMona returns p or, if it is zero, who writes here by default.
func (p Person) orMona() Person { return cmp.Or(p, mona) }

// login returns the login, or a name to go by.
func (p Person) login() string { return cmp.Or(p.Login, p.Name) }

// A Change becomes one commit.
type Change struct {
	Branch string // empty means the default branch
	// From is the branch that a new branch starts from; empty means the default
	// branch. In an empty repository it starts from nothing.
	From string
	// Files are contents by path. What begins with "#!" is made executable.
	Files   map[string]string
	Remove  []string // paths
	Message string   // empty means "Change files"
	Author  Person
}

// Commit adds a commit to a branch, which is made if there is none, and returns
// its SHA. No webhook is sent.
func (r *Repo) Commit(ctx context.Context, c Change) (sha string, err error) {
	u, err := r.commit(ctx, c)
	return u.after, err
}

// Push commits as Commit does and sends the webhooks that a push of it causes.
// It does not wait for their answers.
func (r *Repo) Push(ctx context.Context, c Change) (sha string, err error) {
	u, err := r.commit(ctx, c)
	if err != nil {
		return "", err
	}
	return u.after, r.announce(ctx, []update{u}, c.Author.orMona().login())
}

func (r *Repo) commit(ctx context.Context, c Change) (update, error) {
	c.Branch, c.From = cmp.Or(c.Branch, r.defaultBranch), cmp.Or(c.From, r.defaultBranch)
	c.Message, c.Author = cmp.Or(c.Message, "Change files"), c.Author.orMona()
	if err := c.check(); err != nil {
		return update{}, fmt.Errorf("commit to %s: %w", r.FullName(), err)
	}
	r.s.remember(c.Author)
	r.commitMu.Lock()
	defer r.commitMu.Unlock()
	before, err := r.Resolve(ctx, "refs/heads/"+c.Branch)
	if err != nil {
		return update{}, err
	}
	parent := before
	if parent == "" {
		if parent, err = r.Resolve(ctx, "refs/heads/"+c.From); err != nil {
			return update{}, err
		}
	}
	// All of it in one process: it writes the objects, and moves the branch
	// unless somebody else has moved it meanwhile.
	sha, err := r.s.git.run(ctx, r.dir, strings.NewReader(c.stream(parent, r.s.now().Unix())),
		"fast-import", "--quiet", "--done")
	if err != nil {
		return update{}, fmt.Errorf("commit to %s: %w", r.FullName(), err)
	}
	return update{ref: "refs/heads/" + c.Branch, before: before, after: sha}, nil
}

func (c *Change) check() error {
	if err := errors.Join(checkRef(c.Branch), checkRef(c.From), c.Author.check()); err != nil {
		return err
	}
	for path := range c.Files {
		if err := checkPath(path); err != nil {
			return err
		}
	}
	for _, path := range c.Remove {
		if err := checkPath(path); err != nil {
			return err
		}
	}
	return nil
}

func checkPath(path string) error {
	inGit := slices.ContainsFunc(strings.Split(path, "/"), func(dir string) bool { return strings.EqualFold(dir, ".git") })
	if inGit || !fs.ValidPath(path) || path == "." || strings.ContainsAny(path, "\"\n\x00") {
		return fmt.Errorf("%q is not a path that can be committed here", path)
	}
	return nil
}

func (p Person) check() error {
	if strings.ContainsAny(p.Name+p.Email, "<>\n\x00") {
		return fmt.Errorf("%q <%q> cannot be an author", p.Name, p.Email)
	}
	return nil
}

// stream returns the commit in git fast-import's language.
func (c *Change) stream(parent string, at int64) string {
	var b strings.Builder
	data := func(s string) { fmt.Fprintf(&b, "data %d\n%s\n", len(s), s) }
	fmt.Fprintf(&b, "commit refs/heads/%s\nmark :1\n", c.Branch)
	fmt.Fprintf(&b, "committer %s <%s> %d +0000\n", c.Author.Name, c.Author.Email, at)
	data(strings.TrimRight(c.Message, "\n") + "\n")
	if parent != "" {
		fmt.Fprintf(&b, "from %s\n", parent)
	}
	for _, path := range c.Remove {
		fmt.Fprintf(&b, "D %s\n", path)
	}
	for _, path := range slices.Sorted(maps.Keys(c.Files)) {
		mode := "100644"
		if strings.HasPrefix(c.Files[path], "#!") {
			mode = "100755"
		}
		fmt.Fprintf(&b, "M %s inline %s\n", mode, path)
		data(c.Files[path])
	}
	b.WriteString("get-mark :1\ndone\n")
	return b.String()
}

// remember makes the login of an address known, for the payloads.
func (s *Server) remember(p Person) {
	if p.Login == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logins[p.Email] = p.Login
}

func (s *Server) loginOf(email string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins[email]
}
