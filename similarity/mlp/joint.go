package mlp

import (
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/dense"
)

// negligible is below what is left of outputs that cancel, after storage in
// half precision.
const negligible = 1e-2

// mostPairs bounds the pairs of a line: more than that are told apart by nothing.
const mostPairs = 16

// joint is Σ d·uᵀ over the units of a line, as its terms; Σ d without up rows.
type joint struct {
	up, down [][]float64 // of each term
	h        int
	parts    float64 // Σ |d|²·|u|²
}

// joint sums up a line; where homogeneous is set each unit counts by the length of
// its gate, over their mean.
func (b *Block) joint(l line, homogeneous bool) *joint {
	j := &joint{h: b.Hidden}
	lengths, mean := b.lengths(l)
	for i, u := range l.units {
		p := b.alone(u)
		up, down := []float64{1}, wide(p.down)
		if p.up != nil {
			up = wide(p.up)
		}
		if homogeneous && mean > 0 {
			down = scaled(down, lengths[i]/mean)
		}
		j.up, j.down = append(j.up, up), append(j.down, down)
		j.parts += dense.Dot64(up, up) * dense.Dot64(down, down)
	}
	return j
}

// lengths are those of the gates of a line, and their mean.
func (b *Block) lengths(l line) (out []float64, mean float64) {
	for _, u := range l.units {
		out = append(out, dense.Norm(b.row(&b.First[0], u)))
		mean += out[len(out)-1] / float64(len(l.units))
	}
	return out, mean
}

// squares is the squared Frobenius norm of the sum.
func (j *joint) squares() (s float64) {
	if len(j.up) > j.h {
		return j.squaresByRow()
	}
	for i := range j.up {
		for k := range j.up {
			s += float64(dense.Dot64(j.up[i], j.up[k]) * dense.Dot64(j.down[i], j.down[k]))
		}
	}
	return max(0, s)
}

// squaresByRow sums up the rows of the sum one after another.
func (j *joint) squaresByRow() (s float64) {
	row := make([]float64, len(j.up[0]))
	for r := range j.h {
		clear(row)
		for i, up := range j.up {
			by := j.down[i][r]
			for k, v := range up {
				row[k] += float64(by * v)
			}
		}
		s += dense.Dot64(row, row)
	}
	return s
}

// nothing tells whether what is left of the parts is what storage leaves.
func (j *joint) nothing() bool { return j.squares() <= negligible*negligible*j.parts }

// leading takes singular pairs off the sum until almost nothing is left.
func (j *joint) leading() (out []pair) {
	all := j.squares()
	if all <= negligible*negligible*j.parts {
		return nil
	}
	left := all
	for range min(len(j.up), mostPairs) {
		u, d, size := j.strongest()
		if size == 0 {
			break
		}
		root := math.Sqrt(size)
		out = append(out, pair{narrow(u, root), narrow(d, root)})
		j.up, j.down = append(j.up, u), append(j.down, scaled(d, -size))
		if left -= size * size; left <= (1-kept)*all {
			break
		}
	}
	return out
}

// strongest is the leading singular pair and value of the sum, by power
// iteration.
func (j *joint) strongest() (u, d []float64, size float64) {
	u = make([]float64, j.h)
	for i, row := range j.up {
		weight := dense.Dot64(j.down[i], j.down[i]) * float64(1+i)
		for k, v := range row {
			u[k] += float64(weight * v)
		}
	}
	for range 64 {
		if d, size = j.through(j.up, j.down, u); size == 0 {
			return u, d, 0
		}
		if u, size = j.through(j.down, j.up, d); size == 0 {
			return u, d, 0
		}
	}
	d, size = j.through(j.up, j.down, u)
	return u, d, size
}

// through is Σ out·(in·x), as a direction and a length.
func (j *joint) through(in, out [][]float64, x []float64) ([]float64, float64) {
	y := make([]float64, j.h)
	for i, row := range in {
		by := dense.Dot64(row, x)
		for k, v := range out[i] {
			y[k] += float64(by * v)
		}
	}
	size := math.Sqrt(dense.Dot64(y, y))
	if !(size > 0) || math.IsInf(size, 0) {
		return y, 0
	}
	return scaled(y, 1/size), size
}

func scaled(x []float64, by float64) []float64 {
	out := make([]float64, len(x))
	for k, v := range x {
		out[k] = v * by
	}
	return out
}

func wide(x []float32) []float64 { return widen(nil, x) }

// widen is the same, in room that may be there already.
func widen(room []float64, x []float32) []float64 {
	room = slices.Grow(room[:0], len(x))
	for _, v := range x {
		room = append(room, float64(v))
	}
	return room
}

func narrow(x []float64, by float64) []float32 {
	out := make([]float32, len(x))
	for k, v := range x {
		out[k] = float32(v * by)
	}
	return out
}
