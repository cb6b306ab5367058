package similarity

import (
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/linalg"
)

// strongest is how many times as long as the median one a principal direction
// of evened tokens may be.
const strongest = 2.0

// evened are the tokens of both sides with their strongest principal directions
// cut back, each side by its own values. Where an embedding is tied to the head,
// a few directions, such as how frequent a token is, can outweigh all others;
// every unit then responds in much the same way. A rotation of the residual
// stream turns the directions with the tokens, so it still does not alter
// responses.
func (x *anchor) evened() (*anchor, error) {
	if x.even != nil {
		return x.even, nil
	}
	e := &anchor{da: x.da, db: x.db, n: x.n}
	var err error
	if e.a, err = cutBack(x.a, x.n, x.da); err != nil {
		return nil, err
	}
	if e.b, err = cutBack(x.b, x.n, x.db); err != nil {
		return nil, err
	}
	x.even = e
	return e, nil
}

// evenRows is how many tokens are enough to know the strongest directions.
const evenRows = 256

// cutBack shortens the principal directions of n rows that are longer than
// strongest times the median one to that length.
func cutBack(rows []float32, n, d int) ([]float32, error) {
	m := min(n, evenRows)
	g := make([]float32, m*m)
	dense.Gram(g, rows[:m*d], m, d)
	wide := make([]float64, len(g))
	for i, v := range g {
		wide[i] = float64(v)
	}
	values, vectors, err := linalg.SymEigen(wide, m) // ascending, in columns
	if err != nil {
		return nil, err
	}
	used := min(m-1, d) // centred rows have hardly more directions
	limit := strongest * math.Sqrt(max(0, values[m-1-used/2]))
	out := slices.Clone(rows)
	for i := m - 1; i >= 0 && limit > 0 && values[i] > limit*limit; i-- {
		direction := make([]float64, d)
		for r := range m {
			u := vectors[r*m+i] / math.Sqrt(values[i])
			for k, v := range rows[r*d : (r+1)*d] {
				direction[k] += float64(u * float64(v))
			}
		}
		shorten(out, d, direction, 1-limit/math.Sqrt(values[i]))
	}
	return out, nil
}

// shorten takes a share of what lies along a direction from every row.
func shorten(rows []float32, d int, direction []float64, share float64) {
	for first := 0; first < len(rows); first += d {
		row := rows[first : first+d]
		along := 0.0
		for k, v := range direction {
			along += float64(v * float64(row[k]))
		}
		along *= share
		for k, v := range direction {
			row[k] = float32(float64(row[k]) - float64(along*v))
		}
	}
}
