package html

import (
	"fmt"
	"image/color"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

type colour = color.Color

// dashes is the pattern of lines that show what is expected.
var dashes = []vg.Length{5, 3}

// counts writes the number of every cell of a heat map into it.
func (d pen) counts(g grid) {
	for b := range g.B {
		for a := range g.A {
			t := ink
			if float64(g.Counts[b][a]) > 0.55*g.most {
				t = "paper"
			}
			style := draw.TextStyle{Color: t, Font: font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, 11), XAlign: draw.XCenter, YAlign: draw.YCenter, Handler: text.Plain{Fonts: font.DefaultCache}}
			d.c.FillText(style, vg.Point{X: d.x(float64(a)), Y: d.y(float64(len(g.B) - 1 - b))}, fmt.Sprint(g.Counts[b][a]))
		}
	}
}
