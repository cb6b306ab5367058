package axis

import (
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/linalg"
)

// strongest is how many times as long as the median one a principal direction
// of spectrum-flattened tokens may be.
const strongest = 2.0

// flattened are the tokens of both sides with their strongest principal directions
// cut back, each side by its own values. Where an embedding is tied to the head,
// a few directions, such as how frequent a token is, can outweigh all others;
// every unit then responds in much the same way. A rotation of the residual
// stream turns the directions with the tokens, so it still does not alter
// responses.
func (x *Anchor) flattened() (*Anchor, error) {
	if x.flat != nil {
		return x.flat, nil
	}
	e := &Anchor{da: x.da, db: x.db, n: x.n}
	var err error
	if e.a, err = cutBack(x.a, x.n, x.da); err != nil {
		return nil, err
	}
	if e.b, err = cutBack(x.b, x.n, x.db); err != nil {
		return nil, err
	}
	x.flat = e
	return e, nil
}

// flatRows is how many tokens are enough to know the strongest directions.
const flatRows = 256

// cutBack shortens the principal directions of n rows that are longer than
// strongest times the median one to that length.
func cutBack(rows []float32, n, d int) ([]float32, error) {
	m := min(n, flatRows)
	find := byRows
	if d < m {
		find = byColumns
	}
	lengths, directions, err := find(rows[:m*d], m, d)
	if err != nil {
		return nil, err
	}
	used := min(m-1, d) // centred rows have hardly more directions
	limit := strongest * lengths[used/2]
	out := slices.Clone(rows)
	for i := 0; i < used && limit > 0 && lengths[i] > limit; i++ {
		shorten(out, d, directions(i), 1-limit/lengths[i])
	}
	return out, nil
}

// byRows finds the principal directions of n rows, longest first, from the
// products of the rows.
func byRows(rows []float32, n, d int) (lengths []float64, direction func(i int) []float64, err error) {
	g := make([]float32, n*n)
	dense.Gram(g, rows, n, d)
	wide := make([]float64, len(g))
	for i, v := range g {
		wide[i] = float64(v)
	}
	values, vectors, err := linalg.SymEigen(wide, n) // ascending, in columns
	if err != nil {
		return nil, nil, err
	}
	lengths = roots(values)
	return lengths, func(i int) []float64 {
		out := make([]float64, d)
		for r := range n {
			u := vectors[r*n+n-1-i] / lengths[i]
			for k, v := range rows[r*d : (r+1)*d] {
				out[k] += float64(u * float64(v))
			}
		}
		return out
	}, nil
}

// byColumns finds them from the products of the columns.
func byColumns(rows []float32, n, d int) (lengths []float64, direction func(i int) []float64, err error) {
	g := make([]float64, d*d)
	for first := 0; first < n*d; first += d {
		row := rows[first : first+d]
		for i, v := range row {
			for j, w := range row[:i+1] {
				g[i*d+j] += float64(float64(v) * float64(w))
			}
		}
	}
	for i := range d {
		for j := range i {
			g[j*d+i] = g[i*d+j]
		}
	}
	values, vectors, err := linalg.SymEigen(g, d)
	if err != nil {
		return nil, nil, err
	}
	return roots(values), func(i int) []float64 {
		out := make([]float64, d)
		for k := range d {
			out[k] = vectors[k*d+d-1-i]
		}
		return out
	}, nil
}

// roots are the square roots of ascending values, descending.
func roots(values []float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[len(values)-1-i] = math.Sqrt(max(0, v))
	}
	return out
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
