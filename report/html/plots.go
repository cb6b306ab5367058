package html

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"
	"unicode"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/weightprint/weightprint/internal/escape"
)

// wide is the width of pictures in points; with it they stand two in a row on
// a desk and are readable on a telephone.
const wide = 440

// newPlot is an empty plot in the page's tones.
func newPlot(x string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.X.Label.Text = x
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Color, a.Label.TextStyle.Color, a.Tick.Color, a.Tick.Label.Color = soft, soft, soft, ink
		a.LineStyle.Color, a.Tick.LineStyle.Color = soft, soft
		a.Label.TextStyle.Font.Size, a.Tick.Label.Font.Size = 13, 13
		a.Label.TextStyle.Font.Variant, a.Tick.Label.Font.Variant = "Sans", "Sans"
		a.LineStyle.Width, a.Tick.LineStyle.Width = 0.7, 0.7
	}
	return p
}

// picture draws a plot. title and words stand in for it where it is not seen.
func picture(p *plot.Plot, high float64, title, words string) template.HTML {
	c := newCanvas(vg.Length(high))
	d := draw.NewCanvas(sized{c, wide, vg.Length(high)}, wide, vg.Length(high))
	// Room for half a label that reaches beyond the last tick.
	p.Draw(draw.Crop(d, 2, -14, 2, -4))
	return frame(wide, high, title, words, c.b.String())
}

// sized gives a canvas its size.
type sized struct {
	*canvas
	w, h vg.Length
}

func (s sized) Size() (w, h vg.Length) { return s.w, s.h }

// frame puts drawn shapes into an svg element with a title and a description.
func frame(w, h float64, title, words, shapes string) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %s %s" width="%s" height="%s" role="img" aria-label="%s"><title>%s</title><desc>%s</desc>%s</svg>`,
		figure(w), figure(h), figure(w), figure(h), html.EscapeString(title), html.EscapeString(title), html.EscapeString(words), shapes))
}

// short is a name that fits into a picture.
func short(s string, n int) string {
	r := []rune(escape.Printable(s[:min(len(s), 4*n+8)]))
	for i, c := range r {
		if !unicode.IsGraphic(c) {
			r[i] = '?'
		}
	}
	if len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return string(r)
}

// rows labels an axis of rows from top to bottom: the first is at n−1.
func rows(a *plot.Axis, names []string) {
	var ticks plot.ConstantTicks
	for i, s := range names {
		ticks = append(ticks, plot.Tick{Value: float64(len(names) - 1 - i), Label: s})
	}
	a.Tick.Marker = ticks
	a.Tick.Length = 0
	a.LineStyle.Width = 0
	a.Min, a.Max = -0.6, float64(len(names))-0.4
}

// between places ticks at round numbers from min to max.
func between(a *plot.Axis, low, high float64) {
	a.Min, a.Max = low, high
	step := math.Pow(10, math.Floor(math.Log10(high-low)))
	for _, f := range []float64{0.1, 0.2, 0.5, 1} {
		if (high-low)/(step*f) <= 6 {
			step *= f
			break
		}
	}
	var ticks plot.ConstantTicks
	for k := math.Ceil(low/step - 1e-9); k*step <= high+1e-9 && len(ticks) < 20; k++ {
		ticks = append(ticks, plot.Tick{Value: k * step, Label: strings.Replace(figure(k*step), "-", "−", 1)})
	}
	a.Tick.Marker = ticks
}

// clamp keeps figures of a report that was not made here from bursting a
// picture.
func clamp(x, low, high float64) float64 {
	if math.IsNaN(x) {
		return low
	}
	return math.Max(low, math.Min(high, x))
}

// shape draws with the scales of a plot.
type shape func(d pen)

// pen fills and strokes in the plot's own units.
type pen struct {
	c    draw.Canvas
	x, y func(float64) vg.Length
}

// Plot makes a shape a plot.Plotter.
func (s shape) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	s(pen{c, x, y})
}

// rect fills a rectangle.
func (d pen) rect(t tone, x0, x1, y0, y1 float64) {
	l, r, b, u := d.x(x0), d.x(x1), d.y(y0), d.y(y1)
	d.c.FillPolygon(t, []vg.Point{{X: l, Y: b}, {X: r, Y: b}, {X: r, Y: u}, {X: l, Y: u}})
}

// line strokes a line.
func (d pen) line(t tone, width vg.Length, x0, y0, x1, y1 float64) {
	d.c.StrokeLine2(draw.LineStyle{Color: t, Width: width}, d.x(x0), d.y(y0), d.x(x1), d.y(y1))
}

// diamond fills a small diamond.
func (d pen) diamond(t tone, x, y float64, size vg.Length) {
	cx, cy := d.x(x), d.y(y)
	d.c.FillPolygon(t, []vg.Point{{X: cx - size, Y: cy}, {X: cx, Y: cy - size}, {X: cx + size, Y: cy}, {X: cx, Y: cy + size}})
}
