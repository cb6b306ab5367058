package faithful

import (
	"slices"

	"github.com/weightprint/weightprint/internal/quant"
)

// ternarySearch serves the types of three levels: whatever the importance, the
// levels of a run follow its values in their order, two places dividing them, and
// eight of them are a point or take one of those nearest. A negative scale turns
// the order round. Which places, which direction and which scale, importance decides.
func ternarySearch(name string) search {
	runs := quant.TernaryRuns[name]
	return func(x, _ []float32, block []byte) (f fault) {
		for _, r := range runs(block) {
			if !finite(r.Scale) {
				f.worse(r.Start, 1, noNumber)
				continue
			}
			if r.Scale == 0 {
				continue
			}
			if at := splitFault(x[r.Start:][:8*len(r.Index)], r.Index); at >= 0 {
				f.worse(r.Start+8*at, 1, "the points are none that any split of the sorted values gives")
			}
		}
		return f
	}
}

// splitFault tells whether no split of a run's sorted values leads to its points: it
// gives the first point that fails where most of them fit, −1 where all do.
func splitFault(x []float32, index []int) int {
	order := quant.ByValue(x)
	most, failed := -1, 0
	for turned := range 2 {
		fits := make([]func(a, b int) bool, len(index))
		for k, at := range index {
			fits[k] = pointSplits(order, k, at, turned == 1)
		}
		for a := range len(x) + 1 {
			for b := a; b <= len(x); b++ {
				n, first := 0, -1
				for k, fit := range fits {
					if fit(a, b) {
						n++
					} else if first < 0 {
						first = k
					}
				}
				if first < 0 {
					return -1
				}
				if n > most {
					most, failed = n, first
				}
			}
		}
	}
	return failed
}

// pointSplits tells of which splits of the whole run point number k can be what its
// eight values lead to. A split matters by how many of the eight lie below it.
func pointSplits(order []int, k, index int, turned bool) func(a, b int) bool {
	below := make([]int, len(order)+1) // of the eight, among the first so many in order
	var mine []int
	for n, i := range order {
		below[n+1] = below[n]
		if i/8 == k {
			below[n+1]++
			mine = append(mine, i%8)
		}
	}
	var known, fits [9][9]bool
	return func(a, b int) bool {
		a, b = below[a], below[b]
		if !known[a][b] {
			known[a][b] = true
			l := make([]int, 8)
			for n, i := range mine {
				if n >= a {
					l[i]++
				}
				if n >= b {
					l[i]++
				}
				if turned {
					l[i] = 2 - l[i]
				}
			}
			fits[a][b] = slices.Contains(quant.TernaryNear(l), uint16(index))
		}
		return fits[a][b]
	}
}
