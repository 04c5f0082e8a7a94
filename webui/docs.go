package webui

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

//go:embed docs/*.md
var docFiles embed.FS

// docOrder is the order of the manual's pages; each is docs/NAME.md and begins
// with its title as a heading.
var docOrder = []string{"start", "pipeline", "github", "operations", "woodpecker", "drone"}

// manual is the user's manual of this version, rendered once.
type manual struct{ pages []docPage }

type docPage struct {
	Name, Title string
	HTML        template.HTML
	Sections    []docSection
}

// docSection is what stands below a heading, as text for the search.
type docSection struct {
	ID, Heading string
	Level       int
	text        string
}

// Path is the address of the page.
func (p docPage) Path() string { return "/docs/" + p.Name }

// docHit is a section that a search found.
type docHit struct{ Path, Page, Heading, Snippet string }

func loadManual() (*manual, error) {
	md := goldmark.New(
		// Not by style attributes, which the policy forbids.
		goldmark.WithExtensions(extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
			extension.Strikethrough, extension.Linkify),
		goldmark.WithParserOptions(parser.WithAutoHeadingID()),
	)
	m := &manual{}
	for _, name := range docOrder {
		source, err := docFiles.ReadFile("docs/" + name + ".md")
		if err != nil {
			return nil, err
		}
		ids := parser.NewContext(parser.WithIDs(&headingIDs{taken: map[string]int{}}))
		doc := md.Parser().Parse(text.NewReader(source), parser.WithContext(ids))
		p := docPage{Name: name, Sections: sections(doc, source)}
		if len(p.Sections) == 0 || p.Sections[0].Level != 1 {
			return nil, fmt.Errorf("docs/%s.md begins with no title", name)
		}
		p.Title = p.Sections[0].Heading
		addAnchors(doc)
		var b bytes.Buffer
		if err := md.Renderer().Render(&b, source, doc); err != nil {
			return nil, fmt.Errorf("render docs/%s.md: %w", name, err)
		}
		p.HTML = template.HTML(b.String()) //nolint:gosec // our own files, and raw HTML in them is left out
		m.pages = append(m.pages, p)
	}
	return m, nil
}

// headingIDs names headings as GitHub does, so that the links in the files hold
// there too.
type headingIDs struct{ taken map[string]int }

// Generate returns the ID of a heading with that text.
func (h *headingIDs) Generate(value []byte, _ ast.NodeKind) []byte {
	id := strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-':
			return '-'
		case r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		default:
			return -1
		}
	}, strings.TrimSpace(string(value)))
	n := h.taken[id]
	h.taken[id]++
	if n > 0 {
		id = fmt.Sprintf("%s-%d", id, n)
	}
	return []byte(id)
}

// Put hears of IDs that a file sets itself; none does.
func (*headingIDs) Put([]byte) {}

// sections splits a document at its headings.
func sections(doc ast.Node, source []byte) (out []docSection) {
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		if h, ok := n.(*ast.Heading); ok {
			id, _ := h.AttributeString("id")
			name, _ := id.([]byte)
			out = append(out, docSection{ID: string(name), Heading: plainText(h, source), Level: h.Level})
		} else if len(out) > 0 {
			out[len(out)-1].text += plainText(n, source) + " "
		}
	}
	return out
}

// plainText is what a reader sees of a node.
func plainText(n ast.Node, source []byte) string {
	var b strings.Builder
	// Walking fails only where the walker does.
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Text:
			if entering {
				b.Write(n.Value(source))
				if n.SoftLineBreak() {
					b.WriteByte(' ')
				}
			}
		case *ast.FencedCodeBlock, *ast.CodeBlock:
			if entering {
				for i := range n.Lines().Len() {
					line := n.Lines().At(i)
					b.Write(line.Value(source))
				}
			}
		default:
			if !entering && n.Type() == ast.TypeBlock {
				b.WriteByte(' ')
			}
		}
		return ast.WalkContinue, nil
	})
	return strings.TrimSpace(b.String())
}

// addAnchors makes each heading below the title a link to itself.
func addAnchors(doc ast.Node) {
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		h, ok := n.(*ast.Heading)
		if !ok || h.Level == 1 {
			continue
		}
		id, _ := h.AttributeString("id")
		name, _ := id.([]byte)
		link := ast.NewLink()
		link.Destination = append([]byte("#"), name...)
		for c := h.FirstChild(); c != nil; c = h.FirstChild() {
			link.AppendChild(link, c)
		}
		h.AppendChild(h, link)
	}
}

// search returns the sections that have all words of a query, those first whose
// headings have them.
func (m *manual) search(query string, limit int) (hits []docHit) {
	words := strings.Fields(strings.ToLower(query))
	if len(words) == 0 {
		return nil
	}
	inHeading := map[docHit]bool{}
	for _, p := range m.pages {
		for _, s := range p.Sections {
			heading, body := strings.ToLower(s.Heading), strings.ToLower(s.text)
			all, above := true, true
			for _, w := range words {
				above = above && strings.Contains(heading, w)
				all = all && (strings.Contains(heading, w) || strings.Contains(body, w))
			}
			if all {
				hit := docHit{p.Path() + "#" + s.ID, p.Title, s.Heading, around(s.text, words)}
				hits, inHeading[hit] = append(hits, hit), above
			}
		}
	}
	slices.SortStableFunc(hits, func(a, b docHit) int {
		rank := map[bool]int{true: 0, false: 1}
		return cmp.Compare(rank[inHeading[a]], rank[inHeading[b]])
	})
	return hits[:min(len(hits), limit)]
}

// around cuts a text to what stands near the first of the words in it.
func around(s string, words []string) string {
	const before, length = 60, 180
	at := len(s)
	for _, w := range words {
		if i := strings.Index(strings.ToLower(s), w); i >= 0 {
			at = min(at, i)
		}
	}
	if at == len(s) {
		at = 0
	}
	from := max(0, at-before)
	to := min(len(s), from+length)
	cut := strings.ToValidUTF8(s[from:to], "")
	if from > 0 {
		cut = "…" + cut
	}
	if to < len(s) {
		cut += "…"
	}
	return cut
}

// docsPage is the view of templates/docs.html.
type docsPage struct {
	frame
	Pages []docPage
	Page  docPage
	// Find is what the manual was searched for, and Hits what was found.
	Find string
	Hits []docHit
}

func (u *UI) docs(c *request) error {
	p := &docsPage{frame: u.frame(c), Pages: u.manual.pages, Find: strings.TrimSpace(c.QueryParam("q"))}
	name := cmp.Or(c.Param("page"), docOrder[0])
	i := slices.IndexFunc(p.Pages, func(d docPage) bool { return d.Name == name })
	if i < 0 {
		return errNotFound
	}
	p.Page = p.Pages[i]
	p.Hits = u.manual.search(p.Find, 30)
	p.Title, p.Section, p.Styles = p.Page.Title+" · slipway", "/docs", []string{"pages.css", "docs.css"}
	return u.render(c, http.StatusOK, "docs", p)
}
