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
}

// directionsOf brings a block's rows to unit length.
func directionsOf(b *mlp.Block) *directions {
	d := &directions{units: b.Units, dim: b.Hidden, first: len(b.First)}
	for _, v := range b.Views() {
		rows := append([]float32(nil), v.Rows...)
		d.length = append(d.length, normalise(rows, b.Units, b.Hidden))
		if !v.Odd {
			centre(rows, b.Units, b.Hidden)
			normalise(rows, b.Units, b.Hidden)
		}
		d.rows, d.odd = append(d.rows, rows), append(d.odd, v.Odd)
	}
	return d
}

// onto expresses the rows in an orthonormal basis (k × dim), nil for their own,
// and brings them to unit length again.
func (d *directions) onto(basis []float32, k int) *directions {
	if basis == nil {
		return d
	}
	out := &directions{units: d.units, dim: k, odd: d.odd, length: d.length, first: d.first}
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
	out := &directions{units: len(units), dim: d.dim, odd: d.odd, first: d.first}
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
	out := make([]float64, n)
	for i := range n {
		row := rows[i*d : (i+1)*d]
		size := dense.Norm(row)
		if !(size > 0) || math.IsInf(size, 0) {
			clear(row)
			continue
		}
		out[i] = size
		for k, v := range row {
			row[k] = float32(float64(v) / size)
		}
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
		for k, v := range row {
			mean[k] += float64(v)
		}
	}
	if live < 2 {
		return
	}
	for i := range n {
		row := rows[i*d : (i+1)*d]
		if zero(row) {
			continue
		}
		for k, v := range row {
			row[k] = float32(float64(v) - mean[k]/float64(live))
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
