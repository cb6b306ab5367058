package relabel

import (
	"cmp"
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/dense"
)

// block is a matrix of both sides: rows of inputs·window values each, an input's
// window together.
type block struct {
	rows, inputs, window int
	a, b                 []float32
}

func (x *block) cols() int { return x.inputs * x.window }

// order says which unit of B stands for each unit of A.
type order []int

// feed is how the inputs of a matrix stand to each other: their order, and what the
// inputs of either side are multiplied by, nil for nothing. A unit that was scaled
// up and is read scaled down computes the same; by the lengths of the rows that make
// the inputs this is undone.
type feed struct {
	order
	a, b []float32
}

// probes bounds the rows by which feeds are told apart.
const probes = 96

// match finds the order of rows of each matrix and how it is fed. It goes from the
// matrix that is surest to the next: whose rows find rows most alike, over what
// chance brings, with its inputs as stored or as a matrix feeds them whose order is
// found already.
func match(blocks []block) (rows []order, feeds []feed) {
	rows, feeds = make([]order, len(blocks)), make([]feed, len(blocks))
	sure := make([]float64, len(blocks))
	for k := range blocks {
		feeds[k] = feed{order: identity(blocks[k].inputs)}
		sure[k] = blocks[k].sureness(feeds[k])
	}
	for range blocks {
		next := -1
		for k := range blocks {
			if rows[k] == nil && (next < 0 || sure[k] > sure[next]) {
				next = k
			}
		}
		rows[next] = blocks[next].assign(feeds[next])
		for k := range blocks {
			if rows[k] != nil {
				continue
			}
			for _, f := range blocks[next].feeds(feeds[next], rows[next], blocks[k].inputs) {
				if s := blocks[k].sureness(f); s > sure[k] {
					feeds[k], sure[k] = f, s
				}
			}
		}
	}
	return rows, feeds
}

// feeds lists how n inputs stand if they are units of x, itself fed so, in the order
// o, with and without their lengths.
func (x *block) feeds(by feed, o order, n int) (out []feed) {
	la, lb := lengths(x.fed(x.a, by.a, nil), x.cols()), lengths(x.fed(x.b, by.b, nil), x.cols())
	for _, units := range asInputs(len(o), n) {
		f := feed{order: make(order, n)}
		at := map[int]int{} // the input of B that is a unit's in its place
		for c, u := range units {
			at[u.unit*len(units)+u.copy] = c
		}
		ok := true
		for c, u := range units {
			var there bool
			f.order[c], there = at[o[u.unit]*len(units)+u.copy]
			ok = ok && there
			f.a, f.b = append(f.a, la[u.unit]), append(f.b, lb[u.unit])
		}
		if ok {
			out = append(out, f, feed{order: f.order})
		}
	}
	return out
}

// source is the unit that an input is of, and which of its several inputs.
type source struct{ unit, copy int }

// mostGates is how many times as many rows as units a recurrent layer has at most.
const mostGates = 8

// asInputs lists which of m units n inputs may be of: one each, several of a unit in
// either nesting, or the first of the units, as gates have.
func asInputs(m, n int) (out [][]source) {
	list := func(of func(c int) source) {
		all := make([]source, n)
		for c := range all {
			all[c] = of(c)
		}
		out = append(out, all)
	}
	switch {
	case m == n, m%n == 0 && m <= mostGates*n:
		list(func(c int) source { return source{c, 0} })
	case m < n && n%m == 0:
		list(func(c int) source { return source{c / (n / m), c % (n / m)} })
		list(func(c int) source { return source{c % m, c / m} })
	}
	return out
}

func identity(n int) order {
	o := make(order, n)
	for i := range o {
		o[i] = i
	}
	return o
}

// lengths are those of rows.
func lengths(x []float32, cols int) (out []float32) {
	for row := range slices.Chunk(x, cols) {
		out = append(out, float32(dense.Norm(row)))
	}
	return out
}

// fed is one side's rows with their inputs multiplied, and in the order of A's where
// o is given.
func (x *block) fed(side []float32, by []float32, o order) []float32 {
	out := make([]float32, len(side))
	w := x.window
	for r := range x.rows {
		from, to := side[r*x.cols():(r+1)*x.cols()], out[r*x.cols():(r+1)*x.cols()]
		for c := range x.inputs {
			j := c
			if o != nil {
				j = o[c]
			}
			for k := range w {
				to[c*w+k] = from[j*w+k]
				if by != nil {
					to[c*w+k] *= by[j]
				}
			}
		}
	}
	return out
}

// sides are the rows of both, fed and at length 1.
func (x *block) sides(f feed) (a, b []float32) {
	return unit(x.fed(x.a, f.a, nil), x.cols()), unit(x.fed(x.b, f.b, f.order), x.cols())
}

func unit(x []float32, cols int) []float32 {
	for row := range slices.Chunk(x, cols) {
		if norm := dense.Norm(row); norm > 0 {
			for i := range row {
				row[i] = float32(float64(row[i]) / norm)
			}
		}
	}
	return x
}

// sureness is how much more alike the most alike rows are than chance makes them, for
// a sample of rows.
func (x *block) sureness(f feed) float64 {
	a, b := x.sides(f)
	step := max(1, x.rows/probes)
	var some []float32
	n := 0
	for i := 0; i < x.rows; i += step {
		some = append(some, a[i*x.cols():(i+1)*x.cols()]...)
		n++
	}
	c := make([]float32, n*x.rows)
	dense.MulNT(c, some, b, n, x.rows, x.cols())
	sum := 0.0
	for i := range n {
		sum += float64(slices.Max(c[i*x.rows : (i+1)*x.rows]))
	}
	return sum/float64(n) - math.Sqrt(2*math.Log(float64(x.rows))/float64(x.cols()))
}

// assign gives every row of A a row of B of its own: first those that are most
// alike seen from both sides, then the others, the most alike first.
func (x *block) assign(f feed) order {
	a, b := x.sides(f)
	n := x.rows
	c := make([]float32, n*n)
	dense.MulNT(c, a, b, n, n, x.cols())
	out, taken := make(order, n), make([]bool, n)
	top := make([]int, n) // the row of A most like each row of B
	for j := range n {
		for i := range n {
			if c[i*n+j] > c[top[j]*n+j] {
				top[j] = i
			}
		}
	}
	var rest []int
	for i := range n {
		out[i] = largest(c[i*n:(i+1)*n], nil)
		if top[out[i]] != i {
			rest = append(rest, i)
			continue
		}
		taken[out[i]] = true
	}
	slices.SortStableFunc(rest, func(p, q int) int { return cmp.Compare(c[q*n+out[q]], c[p*n+out[p]]) })
	for _, i := range rest {
		out[i] = largest(c[i*n:(i+1)*n], taken)
		taken[out[i]] = true
	}
	return out
}

// largest is where the largest value stands that is not taken.
func largest(row []float32, taken []bool) int {
	best := -1
	for j, v := range row {
		if (taken == nil || !taken[j]) && (best < 0 || v > row[best]) {
			best = j
		}
	}
	return best
}
