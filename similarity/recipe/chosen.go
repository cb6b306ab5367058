package recipe

import "math"

// Where entries of task vectors were dropped by a rule that was not found, values are a
// parent's exactly, where the mixture lies elsewhere. Training and other parents leave
// values there too, but no more of them than on the numbers beside it.

// Limits of what counts as chosen.
const (
	chosenApart = 4.0 // steps between a parent's value and the mixture, from which on the value tells
	chosenShare = 0.1 // of the values that tell
	chosenSpike = 3.0 // times as many as on either neighbouring number
)

// chosen tells whether entries were taken from one parent by a rule that was not found.
func (f *fitting) chosen(e *explanation) bool {
	for k := range f.n {
		at, beside, told := 0.0, 0.0, 0.0
		for i, t := range f.all {
			if t.vector || t.component == "embeddings" || t.x[k] == nil {
				continue
			}
			p, s := e.predict(i), storageOf(t.dtype)
			for j, y := range t.y {
				b := t.x[k][j]
				if s.round != nil {
					b = s.round(b) // as the child stores it
				}
				step := s.step(b)
				if p == nil || math.Abs(p[j]-float64(b)) < chosenApart*step {
					continue
				}
				told++
				switch off := math.Abs(float64(y)-float64(b)) / step; {
				case off == 0:
					at++
				case off <= 1:
					beside += 0.5
				}
			}
		}
		if at > 0 && at >= chosenShare*told && at >= chosenSpike*beside {
			return true
		}
	}
	return false
}
