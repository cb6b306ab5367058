package html

import (
	"fmt"

	"github.com/weightprint/weightprint/report"
)

// heats are the steps of a heat map, from nothing to everything.
const heats = 10

// solid is the first step that is dark enough for light text.
const solid = 6

// heat is the step of a share between 0 and 1.
func heat(share float64) int { return min(int(share*heats), heats-1) }

// cells draws layer scores, layer 0 of B at the top, and the number of every
// cell into it where numbers is set.
func (c *chart) cells(s *report.LayerScores, numbers bool) {
	most := float64(s.Units)
	for b := range s.B {
		for a := range s.A {
			x, y, n := float64(a), float64(len(s.B)-1-b), s.Counts[b][a]
			step := heat(clamp(float64(n), 0, most) / most)
			c.box(tone(fmt.Sprintf("h%d", step)), x-0.5, x+0.5, y-0.5, y+0.5)
			if !numbers {
				continue
			}
			t := ink
			if step >= solid {
				t = paper
			}
			c.text(t, 11, middle, c.x(x), c.y(y)+4, fmt.Sprint(n))
		}
	}
}
