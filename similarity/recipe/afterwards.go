package recipe

import (
	"math"
	"slices"
)

const (
	// leastZeros is the share of values that are zero in the child alone from which it was
	// pruned. By decision, as the kind of a comparison.
	leastZeros = 0.05
	// latticeRun is how many neighbours are looked at together, and latticeValues how many
	// different values they may have to lie on a lattice of four bits. Of so many numbers
	// of a trained network nearly all differ.
	latticeRun, latticeValues = 32, 16
	// latticeShare is the share of runs, and of values within half a step of the lattice,
	// that must be so. By decision.
	latticeShare = 0.95
)

// madeCoarser tells whether what the mixture leaves is what pruning, or rounding to a
// lattice, makes of it: no training then has to explain it.
func (f *fitting) madeCoarser(e *explanation) (After, bool) {
	var zeroed, kept, off, runs, coarse, values, near int
	for i, t := range f.all {
		if t.vector || t.component == "embeddings" || !t.has(f.use) {
			continue
		}
		p, s := e.predict(i), storageOf(t.dtype)
		for j, y := range t.y {
			switch {
			case y != 0:
				if kept++; !(math.Abs(float64(y)-p[j]) <= (0.5+s.slack)*s.step(y)+single*math.Abs(p[j])) {
					off++
				}
			case math.Abs(p[j]) > s.step(0):
				zeroed++
			}
		}
		for at := 0; at+latticeRun <= len(t.y); at += latticeRun {
			runs++
			levels := slices.Clone(t.y[at : at+latticeRun])
			slices.Sort(levels)
			if levels = slices.Compact(levels); len(levels) > latticeValues || len(levels) < 3 {
				continue
			}
			coarse++
			half := smallestGap(levels)/2 + float64(s.step(slices.Max(levels)))
			for k := at; k < at+latticeRun; k++ {
				values++
				if math.Abs(float64(t.y[k])-p[k]) <= half {
					near++
				}
			}
		}
	}
	switch {
	case float64(zeroed) >= leastZeros*float64(zeroed+kept) && float64(off) <= mostOff*float64(kept):
		return Thinned, true
	case float64(coarse) >= latticeShare*float64(runs) && runs > 0 && float64(near) >= latticeShare*float64(values):
		return Coarsened, true
	}
	return "", false
}

// smallestGap is the distance of the two nearest of sorted numbers.
func smallestGap(x []float32) float64 {
	gap := math.Inf(1)
	for i := range x[1:] {
		gap = math.Min(gap, float64(x[i+1])-float64(x[i]))
	}
	return gap
}
