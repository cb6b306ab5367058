package diff

import (
	"context"
	"math"

	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/linalg"
	"github.com/weightprint/weightprint/similarity/align"
)

// A change is of few directions where these hold almost all of it, on rows and
// columns that are read for the purpose.
const (
	rankRows   = 256     // rows that are looked at
	svdRows    = 96      // of them, those whose singular values are taken
	rankValues = 1 << 20 // values, at most
	almostAll  = 0.98    // share of the change's square: what rounding adds takes the rest
	mostRank   = 64
	taken      = 0.1 // what is left along a direction, of what was there, where it was taken out
	oneShare   = 0.9 // share of a change in its strongest direction, where it is of one
	alike      = 0.9 // cosine from which two tensors changed in the same direction
)

// directions looks at the change as a matrix: how many directions hold it, and
// whether the strongest was taken out.
func (t *Tensor) directions(ctx context.Context, x align.MatrixPair, a, b []int) error {
	if len(b) > rankRows {
		every := (len(b) + rankRows - 1) / rankRows
		if t.wholeDirection(x, len(b)) {
			every = 1
		}
		a, b = thin(a, every), thin(b, every)
	}
	cols := x.B.Cols
	if len(b) < 2 || len(b)*cols > rankValues {
		return nil
	}
	ya, yb := make([]float32, len(a)*cols), make([]float32, len(b)*cols)
	if err := x.A.Gather(ctx, ya, a); err != nil {
		return err
	}
	if err := x.B.Gather(ctx, yb, b); err != nil {
		return err
	}
	d := make([]float64, len(yb))
	for i := range d {
		d[i] = float64(yb[i]) - float64(ya[i])
	}
	left, right, share := strongest(d, len(b), cols)
	t.Rank = rankOf(d, len(b), cols)
	if t.Rank > 0 {
		t.Form = LowRank
	}
	rows := along(ya, yb, len(b), cols, left, true)
	columns := along(ya, yb, len(b), cols, right, false)
	rows.Share, columns.Share = share, share
	if share < oneShare && t.Rank == 0 {
		return nil
	}
	if len(b) == x.B.Rows { // a direction of the outputs needs all of them
		t.Along = append(t.Along, rows)
	}
	t.Along = append(t.Along, columns)
	for _, s := range t.Along {
		if share >= oneShare && s.A > 0 && s.B < taken*s.A {
			t.Form = Projected
		}
	}
	return nil
}

// wholeDirection tells whether all rows fit what is looked at.
func (t *Tensor) wholeDirection(x align.MatrixPair, rows int) bool {
	return rows == x.B.Rows && rows*x.B.Cols <= rankValues
}

func thin(x []int, every int) (out []int) {
	for i := 0; i < len(x); i += every {
		out = append(out, x[i])
	}
	return out
}

// strongest finds the strongest direction of a matrix by power iteration, on
// both sides, and the share of its square that lies there.
func strongest(d []float64, rows, cols int) (left, right []float64, share float64) {
	right = make([]float64, cols)
	for c := range right {
		right[c] = 1 + 0.5*math.Sin(float64(c)+1) // no matrix that occurs is blind to it
	}
	left = make([]float64, rows)
	size := 0.0
	for range 60 {
		for r := range rows {
			left[r] = dense.Dot64(d[r*cols:(r+1)*cols], right)
		}
		unit(left)
		clear(right)
		for r, l := range left {
			for c := range right {
				right[c] += l * d[r*cols+c]
			}
		}
		size = unit(right)
	}
	total := dense.Dot64(d, d)
	if total == 0 {
		return left, right, 0
	}
	return left, right, size * size / total
}

// rankOf is the number of directions that hold almost all of a matrix, 0 if they
// are not few. It looks at the singular values of its first rows.
func rankOf(d []float64, rows, cols int) int {
	n := min(rows, svdRows)
	few := make([]float64, 0, n*cols)
	for i := range n {
		r := i * rows / n
		few = append(few, d[r*cols:(r+1)*cols]...)
	}
	s, err := linalg.SingularValues(few, n, cols)
	if err != nil {
		return 0
	}
	total, sum := 0.0, 0.0
	for _, x := range s {
		total += x * x
	}
	for k, x := range s {
		if sum += x * x; sum >= almostAll*total {
			if k+1 <= min(mostRank, min(n, cols)/4) {
				return k + 1
			}
			return 0
		}
	}
	return 0
}

// along measures how much of both sides lies along a direction.
func along(a, b []float32, rows, cols int, v []float64, outputs bool) Along {
	out := Along{Side: "columns", vector: v}
	n := rows
	if outputs {
		out.Side, n = "rows", cols
	}
	for i := range n {
		var x, y float64
		for k, w := range v {
			at := i*cols + k
			if outputs {
				at = k*cols + i
			}
			x += w * float64(a[at])
			y += w * float64(b[at])
		}
		out.A += x * x / float64(n)
		out.B += y * y / float64(n)
	}
	out.A, out.B = math.Sqrt(out.A), math.Sqrt(out.B)
	return out
}

// shared finds directions of one side that several tensors changed in alike: each
// group by its first tensor.
func shared(all []Tensor) (out []Shared) {
	for i := range all {
		for _, x := range all[i].Along {
			if x.Share < oneShare || grouped(out, i, x.Side) {
				continue
			}
			g := Shared{Side: x.Side, Width: len(x.vector), Tensors: []int{i}}
			for j := i + 1; j < len(all); j++ {
				for _, y := range all[j].Along {
					if y.Side != x.Side || y.Share < oneShare || len(y.vector) != len(x.vector) {
						continue
					}
					if c := math.Abs(dense.Dot64(x.vector, y.vector)); c >= alike {
						g.Tensors = append(g.Tensors, j)
						g.Cosine += c
					}
				}
			}
			if n := len(g.Tensors); n > 1 {
				g.Cosine /= float64(n - 1)
				out = append(out, g)
			}
		}
	}
	return out
}

func grouped(all []Shared, tensor int, side string) bool {
	for _, g := range all {
		for _, t := range g.Tensors {
			if t == tensor && g.Side == side {
				return true
			}
		}
	}
	return false
}

// unit makes a vector one long and returns how long it was.
func unit(x []float64) float64 {
	n := math.Sqrt(dense.Dot64(x, x))
	if n > 0 {
		for i := range x {
			x[i] /= n
		}
	}
	return n
}
