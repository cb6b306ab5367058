package tokenfree

import (
	"math"

	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/similarity/mlp"
)

// directions are a block's rows brought to unit length, with what all units
// share taken out where units keep their sign.
type directions struct {
	units, dim int
	rows       [][]float32 // of each view, units × dim
	odd        []bool
	length     [][]float64 // of each view's rows before, by unit
	first      int         // views of the first group

	compass []float32 // direction that tells which way gates point, where their signs are free
}

// directionsOf brings a block's rows to unit length.
// Where gates may have been turned the signs of the first group are free too, by
// themselves.
func directionsOf(b *mlp.Block, turned bool) *directions {
	d := &directions{units: b.Units, dim: b.Hidden, first: len(b.First)}
	if turned {
		d.compass = b.Compass
	}
	for i, v := range b.Views() {
		odd := v.Equivariant || turned && i < d.first
		rows := append([]float32(nil), v.Rows...)
		d.length = append(d.length, normalise(rows, b.Units, b.Hidden))
		if !odd {
			centre(rows, b.Units, b.Hidden)
			normalise(rows, b.Units, b.Hidden)
		}
		d.rows, d.odd = append(d.rows, rows), append(d.odd, odd)
	}
	return d
}

// points is the sign of a unit's row in a view by the compass.
func (d *directions) points(v, u int) float32 {
	return dense.Dot(d.rows[v][u*d.dim:(u+1)*d.dim], d.compass)
}

// free tells whether the product of two views of a unit changes its sign.
func (d *directions) free(v, w int) bool {
	return d.odd[v] != d.odd[w] || d.compass != nil && d.odd[v] && (v < d.first) != (w < d.first)
}

// onto expresses the rows in an orthonormal basis (k × dim), nil for their own,
// and brings them to unit length again.
func (d *directions) onto(basis []float32, k int) *directions {
	if basis == nil {
		return d
	}
	out := &directions{units: d.units, dim: k, odd: d.odd, length: d.length, first: d.first}
	if d.compass != nil {
		out.compass = make([]float32, k)
		dense.MulNT(out.compass, d.compass, basis, 1, k, d.dim)
	}
	for _, rows := range d.rows {
		r := make([]float32, d.units*k)
		dense.MulNT(r, rows, basis, d.units, k, d.dim)
		normalise(r, d.units, k)
		out.rows = append(out.rows, r)
	}
	return out
}

// only keeps some of the units.
func (d *directions) only(units []int) *directions {
	out := &directions{units: len(units), dim: d.dim, odd: d.odd, first: d.first, compass: d.compass}
	for v, rows := range d.rows {
		r := make([]float32, 0, len(units)*d.dim)
		length := make([]float64, 0, len(units))
		for _, u := range units {
			r = append(r, rows[u*d.dim:(u+1)*d.dim]...)
			length = append(length, d.length[v][u])
		}
		out.rows, out.length = append(out.rows, r), append(out.length, length)
	}
	return out
}

// normalise brings rows to unit length and returns the lengths they had. Rows
// that are zero or not finite become zero, of length zero.
func normalise(rows []float32, n, d int) []float64 {
	return normaliseInto(make([]float64, n), rows, n, d)
}

// normaliseInto is the same, with room for the lengths.
func normaliseInto(out []float64, rows []float32, n, d int) []float64 {
	dense.NormsInto(out, rows, n, d)
	for i, size := range out {
		row := rows[i*d : (i+1)*d]
		if !(size > 0) || math.IsInf(size, 0) {
			clear(row)
			out[i] = 0
			continue
		}
		dense.Shift(row, 0, size)
	}
	return out
}

// centre takes the mean row from all rows that are not zero.
func centre(rows []float32, n, d int) {
	mean := make([]float64, d)
	live := 0
	for i := range n {
		row := rows[i*d : (i+1)*d]
		if zero(row) {
			continue
		}
		live++
		dense.AddTo(mean, row)
	}
	if live < 2 {
		return
	}
	for k := range mean {
		mean[k] /= float64(live)
	}
	for i := range n {
		if row := rows[i*d : (i+1)*d]; !zero(row) {
			for k, v := range row {
				row[k] = float32(float64(v) - mean[k])
			}
		}
	}
}

func zero(row []float32) bool {
	for _, v := range row {
		if v != 0 {
			return false
		}
	}
	return true
}

// live counts units that are zero in no view.
func (d *directions) live() int {
	n := 0
	for u := range d.units {
		ok := true
		for _, length := range d.length {
			ok = ok && length[u] > 0
		}
		if ok {
			n++
		}
	}
	return n
}
