package delta

import "github.com/weightprint/weightprint/formats/roles"

// mirror holds of a square matrix the values where rows that are read meet columns of the
// same numbers: on both sides of the diagonal, however few rows there are.
type mirror struct {
	rows   []int
	values []float32 // len(rows) × len(rows), as far as rows were added
	cols   int
}

// mostMirrored is how many rows are looked at; of a symmetric matrix these show thousands of
// equal values, and of another one hardly any.
const mostMirrored = 64

// newMirror is for the given rows of a matrix, in their order; nil where it is not square.
func newMirror(m *roles.Matrix, rows []int) *mirror {
	if m.Rows != m.Cols {
		return nil
	}
	return &mirror{rows: rows[:min(len(rows), mostMirrored)], cols: m.Cols}
}

// add takes whole rows, the next ones.
func (m *mirror) add(values []float32) {
	if m == nil {
		return
	}
	for ; len(values) > 0 && len(m.values) < len(m.rows)*len(m.rows); values = values[m.cols:] {
		for _, k := range m.rows {
			m.values = append(m.values, values[k])
		}
	}
}

// symmetric tells whether there are values on both sides of the diagonal, not all zero, and
// each is the other's.
func (m *mirror) symmetric() bool {
	if m == nil {
		return false
	}
	met, n := false, len(m.rows)
	for i := range n {
		for k := range i {
			x, y := m.values[i*n+k], m.values[k*n+i]
			if x != y {
				return false
			}
			met = met || x != 0
		}
	}
	return met
}
