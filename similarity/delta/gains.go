package delta

import (
	"math"

	"github.com/weightprint/weightprint/similarity/stats"
)

// Gains says how the gains of the norm before a matrix agree, wherever each
// side keeps them: Correlation[0] is that of A's stored gains, around their
// mean, with B's as they act on A's columns, that is, B's stored gains times the
// size of B's columns in units of A's. A gain that B's maker moved into its
// column, or multiplied and took from it, comes out as it was. Correlation[1] is
// the reverse. N is how many gains that rests on, 0 where it could not be told.
type Gains struct {
	Correlation [2]float64
	N           [2]int
}

// columns sums up products of values column by column, to see the gains that
// were moved into a matrix.
type columns struct{ aa, bb, ab []float64 }

func newColumns(cols int) *columns {
	return &columns{make([]float64, cols), make([]float64, cols), make([]float64, cols)}
}

func (s *columns) add(a, b []float32) {
	cols := len(s.aa)
	if cols == 0 {
		return
	}
	for first := 0; first < len(a); first += cols {
		ra, rb := a[first:first+cols], b[first:first+cols]
		aa, bb, ab := s.aa[:len(ra)], s.bb[:len(ra)], s.ab[:len(ra)]
		for c, v := range ra {
			x, y := float64(v), float64(rb[c])
			aa[c] += float64(x * x)
			bb[c] += float64(y * y)
			ab[c] += float64(x * y)
		}
	}
}

// gains sums up. Nothing can be told where columns are too little alike, or
// gains do not vary.
func (s *columns) gains(stored [2][]float32) (g Gains) {
	const alike = 0.1
	var aa, bb, ab float64
	for k := range s.aa {
		aa, bb, ab = aa+s.aa[k], bb+s.bb[k], ab+s.ab[k]
	}
	if !(ab > alike*math.Sqrt(aa*bb)) {
		return g
	}
	for side, own := range [][]float64{s.aa, s.bb} {
		x, acting := make([]float64, len(own)), make([]float64, len(own))
		for k := range own {
			x[k] = float64(stored[side][k])
			acting[k] = float64(stored[1-side][k]) * s.ab[k] / math.Max(own[k], 1e-30)
		}
		if c, ok := stats.Correlation(x, acting); ok {
			g.Correlation[side], g.N[side] = c, len(own)
		}
	}
	return g
}
