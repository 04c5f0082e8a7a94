package githubtest

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"html"
	"html/template"
	"net/http"
	"strings"
	"unicode/utf8"
)

// pages are what a person sees who looks where the links of a webhook lead. They
// show public repositories only.
var pages = template.Must(template.New("pages").Parse(`
{{define "top"}}<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>{{.}}</title>
<style>
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}
code{font-size:.9em;overflow-wrap:anywhere}
article{border-top:1px solid #8886;padding:.5rem 0}
ul{margin:0;padding-left:1.2rem}
</style>
<p><a href="/">A stand-in for GitHub</a></p><h1>{{.}}</h1>{{end}}

{{define "index"}}{{template "top" "Repositories"}}
<ul>{{range .}}<li><a href="{{.HTMLURL}}">{{.FullName}}</a></li>{{else}}<li>none yet</li>{{end}}</ul>
{{end}}

{{define "repo"}}{{template "top" .Repo.FullName}}
<p><code>git clone {{.Repo.CloneURL}}</code></p>
{{if .Pulls}}<h2>Pull requests</h2>
{{range .Pulls}}<article id="pull-{{.Number}}">#{{.Number}} {{.Title}}<br>
<small>{{.From}} into {{.Into}}</small>{{template "statuses" .Statuses}}</article>{{end}}{{end}}
<h2>Commits</h2>
{{range .Commits}}<article id="{{.SHA}}">{{.Subject}}<br>
<small>{{.Author}}, <code>{{printf "%.12s" .SHA}}</code></small>{{template "statuses" .Statuses}}</article>
{{else}}<p>none yet</p>{{end}}
{{end}}

{{define "statuses"}}{{if .}}<ul>{{range .}}<li><strong>{{.State}}</strong>
{{if .TargetURL}}<a href="{{.TargetURL}}">{{.Context}}</a>{{else}}{{.Context}}{{end}}: {{.Description}}</li>
{{end}}</ul>{{end}}{{end}}`))

func (s *Server) render(w http.ResponseWriter, name string, data any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		s.log.Error("render page", "page", name, "error", err)
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = b.WriteTo(w) // a client that is gone is no concern of ours
}

func (s *Server) indexPage(w http.ResponseWriter, _ *http.Request) {
	var public []*Repo
	for _, r := range s.Repos() {
		if !r.private {
			public = append(public, r)
		}
	}
	s.render(w, "index", public)
}

func (s *Server) repoPage(w http.ResponseWriter, r *http.Request) {
	repo := s.Repo(r.PathValue("owner"), r.PathValue("name"))
	if repo == nil || repo.private {
		http.NotFound(w, r)
		return
	}
	data, err := repo.page(r.Context())
	if err != nil {
		s.log.Error("read repository for its page", "repo", repo.FullName(), "error", err)
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		return
	}
	s.render(w, "repo", data)
}

type repoData struct {
	Repo    *Repo
	Pulls   []pullData
	Commits []commitData
}

type pullData struct {
	Number            int
	Title, From, Into string
	Statuses          []Status
}

type commitData struct {
	SHA, Subject, Author string
	Statuses             []Status
}

func (r *Repo) page(ctx context.Context) (repoData, error) {
	d := repoData{Repo: r}
	for _, p := range r.openPulls() {
		d.Pulls = append(d.Pulls, pullData{
			Number: p.number, Title: p.Title, From: p.From.owner + ":" + p.Head, Into: p.Base,
			Statuses: latest(r.Statuses(p.headSHA)),
		})
	}
	commits, err := r.log(ctx, 50, "--branches", "--")
	for _, c := range commits {
		subject, _, _ := strings.Cut(c.message, "\n")
		d.Commits = append(d.Commits, commitData{
			SHA: c.sha, Subject: subject, Author: c.authorName, Statuses: latest(r.Statuses(c.sha)),
		})
	}
	return d, err
}

// toRepoPage sends the address of a commit or a pull request to its place on
// the repository's page.
func (s *Server) toRepoPage(w http.ResponseWriter, r *http.Request) {
	repo := s.Repo(r.PathValue("owner"), r.PathValue("name"))
	if repo == nil || repo.private {
		http.NotFound(w, r)
		return
	}
	anchor := r.PathValue("sha")
	if n := r.PathValue("number"); n != "" {
		anchor = "pull-" + n
	}
	http.Redirect(w, r, repo.HTMLURL()+"#"+template.URLQueryEscaper(anchor), http.StatusFound)
}

// avatar draws a letter on a colour that is the login's own.
func (s *Server) avatar(w http.ResponseWriter, r *http.Request) {
	login := r.PathValue("login")
	h := fnv.New32a()
	h.Write([]byte(login))
	letter, _ := utf8.DecodeRuneInString(strings.ToUpper(login))
	w.Header().Set("Content-Type", "image/svg+xml")
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40">`+
		`<rect width="40" height="40" fill="hsl(%d 45%% 45%%)"/>`+
		`<text x="20" y="28" font-family="sans-serif" font-size="22" fill="#fff" text-anchor="middle">%s</text></svg>`,
		h.Sum32()%360, html.EscapeString(string(letter)))
}
