package mlp

import (
	"math"

	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/rng"
)

// Two units open together when their gate rows point the same way to this
// cosine and are as long to this ratio.
const (
	parallel  = 0.995
	sameScale = 0.05
)

// kept is the share of a group's joint output, by squares, that its pairs must
// carry.
const kept = 0.95

// Rejoined returns the block with all units put together that open together:
// units with one gate row g add up to silu(g·x)·(Σ d·uᵀ)·x, and a network does
// not say how the sum is divided among them. A group is replaced by the leading
// singular pairs of Σ d·uᵀ, as few as carry almost all of it: one pair for a
// unit that was split. Without a gate, units with one up row add their down
// columns. Groups that add up to nothing disappear. The result depends on what
// the units compute, not on their order, and not on the other network. joined
// is how many units went.
func Rejoined(b Block) (out Block, joined int) {
	groups := together(b.First[0].Rows, b.Units, b.Hidden)
	if len(groups) == b.Units {
		return b, 0
	}
	gated := len(b.Second) == 2
	var first, up, down []float32
	for _, g := range groups {
		lead := b.mean(g)
		pairs := []pair{b.alone(g[0])}
		if len(g) > 1 {
			pairs = b.pairs(g)
		}
		for _, p := range pairs {
			first, up, down = append(first, lead...), append(up, p.up...), append(down, p.down...)
		}
	}
	n := len(first) / b.Hidden
	if gated {
		return Gated(first, up, down, n, b.Hidden), b.Units - n
	}
	return Ungated(first, down, n, b.Hidden), b.Units - n
}

// pair is what a unit reads besides its gate, and what it writes.
type pair struct{ up, down []float32 }

func (b *Block) row(v *View, u int) []float32 { return v.Rows[u*b.Hidden : (u+1)*b.Hidden] }

func (b *Block) alone(u int) pair {
	if len(b.Second) == 1 {
		return pair{nil, b.row(&b.Second[0], u)}
	}
	return pair{b.row(&b.Second[0], u), b.row(&b.Second[1], u)}
}

// mean is the mean row of a group in the first view.
func (b *Block) mean(group []int) []float32 {
	sum := make([]float64, b.Hidden)
	for _, u := range group {
		for k, v := range b.row(&b.First[0], u) {
			sum[k] += float64(v)
		}
	}
	return narrow(sum, 1/float64(len(group)))
}

func narrow(x []float64, by float64) []float32 {
	out := make([]float32, len(x))
	for k, v := range x {
		out[k] = float32(v * by)
	}
	return out
}

// pairs are the leading pairs of a group.
func (b *Block) pairs(group []int) (out []pair) {
	if len(b.Second) == 1 {
		sum := make([]float64, b.Hidden)
		size := 0.0
		for _, u := range group {
			row := b.row(&b.Second[0], u)
			size += dense.Norm(row)
			for k, v := range row {
				sum[k] += float64(v)
			}
		}
		if down := narrow(sum, 1); dense.Norm(down) > negligible*size {
			out = append(out, pair{nil, down})
		}
		return out
	}
	return b.joint(group).leading()
}

// negligible is below what is left of outputs that cancel, after storage in
// half precision.
const negligible = 1e-2

// joint is Σ d·uᵀ of a group, and what has been taken from it.
type joint struct {
	up, down [][]float64 // of each term
	h        int
	parts    float64 // Σ |d|²·|u|²
}

func (b *Block) joint(group []int) *joint {
	j := &joint{h: b.Hidden}
	for _, u := range group {
		up, down := wide(b.row(&b.Second[0], u)), wide(b.row(&b.Second[1], u))
		j.up, j.down = append(j.up, up), append(j.down, down)
		j.parts += dot(up, up) * dot(down, down)
	}
	return j
}

// squares is the squared Frobenius norm of the sum.
func (j *joint) squares() (s float64) {
	for i := range j.up {
		for k := range j.up {
			s += float64(dot(j.up[i], j.up[k]) * dot(j.down[i], j.down[k]))
		}
	}
	return max(0, s)
}

// leading takes singular pairs off the sum until almost nothing is left.
func (j *joint) leading() (out []pair) {
	all := j.squares()
	if all <= negligible*negligible*j.parts {
		return nil
	}
	terms := len(j.up)
	for range terms {
		u, d, size := j.strongest()
		if size == 0 {
			break
		}
		root := math.Sqrt(size)
		out = append(out, pair{narrow(u, root), narrow(d, root)})
		j.up = append(j.up, u)
		j.down = append(j.down, scaled(d, -size))
		if j.squares() <= (1-kept)*all {
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
		weight := dot(j.down[i], j.down[i]) * float64(1+i)
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
		by := dot(row, x)
		for k, v := range out[i] {
			y[k] += float64(by * v)
		}
	}
	size := math.Sqrt(dot(y, y))
	if !(size > 0) || math.IsInf(size, 0) {
		return y, 0
	}
	return scaled(y, 1/size), size
}

func dot(x, y []float64) (s float64) {
	for k, v := range x {
		s += float64(v * y[k])
	}
	return s
}

func scaled(x []float64, by float64) []float64 {
	out := make([]float64, len(x))
	for k, v := range x {
		out[k] = v * by
	}
	return out
}

func wide(x []float32) []float64 {
	out := make([]float64, len(x))
	for k, v := range x {
		out[k] = float64(v)
	}
	return out
}

// sketchDims is how many random directions find rows that may be parallel.
const sketchDims = 64

// together groups rows that are parallel and of one length, directly or
// through others, in order of their first member.
func together(rows []float32, n, h int) [][]int {
	root := make([]int, n)
	for i := range root {
		root[i] = i
	}
	find := func(i int) int {
		for root[i] != i {
			root[i] = root[root[i]]
			i = root[i]
		}
		return i
	}
	for _, c := range candidates(rows, n, h) {
		if alike(rows[c[0]*h:(c[0]+1)*h], rows[c[1]*h:(c[1]+1)*h]) {
			a, b := find(c[0]), find(c[1])
			root[max(a, b)] = min(a, b)
		}
	}
	at := make([]int, n)
	var out [][]int
	for i := range n {
		r := find(i)
		if r == i {
			at[i] = len(out)
			out = append(out, nil)
		}
		out[at[r]] = append(out[at[r]], i)
	}
	return out
}

// alike tells whether two rows are parallel and of one length.
func alike(x, y []float32) bool {
	wx, wy := wide(x), wide(y)
	xx, yy, xy := dot(wx, wx), dot(wy, wy), dot(wx, wy)
	ratio := math.Sqrt(xx / yy)
	return xy > parallel*math.Sqrt(xx*yy) && ratio < 1+sameScale && ratio > 1/(1+sameScale)
}

// candidates are pairs of rows that look parallel in a few random directions.
func candidates(rows []float32, n, h int) (out [][2]int) {
	d := min(h, sketchDims)
	r := rng.New(nil, "directions that find parallel gates")
	directions := make([]float32, d*h)
	for i := range directions {
		directions[i] = float32(int64(r.Uint64()>>63))*2 - 1
	}
	sketch := make([]float32, n*d)
	dense.MulNT(sketch, rows, directions, n, d, h)
	for i := range n {
		row := sketch[i*d : (i+1)*d]
		if size := dense.Norm(row); size > 0 && !math.IsInf(size, 0) {
			for k, v := range row {
				row[k] = float32(float64(v) / size)
			}
		}
	}
	const strip = 256
	for first := 0; first < n; first += strip {
		m := min(strip, n-first)
		c := make([]float32, m*n)
		dense.MulNT(c, sketch[first*d:(first+m)*d], sketch, m, n, d)
		for i := range m {
			for k := first + i + 1; k < n; k++ {
				if c[i*n+k] > 0.95 {
					out = append(out, [2]int{first + i, k})
				}
			}
		}
	}
	return out
}
