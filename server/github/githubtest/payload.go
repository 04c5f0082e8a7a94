package githubtest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"
)

// object is a JSON object. Payloads and answers have the names and types that
// GitHub's have, and of their fields those that say something here.
type object = map[string]any

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func nodeID(kind string, id int64) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%02d:%s%d", len(kind), kind, id))
}

// userJSON makes an account. Its ID is a function of the login, so that it is
// the same wherever it is mentioned.
func (s *Server) userJSON(login string) object {
	h := fnv.New32a()
	h.Write([]byte(strings.ToLower(login)))
	id := int64(h.Sum32())
	return object{
		"login":      login,
		"id":         id,
		"node_id":    nodeID("User", id),
		"avatar_url": s.URL() + "/avatars/" + login,
		"url":        s.URL() + "/api/v3/users/" + login,
		"html_url":   s.URL() + "/" + login,
		"type":       "User",
		"site_admin": false,
	}
}

// json makes the repository as the REST API and most webhooks tell of it.
func (r *Repo) json() object {
	api := r.s.URL() + "/api/v3/repos/" + r.FullName()
	visibility := "public"
	if r.private {
		visibility = "private"
	}
	return object{
		"id":             r.id,
		"node_id":        nodeID("Repository", r.id),
		"name":           r.name,
		"full_name":      r.FullName(),
		"private":        r.private,
		"owner":          r.s.userJSON(r.owner),
		"html_url":       r.HTMLURL(),
		"description":    nil,
		"fork":           r.fork,
		"url":            api,
		"statuses_url":   api + "/statuses/{sha}",
		"commits_url":    api + "/commits{/sha}",
		"hooks_url":      api + "/hooks",
		"clone_url":      r.CloneURL(),
		"created_at":     stamp(r.created),
		"updated_at":     stamp(r.created),
		"pushed_at":      stamp(r.s.now()),
		"archived":       false,
		"disabled":       false,
		"default_branch": r.defaultBranch,
		"is_template":    false,
		"topics":         []string{},
		"visibility":     visibility,
	}
}

func (r *Repo) pushPayload(ctx context.Context, u update, sender string) ([]byte, error) {
	repo := r.json()
	owner := r.s.userJSON(r.owner)
	owner["name"], owner["email"] = r.owner, r.owner+"@users.noreply.github.com"
	repo["owner"] = owner
	repo["url"], repo["master_branch"] = r.HTMLURL(), r.defaultBranch
	repo["created_at"], repo["pushed_at"] = r.created.Unix(), r.s.now().Unix()
	p := object{
		"ref":         u.ref,
		"before":      orZero(u.before),
		"after":       orZero(u.after),
		"created":     u.before == "",
		"deleted":     u.after == "",
		"forced":      false,
		"base_ref":    nil,
		"compare":     r.compareURL(u),
		"commits":     []object{},
		"head_commit": nil,
		"repository":  repo,
		"pusher":      object{"name": sender, "email": sender + "@users.noreply.github.com"},
		"sender":      r.s.userJSON(sender),
	}
	if u.after != "" {
		if err := r.addCommits(ctx, p, u); err != nil {
			return nil, err
		}
	}
	return json.Marshal(p)
}

func (r *Repo) addCommits(ctx context.Context, p object, u update) error {
	if head, err := r.Resolve(ctx, u.after); err != nil || head == "" {
		return err // a tag may lead to something that is no commit
	}
	pushed, forced, err := r.pushed(ctx, u)
	if err != nil {
		return err
	}
	p["forced"] = forced
	p["head_commit"] = r.commitJSON(pushed[0])
	commits := []object{}
	for _, c := range slices.Backward(pushed) {
		commits = append(commits, r.commitJSON(c))
	}
	p["commits"] = commits
	return nil
}

func (r *Repo) commitJSON(c commitInfo) object {
	return object{
		"id":        c.sha,
		"tree_id":   c.tree,
		"distinct":  true,
		"message":   c.message,
		"timestamp": c.at.Format(time.RFC3339),
		"url":       r.HTMLURL() + "/commit/" + c.sha,
		"author":    r.s.authorJSON(c.authorName, c.authorEmail),
		"committer": r.s.authorJSON(c.committerName, c.committerEmail),
		"added":     orEmpty(c.added),
		"removed":   orEmpty(c.removed),
		"modified":  orEmpty(c.modified),
	}
}

func (s *Server) authorJSON(name, email string) object {
	a := object{"name": name, "email": email}
	if login := s.loginOf(email); login != "" {
		a["username"] = login
	}
	return a
}

func (r *Repo) compareURL(u update) string {
	return fmt.Sprintf("%s/compare/%.12s...%.12s", r.HTMLURL(), orZero(u.before), orZero(u.after))
}

func orZero(sha string) string {
	if sha == "" {
		return zeroSHA
	}
	return sha
}

func orEmpty(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
