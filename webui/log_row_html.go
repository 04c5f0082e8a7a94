package webui

import (
	"html/template"
	"strconv"

	"github.com/slipway-ci/slipway/store/logs"
)

// rowsMarkup is the HTML of rows. A page has hundreds of them and a reader who
// scrolls asks for thousands, of which a template would take most of the time.
func rowsMarkup(rows ...logRow) template.HTML {
	var b []byte
	for i := range rows {
		b = rows[i].append(b)
	}
	return template.HTML(b) //nolint:gosec // addresses are escaped below, HTML is from the terminal
}

// append appends the HTML of a row. A row that is not complete has the number of
// its stream in place of its own.
func (r *logRow) append(b []byte) []byte {
	b = append(b, `<div class="`...)
	b = append(b, r.Class()...)
	if r.N > 0 {
		b = append(b, `" id="L`...)
		b = strconv.AppendInt(b, r.N, 10)
		b = append(b, `" data-t="`...)
		b = strconv.AppendInt(b, r.At(), 10)
	} else {
		b = append(b, `" data-open="`...)
		b = strconv.AppendInt(b, int64(r.Stream), 10)
	}
	b = append(b, '"')
	if r.More() {
		b = append(b, ` data-more`...)
	}
	if r.Head() && r.Cut != "" {
		b = append(b, ` data-cut="`...)
		b = append(b, template.HTMLEscapeString(r.Cut)...)
		b = append(b, '"')
	}
	if r.Stream != logs.Stdout {
		b = append(b, ` data-s="`...)
		b = strconv.AppendInt(b, int64(r.Stream), 10)
		b = append(b, '"')
	}
	b = append(b, '>')
	b = r.appendNumber(b)
	return append(r.appendText(b), "</div>"...)
}

// appendNumber appends the row's number, which is a link where it has one.
func (r *logRow) appendNumber(b []byte) []byte {
	if r.Link == "" {
		b = append(b, `<span class="n">`...)
		if r.N > 0 {
			b = strconv.AppendInt(b, r.N, 10)
		}
		return append(b, "</span>"...)
	}
	b = append(b, `<a class="n" tabindex="-1" href="`...)
	b = append(b, template.HTMLEscapeString(r.Link)...)
	b = append(b, `">`...)
	b = strconv.AppendInt(b, r.N, 10)
	return append(b, "</a>"...)
}

// appendText appends the row's text, and what leads to the rest of it.
func (r *logRow) appendText(b []byte) []byte {
	b = append(b, `<span class="t">`...)
	b = append(b, r.HTML...)
	switch {
	case r.Cut == "":
	case r.Head():
		b = append(b, "…"...)
	default:
		b = append(b, ` <a class="cut" href="`...)
		b = append(b, template.HTMLEscapeString(r.Cut)...)
		b = append(b, `">line cut here, show all</a>`...)
	}
	return append(b, "</span>"...)
}
