package html

import (
	"math"
	"strings"
)

// Sizes of charts, in points. Two of this width stand in a row on a desk, and
// one is readable on a telephone.
const (
	wide      = 440
	labelSize = 13
	tickMark  = 5
	// Room beyond the last tick for half of its label.
	beyond = 18
)

// tick is a labelled place on an axis.
type tick struct {
	at    float64
	label string
}

// axis is one direction of a chart in its own units.
type axis struct {
	low, high float64
	ticks     []tick
	label     string
	bare      bool // labels only: rows of names have neither line nor marks
}

// rows labels an axis of rows from top to bottom: the first is at n−1.
func rows(names []string) axis {
	a := axis{low: -0.6, high: float64(len(names)) - 0.4, bare: true}
	for i, s := range names {
		a.ticks = append(a.ticks, tick{float64(len(names) - 1 - i), s})
	}
	return a
}

// between places ticks at round numbers from low to high.
func between(low, high float64, label string) axis {
	step := math.Pow(10, math.Floor(math.Log10(high-low)))
	for _, f := range []float64{0.1, 0.2, 0.5, 1} {
		if (high-low)/(step*f) <= 6 {
			step *= f
			break
		}
	}
	a := axis{low: low, high: high, label: label}
	for k := math.Ceil(low/step - 1e-9); k*step <= high+1e-9 && len(a.ticks) < 20; k++ {
		a.ticks = append(a.ticks, tick{k * step, strings.Replace(figure(k*step), "-", "−", 1)})
	}
	return a
}

// widest is the room that the labels of an axis need.
func (a axis) widest() (w float64) {
	for _, t := range a.ticks {
		w = math.Max(w, widthOf(t.label, labelSize))
	}
	return w
}

// chart is a canvas with two axes; its shapes are drawn in their units, upwards.
type chart struct {
	canvas
	across, up               axis
	left, right, top, bottom float64 // of the area between the axes
	tall                     float64
}

// newChart leaves room for labels beside and below the area.
func newChart(across, up axis, tall float64) *chart {
	c := &chart{across: across, up: up, tall: tall, right: wide - beyond, top: 6, left: 4 + up.widest() + 6}
	if !up.bare {
		c.left += tickMark
	}
	if up.label != "" {
		c.left += labelSize + 4
	}
	c.left = math.Max(c.left, beyond)
	c.across.ticks = apart(c.across.ticks, func(at float64) float64 { return c.x(at) })
	c.bottom = tall - 2*labelSize - tickMark - 8
	return c
}

// apart leaves ticks out, evenly, until the labels of those that stay do not touch.
func apart(all []tick, x func(float64) float64) []tick {
	for every := 1; every < len(all); every++ {
		var kept []tick
		clear := true
		for i := 0; i < len(all); i += every {
			if n := len(kept); n > 0 {
				room := (widthOf(kept[n-1].label, labelSize) + widthOf(all[i].label, labelSize)) / 2
				clear = clear && x(all[i].at)-x(kept[n-1].at) >= room
			}
			kept = append(kept, all[i])
		}
		if clear {
			return kept
		}
	}
	return all[:min(1, len(all))]
}

// labelAt is where the middle of a label under the area stands, so that none of it is cut.
func (c *chart) labelAt(label string) float64 {
	half := widthOf(label, labelSize) / 2
	return math.Max(half, math.Min((c.left+c.right)/2, wide-half))
}

// x and y are places in points.
func (c *chart) x(v float64) float64 {
	return c.left + (c.right-c.left)*(v-c.across.low)/(c.across.high-c.across.low)
}

func (c *chart) y(v float64) float64 {
	return c.bottom - (c.bottom-c.top)*(v-c.up.low)/(c.up.high-c.up.low)
}

// box fills a rectangle in units of the axes.
func (c *chart) box(t tone, x0, x1, y0, y1 float64) {
	c.rect(t, c.x(x0), c.y(y0), c.x(x1), c.y(y1))
}

// stroke draws a line in units of the axes.
func (c *chart) stroke(t tone, width, x0, y0, x1, y1 float64) {
	c.line(t, width, c.x(x0), c.y(y0), c.x(x1), c.y(y1))
}

// point draws a diamond in units of the axes, size in points.
func (c *chart) point(t tone, x, y, size float64) { c.diamond(t, c.x(x), c.y(y), size) }

// curve draws a dashed line through f over the whole width.
func (c *chart) curve(t tone, width float64, f func(float64) float64) {
	const steps = 100
	points := make([][2]float64, steps+1)
	for i := range points {
		v := c.across.low + (c.across.high-c.across.low)*float64(i)/steps
		points[i] = [2]float64{c.x(v), c.y(f(v))}
	}
	c.path(t, width, points)
}

// axes draws both axes.
func (c *chart) axes() {
	for _, t := range c.across.ticks {
		c.line(soft, 0.7, c.x(t.at), c.bottom, c.x(t.at), c.bottom+tickMark)
		c.text(ink, labelSize, middle, c.x(t.at), c.bottom+tickMark+labelSize, t.label)
	}
	c.line(soft, 0.7, c.left, c.bottom, c.right, c.bottom)
	c.text(soft, labelSize, middle, c.labelAt(c.across.label), c.tall-5, c.across.label)
	edge := c.left - 6
	if !c.up.bare {
		c.line(soft, 0.7, c.left, c.top, c.left, c.bottom)
		edge -= tickMark
	}
	for _, t := range c.up.ticks {
		if !c.up.bare {
			c.line(soft, 0.7, c.left-tickMark, c.y(t.at), c.left, c.y(t.at))
		}
		c.text(ink, labelSize, end, edge, c.y(t.at)+0.35*labelSize, t.label)
	}
	if c.up.label != "" {
		c.turned(soft, labelSize, middle, labelSize, (c.top+c.bottom)/2, -90, c.up.label)
	}
}

// picture ends a drawing. title and words stand in for it where it is not seen.
func (c *chart) picture(title, words string) Picture {
	c.axes()
	return Picture{title, words, frame(wide, c.tall, title, words, c.b.String())}
}
