package html

import (
	"fmt"
	"html"
	"image"
	"image/color"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// tone is a colour of the page's style sheet, by the name of its class. The
// reader's light or dark setting decides what it looks like.
type tone string

// RGBA makes a tone a color.Color. Only its name reaches the page.
func (tone) RGBA() (r, g, b, a uint32) { return color.Black.RGBA() }

// The tones.
const (
	ink  tone = "ink"  // text and axes
	soft tone = "soft" // lesser text
	rule tone = "rule" // thin lines
	bar  tone = "bar"  // what was found
	none tone = "none" // what was not
	band tone = "band" // what chance shows
	mark tone = "mark" // the case among its controls
)

// canvas is a vg.Canvas that writes plain SVG: shapes with classes, text as
// text, no style attribute, font or script. The same drawing gives the same
// bytes.
type canvas struct {
	b     strings.Builder
	high  float64
	state state
	saved []state
}

// state is what Push saves.
type state struct {
	m     [6]float64 // x' = m0·x + m2·y + m4, y' = m1·x + m3·y + m5, upwards
	width vg.Length
	dash  []vg.Length
	tone  tone
}

func newCanvas(high vg.Length) *canvas {
	return &canvas{high: high.Points(), state: state{m: [6]float64{1, 0, 0, 1, 0, 0}, width: 1, tone: ink}}
}

func (c *canvas) SetLineWidth(w vg.Length)                  { c.state.width = w }
func (c *canvas) SetLineDash(dash []vg.Length, _ vg.Length) { c.state.dash = dash }

// SetColor takes a tone; other colours are drawn as ink.
func (c *canvas) SetColor(x color.Color) {
	t, ok := x.(tone)
	if !ok {
		t = ink
	}
	c.state.tone = t
}

func (c *canvas) Rotate(rad float64) {
	sin, cos := math.Sincos(rad)
	c.apply([6]float64{cos, sin, -sin, cos, 0, 0})
}

func (c *canvas) Translate(p vg.Point) {
	c.apply([6]float64{1, 0, 0, 1, p.X.Points(), p.Y.Points()})
}

func (c *canvas) Scale(x, y float64) { c.apply([6]float64{x, 0, 0, y, 0, 0}) }

// apply puts a transform before the present one.
func (c *canvas) apply(t [6]float64) {
	m := c.state.m
	c.state.m = [6]float64{
		m[0]*t[0] + m[2]*t[1], m[1]*t[0] + m[3]*t[1],
		m[0]*t[2] + m[2]*t[3], m[1]*t[2] + m[3]*t[3],
		m[0]*t[4] + m[2]*t[5] + m[4], m[1]*t[4] + m[3]*t[5] + m[5],
	}
}

func (c *canvas) Push() { c.saved = append(c.saved, c.state) }

func (c *canvas) Pop() {
	c.state = c.saved[len(c.saved)-1]
	c.saved = c.saved[:len(c.saved)-1]
}

func (c *canvas) Stroke(p vg.Path) {
	if c.state.width <= 0 {
		return
	}
	dash := ""
	if len(c.state.dash) > 0 {
		var parts []string
		for _, d := range c.state.dash {
			parts = append(parts, figure(d.Points()))
		}
		dash = fmt.Sprintf(` stroke-dasharray="%s"`, strings.Join(parts, " "))
	}
	fmt.Fprintf(&c.b, `<path class="s-%s" d="%s" stroke-width="%s"%s/>`, c.state.tone, c.path(p), figure(c.state.width.Points()), dash)
}

func (c *canvas) Fill(p vg.Path) {
	fmt.Fprintf(&c.b, `<path class="f-%s" d="%s"/>`, c.state.tone, c.path(p))
}

// FillString writes text as wide as the layout took it to be, whatever font
// the reader has.
func (c *canvas) FillString(f font.Face, p vg.Point, text string) {
	if strings.TrimSpace(text) == "" {
		return
	}
	x, y := c.at(p)
	turn := ""
	if angle := math.Atan2(c.state.m[1], c.state.m[0]); math.Abs(angle) > 1e-6 {
		turn = fmt.Sprintf(` transform="rotate(%s %s %s)"`, figure(-angle*180/math.Pi), x, y)
	}
	fmt.Fprintf(&c.b, `<text class="f-%s" x="%s" y="%s" font-size="%s" textLength="%s" lengthAdjust="spacingAndGlyphs"%s>%s</text>`,
		c.state.tone, x, y, figure(f.Font.Size.Points()), figure(f.Width(text).Points()), turn, html.EscapeString(text))
}

// DrawImage draws nothing: no picture here holds another.
func (c *canvas) DrawImage(vg.Rectangle, image.Image) {}

// at is a point of the page, which runs downwards.
func (c *canvas) at(p vg.Point) (x, y string) {
	m, px, py := c.state.m, p.X.Points(), p.Y.Points()
	return figure(m[0]*px + m[2]*py + m[4]), figure(c.high - (m[1]*px + m[3]*py + m[5]))
}

func (c *canvas) path(p vg.Path) string {
	var b strings.Builder
	for _, s := range p {
		x, y := c.at(s.Pos)
		switch s.Type {
		case vg.MoveComp:
			b.WriteString("M" + x + " " + y)
		case vg.LineComp:
			b.WriteString("L" + x + " " + y)
		case vg.ArcComp:
			c.arc(&b, s)
		case vg.CloseComp:
			b.WriteString("Z")
		}
	}
	return b.String()
}

// arc writes a full circle or a part of one as two arcs.
func (c *canvas) arc(b *strings.Builder, s vg.PathComp) {
	r := figure(s.Radius.Points() * math.Hypot(c.state.m[0], c.state.m[1]))
	end := func(angle float64) (string, string) {
		sin, cos := math.Sincos(angle)
		return c.at(vg.Point{X: s.Pos.X + s.Radius*vg.Length(cos), Y: s.Pos.Y + s.Radius*vg.Length(sin)})
	}
	sweep := 0
	if s.Angle < 0 {
		sweep = 1
	}
	x, y := end(s.Start)
	b.WriteString("M" + x + " " + y)
	for k := 1; k <= 2; k++ {
		x, y = end(s.Start + s.Angle*float64(k)/2)
		fmt.Fprintf(b, "A%s %s 0 0 %d %s %s", r, r, sweep, x, y)
	}
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
