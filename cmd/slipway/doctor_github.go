package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/slipway-ci/slipway/server/github"
)

const (
	clockOff   = 30 * time.Second // worth a warning
	clockWrong = 5 * time.Minute  // certificates and tokens begin to fail
	expireSoon = 14 * 24 * time.Hour
)

// checkClock compares this machine's clock with GitHub's.
func (d *doctor) checkClock(ctx context.Context) (found findings) {
	before := time.Now()
	theirs, err := d.github.Clock(ctx)
	if err != nil {
		found.warn("cannot be compared with GitHub's, which does not answer", "see what is said of GitHub")
		return found
	}
	// Halfway of the question; theirs is cut to seconds.
	ours := before.Add(time.Since(before) / 2)
	off := ours.Sub(theirs.Add(time.Second / 2)).Round(time.Second)
	const remedy = "keep the time by NTP: timedatectl set-ntp true"
	text := fmt.Sprintf("%s from GitHub's", signed(off))
	switch {
	case off.Abs() > clockWrong:
		found.mend(text+": certificates and tokens are refused, and times in the pages are wrong", remedy)
	case off.Abs() > clockOff:
		found.warn(text, remedy)
	default:
		found.ok("right, compared with GitHub's")
	}
	return found
}

// signed is a duration in words.
func signed(d time.Duration) string {
	if d < 0 {
		return "behind by " + (-d).String()
	}
	return "ahead by " + d.String()
}

// checkToken asks GitHub whose the token is and how long it holds.
func (d *doctor) checkToken(ctx context.Context) (found findings) {
	info, err := d.github.CheckToken(ctx)
	var refused *github.RefusedError
	switch {
	case errors.As(err, &refused) && refused.Status == http.StatusUnauthorized:
		found.mend("the token is wrong or has expired: "+refused.Message, "make a new one and set SLIPWAY_GITHUB_TOKEN: https://github.com/settings/tokens")
		return found
	case err != nil:
		found.mend(err.Error(), "see whether this machine reaches "+d.github.WebURL()+" (curl), and https://www.githubstatus.com")
		return found
	}
	kind := "a fine-grained token"
	if info.Scopes != nil {
		kind = "a classic token"
		checkScopes(&found, info.Scopes)
	}
	if !info.Expires.IsZero() {
		kind += ", valid until " + info.Expires.Format(time.DateOnly)
		if time.Until(info.Expires) < expireSoon {
			found.warn("the token expires on "+info.Expires.Format(time.DateOnly), "make a new one before that, and set SLIPWAY_GITHUB_TOKEN")
		}
	}
	return found.orOK(fmt.Sprintf("%s answers; %s of %s", d.github.WebURL(), kind, info.Login))
}

// checkScopes looks at the scopes of a classic token, see
// https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps.
func checkScopes(found *findings, scopes []string) {
	has := fmt.Sprintf("the token's scopes are %q", strings.Join(scopes, ", "))
	switch {
	case slices.Contains(scopes, "repo"):
	case slices.Contains(scopes, "repo:status"):
		found.warn(has+": statuses can be written, and private repositories not read", "if there are private ones, give it the scope repo")
	default:
		found.mend(has+": no status can be written", "give it the scope repo, or repo:status if all repositories are public")
	}
	for _, s := range []string{"delete_repo", "admin:org", "admin:enterprise", "site_admin"} {
		if slices.Contains(scopes, s) {
			found.warn(has+": "+s+" is more than slipway needs, and more than should be lost with it", "take that scope away")
		}
	}
}

// checkAccess tries in repositories what builds need.
func (d *doctor) checkAccess(ctx context.Context) (found findings) {
	repos := d.repos
	if recent := d.recent.Load(); len(repos) == 0 && recent != nil {
		repos = *recent
	}
	if len(repos) == 0 {
		found.ok("no repository is known yet; name one with --repo")
		return found
	}
	for _, r := range repos {
		d.tryRepo(ctx, &found, r)
	}
	return found.orOK("contents and statuses of " + strings.Join(repos, ", "))
}

func (d *doctor) tryRepo(ctx context.Context, found *findings, repo string) {
	owner, name, _ := strings.Cut(repo, "/")
	a, err := d.github.CheckAccess(ctx, owner, name)
	const remedy = "give the token the permission "
	switch {
	case err != nil:
		found.mend(repo+": "+err.Error(), "see what is said of GitHub")
	case !a.See:
		found.mend(repo+" does not exist, or the token may not see it", "add the repository to those of the token")
	default:
		if !a.Contents {
			found.mend(repo+" cannot be cloned", remedy+"Contents: read")
		}
		if !a.Statuses {
			found.mend(repo+": no status can be written, so pull requests never turn green", remedy+"Commit statuses: read and write")
		}
	}
}
