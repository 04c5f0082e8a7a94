package webui

import (
	"strconv"
	"strings"
)

// An sgr is a style as the sequences ESC [ … m have left it. Colours are
// entries of the 256 colour palette, so that the stylesheet can give each a tone
// that reads well in either theme, or true colours (see trueColors).
type sgr struct {
	fg, bg                                           color
	bold, faint, italic, underline, strike, inverted bool
}

// A color is an entry of the palette plus 1, or trueColor and 8 bits each of red,
// green and blue; 0 is the default.
type color int32

const trueColor color = 1 << 24

// exact returns a true colour, and whether c is one.
func (c color) exact() (rgb, bool) {
	return rgb{uint8(c >> 16), uint8(c >> 8), uint8(c)}, c&trueColor != 0
}

// entry returns the entry of the palette that is nearest to c, which is not the
// default.
func (c color) entry() int {
	if exact, ok := c.exact(); ok {
		return nearestColor(exact)
	}
	return int(c - 1)
}

// inverseGround is the ground of inverted text in the default colour.
const inverseGround color = 7 + 1

// apply changes the style as the parameters of one sequence say.
func (s *sgr) apply(params string) {
	fields := strings.Split(params, ";")
	for i := 0; i < len(fields); i++ {
		code, sub, hasSub := strings.Cut(fields[i], ":")
		n, err := strconv.Atoi(code)
		if err != nil && code != "" {
			continue
		}
		if n == 38 || n == 48 {
			var c color
			if hasSub {
				c = colorOf(withoutSpace(strings.Split(sub, ":")))
			} else {
				var used int
				c, used = extended(fields[i+1:])
				i += used
			}
			s.setColor(n == 38, c)
			continue
		}
		s.set(n, sub)
	}
}

// set applies a code that stands for itself.
func (s *sgr) set(n int, sub string) {
	switch {
	case n == 0:
		*s = sgr{}
	case n == 1:
		s.bold, s.faint = true, false
	case n == 2:
		s.bold, s.faint = false, true
	case n == 3, n == 23:
		s.italic = n == 3
	case n == 4:
		s.underline = sub != "0"
	case n == 24:
		s.underline = false
	case n == 7, n == 27:
		s.inverted = n == 7
	case n == 9, n == 29:
		s.strike = n == 9
	case n == 21, n == 22:
		s.bold, s.faint = false, false
	case n >= 30 && n <= 37:
		s.fg = color(n - 30 + 1)
	case n == 39:
		s.fg = 0
	case n >= 40 && n <= 47:
		s.bg = color(n - 40 + 1)
	case n == 49:
		s.bg = 0
	case n >= 90 && n <= 97:
		s.fg = color(n - 90 + 8 + 1)
	case n >= 100 && n <= 107:
		s.bg = color(n - 100 + 8 + 1)
	}
}

func (s *sgr) setColor(foreground bool, c color) {
	switch {
	case c == 0:
	case foreground:
		s.fg = c
	default:
		s.bg = c
	}
}

// extended reads what follows 38 or 48 where it stands in fields of its own,
// and returns how many of them it used.
func extended(fields []string) (c color, used int) {
	n := 0
	switch {
	case len(fields) > 0 && fields[0] == "5":
		n = 2
	case len(fields) > 0 && fields[0] == "2":
		n = 4
	}
	if n == 0 {
		return 0, min(1, len(fields))
	}
	if n > len(fields) {
		return 0, len(fields)
	}
	return colorOf(fields[:n]), n
}

// withoutSpace drops the colour space from "2:space:r:g:b".
func withoutSpace(fields []string) []string {
	if len(fields) >= 5 && fields[0] == "2" {
		return append([]string{"2"}, fields[2:5]...)
	}
	return fields
}

// colorOf returns the color for "5 n" or "2 r g b", the default for anything else.
func colorOf(fields []string) color {
	var v [4]int
	if len(fields) < 2 || len(fields) > len(v) {
		return 0
	}
	for i, f := range fields {
		n, err := strconv.Atoi(f)
		if err != nil || n < 0 || n > 255 {
			return 0
		}
		v[i] = n
	}
	switch {
	case v[0] == 5 && len(fields) == 2:
		return color(v[1] + 1)
	case v[0] == 2 && len(fields) == 4:
		return trueColor | color(v[1]<<16|v[2]<<8|v[3])
	default:
		return 0
	}
}

// sequence returns the one sequence that sets the whole style. On a coloured
// ground the text's own colour is left out: the stylesheet then takes black or
// white, whichever reads better.
func (s sgr) sequence(colors *trueColors) string {
	fg, bg := s.fg, s.bg
	if s.inverted {
		if fg, bg = bg, fg; bg == 0 {
			bg = inverseGround
		}
	}
	b := []byte("\x1b[0")
	for _, f := range []struct {
		on   bool
		code string
	}{{s.bold, ";1"}, {s.faint, ";2"}, {s.italic, ";3"}, {s.underline, ";4"}, {s.strike, ";9"}} {
		if f.on {
			b = append(b, f.code...)
		}
	}
	if bg > 0 {
		b = colors.appendCode(b, bg, 48)
	} else if fg > 0 {
		b = colors.appendCode(b, fg, 38)
	}
	return string(append(b, 'm'))
}
