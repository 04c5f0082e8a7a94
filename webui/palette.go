package webui

import (
	"bytes"
	"fmt"
	"math"
)

type rgb struct{ r, g, b uint8 }

func (c rgb) String() string { return fmt.Sprintf("#%02x%02x%02x", c.r, c.g, c.b) }

// The grounds on which logs stand, as static/style.css has them in --log.
var (
	lightGround = rgb{0xff, 0xff, 0xff}
	darkGround  = rgb{0x10, 0x14, 0x19}
)

// readable is the contrast that text of every colour has with its ground: what
// WCAG AA asks for, and a little for rounding.
const readable = 4.6

// The first 16 colours, which terminals choose as they like.
var basicColors = [16]rgb{
	{0x3b, 0x42, 0x4c}, {0xc9, 0x2a, 0x2a}, {0x2b, 0x8a, 0x3e}, {0xb3, 0x7a, 0x00},
	{0x1c, 0x6d, 0xd0}, {0x9c, 0x36, 0xb5}, {0x0b, 0x82, 0x93}, {0xb8, 0xc0, 0xc8},
	{0x7a, 0x83, 0x8f}, {0xf0, 0x52, 0x52}, {0x40, 0xb8, 0x5a}, {0xe0, 0xa3, 0x1a},
	{0x4d, 0x94, 0xf0}, {0xc0, 0x6a, 0xdb}, {0x2a, 0xb0, 0xc4}, {0xf2, 0xf4, 0xf7},
}

// paletteColor returns an entry of the 256 colour palette: 16 basic colours, a
// cube of 6×6×6, and 24 greys.
func paletteColor(n int) rgb {
	switch {
	case n < 16:
		return basicColors[n]
	case n < 232:
		level := func(i int) uint8 {
			if i == 0 {
				return 0
			}
			return uint8(55 + 40*i)
		}
		n -= 16
		return rgb{level(n / 36), level(n / 6 % 6), level(n % 6)}
	default:
		v := uint8(8 + 10*(n-232))
		return rgb{v, v, v}
	}
}

// nearestColor returns the entry of the cube or the greys nearest to c.
func nearestColor(c rgb) int {
	best, at := math.MaxInt, 16
	for n := 16; n < 256; n++ {
		p := paletteColor(n)
		dr, dg, db := int(p.r)-int(c.r), int(p.g)-int(c.g), int(p.b)-int(c.b)
		if d := dr*dr + dg*dg + db*db; d < best {
			best, at = d, n
		}
	}
	return at
}

// luminance and contrast are those of WCAG.
func (c rgb) luminance() float64 {
	linear := func(v uint8) float64 {
		f := float64(v) / 255
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.r) + 0.7152*linear(c.g) + 0.0722*linear(c.b)
}

func contrast(a, b rgb) float64 {
	l, m := a.luminance(), b.luminance()
	return (math.Max(l, m) + 0.05) / (math.Min(l, m) + 0.05)
}

// on returns c, made darker or lighter until it can be read on ground.
func (c rgb) on(ground rgb) rgb {
	to := rgb{0xff, 0xff, 0xff}
	if ground.luminance() > 0.5 {
		to = rgb{}
	}
	for share := 0.0; share < 1; share += 0.02 {
		if m := c.mix(to, share); contrast(m, ground) >= readable {
			return m
		}
	}
	return to
}

func (c rgb) mix(to rgb, share float64) rgb {
	part := func(a, b uint8) uint8 { return uint8(math.Round(float64(a)*(1-share) + float64(b)*share)) }
	return rgb{part(c.r, to.r), part(c.g, to.g), part(c.b, to.b)}
}

// text returns black or white, whichever reads better on c.
func (c rgb) text() rgb {
	black, white := rgb{}, rgb{0xff, 0xff, 0xff}
	if contrast(white, c) > contrast(black, c) {
		return white
	}
	return black
}

// terminalCSS returns the rules for the classes that the terminal makes.
func terminalCSS() []byte {
	var b bytes.Buffer
	for n := range 256 {
		c := paletteColor(n)
		fmt.Fprintf(&b, ".term-fgx%d{color:light-dark(%s,%s)}\n", n, c.on(lightGround), c.on(darkGround))
		fmt.Fprintf(&b, ".term-bgx%d{background:%s;color:%s}\n", n, c, c.text())
	}
	return b.Bytes()
}
