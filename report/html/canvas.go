package html

import (
	"fmt"
	"html"
	"strconv"
	"strings"
)

// tone is a colour of the page's style sheet, by the name of its class. The
// reader's light or dark setting decides what it looks like.
type tone string

// The tones.
const (
	ink   tone = "ink"   // text and axes
	soft  tone = "soft"  // lesser text
	paper tone = "paper" // text on dark shapes
	rule  tone = "rule"  // thin lines
	bar   tone = "bar"   // what was found
	none  tone = "none"  // what was not
	band  tone = "band"  // what chance shows
	mark  tone = "mark"  // the case among its controls
)

// anchor says which point of a text stands at its place.
type anchor string

// The anchors.
const (
	start  anchor = "start"
	middle anchor = "middle"
	end    anchor = "end"
)

// canvas writes plain SVG: shapes with classes, text as text, no style
// attribute, font or script. Places are in points from the upper left corner.
// The same drawing gives the same bytes.
type canvas struct{ b strings.Builder }

// rect fills a rectangle given by two opposite corners.
func (c *canvas) rect(t tone, x0, y0, x1, y1 float64) {
	x, y := min(x0, x1), min(y0, y1)
	fmt.Fprintf(&c.b, `<rect class="f-%s" x="%s" y="%s" width="%s" height="%s"/>`, t, figure(x), figure(y), figure(max(x0, x1)-x), figure(max(y0, y1)-y))
}

// line strokes a line.
func (c *canvas) line(t tone, width, x0, y0, x1, y1 float64) {
	fmt.Fprintf(&c.b, `<line class="s-%s" stroke-width="%s" x1="%s" y1="%s" x2="%s" y2="%s"/>`, t, figure(width), figure(x0), figure(y0), figure(x1), figure(y1))
}

// path strokes a path through points, dashed.
func (c *canvas) path(t tone, width float64, points [][2]float64) {
	var d strings.Builder
	for i, p := range points {
		d.WriteByte("ML"[min(i, 1)])
		d.WriteString(figure(p[0]) + " " + figure(p[1]))
	}
	fmt.Fprintf(&c.b, `<path class="s-%s" d="%s" stroke-width="%s" stroke-dasharray="5 3"/>`, t, d.String(), figure(width))
}

// diamond fills a diamond that reaches size to each side.
func (c *canvas) diamond(t tone, x, y, size float64) {
	fmt.Fprintf(&c.b, `<path class="f-%s" d="M%s %sL%s %sL%s %sL%s %sZ"/>`, t,
		figure(x-size), figure(y), figure(x), figure(y-size), figure(x+size), figure(y), figure(x), figure(y+size))
}

// text writes words on a base line at y.
func (c *canvas) text(t tone, size float64, a anchor, x, y float64, words string) {
	c.turned(t, size, a, x, y, 0, words)
}

// turned writes words that are turned clockwise by degrees about their place.
func (c *canvas) turned(t tone, size float64, a anchor, x, y, degrees float64, words string) {
	turn := ""
	if degrees != 0 {
		turn = fmt.Sprintf(` transform="rotate(%s %s %s)"`, figure(degrees), figure(x), figure(y))
	}
	fmt.Fprintf(&c.b, `<text class="f-%s" x="%s" y="%s" font-size="%s" text-anchor="%s"%s>%s</text>`,
		t, figure(x), figure(y), figure(size), a, turn, html.EscapeString(words))
}

// widthOf is about how wide a text is: no font of the reader's is known, so room
// is left for a wide one.
func widthOf(words string, size float64) float64 {
	w := 0.0
	for _, r := range words {
		if r < 0x1100 {
			w += 0.64
		} else {
			w++ // East Asian characters are as wide as high
		}
	}
	return w * size
}

// figure writes a coordinate in hundredths of a point: finer differences
// between the mathematical libraries of two machines do not show.
func figure(x float64) string {
	s := strconv.FormatFloat(x, 'f', 2, 64)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" || s == "" {
		return "0"
	}
	return s
}
