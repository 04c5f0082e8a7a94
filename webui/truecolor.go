package webui

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// trueColors are those of one row. The library knows classes only, so it is
// given the 16 basic codes for them, which rows don't use otherwise: their basic
// colours are entries of the palette. What it makes of them becomes the class of
// the nearest entry, which is what is seen without scripts, and an attribute with
// the colour itself, which static/colors.js takes: pages have no inline styles.
type trueColors []color

// maxTrueColors are those of a row that are shown as they are; further ones are
// the nearest of the palette.
const maxTrueColors = 16

// appendCode appends the code for a colour. extended is 38 for that of the text
// and 48 for that of its ground.
func (t *trueColors) appendCode(b []byte, c color, extended int64) []byte {
	b = append(b, ';')
	if n, ok := t.slot(c); ok {
		code := extended - 8 + int64(n) // 30 to 37, or 40 to 47
		if n >= 8 {
			code += 60 - 8
		}
		return strconv.AppendInt(b, code, 10)
	}
	b = strconv.AppendInt(b, extended, 10)
	b = append(b, ";5;"...)
	return strconv.AppendInt(b, int64(c.entry()), 10)
}

// slot returns the number of a true colour in the row, if it has one.
func (t *trueColors) slot(c color) (int, bool) {
	if _, ok := c.exact(); !ok {
		return 0, false
	}
	n := slices.Index(*t, c)
	if n < 0 && len(*t) < maxTrueColors {
		n = len(*t)
		*t = append(*t, c)
	}
	return n, n >= 0
}

// basicClass is a class that the library gives for a basic code.
var basicClass = regexp.MustCompile(`\bterm-([fb])gi?(3[0-7]|4[0-7]|9[0-7]|10[0-7])\b`)

// classAttribute is the library's; text has no quotes of its own.
var classAttribute = regexp.MustCompile(`class="([^"]*)"`)

// dress gives what the library made the row's colours.
func (t trueColors) dress(html string) string {
	if len(t) == 0 {
		return html
	}
	return classAttribute.ReplaceAllStringFunc(html, func(attribute string) string {
		data := ""
		attribute = basicClass.ReplaceAllStringFunc(attribute, func(class string) string {
			m := basicClass.FindStringSubmatch(class)
			n, _ := strconv.Atoi(m[2]) // digits, as it fits
			if n %= 10; strings.Contains(class, "gi") {
				n += 8
			}
			if n >= len(t) {
				return class
			}
			exact, _ := t[n].exact()
			if m[1] == "f" {
				data = fmt.Sprintf(` data-fg="%s %s"`, exact.on(lightGround), exact.on(darkGround))
			} else {
				data = fmt.Sprintf(` data-bg="%s %s"`, exact, exact.text())
			}
			return fmt.Sprintf("term-%sgx%d", m[1], t[n].entry())
		})
		return attribute + data
	})
}
