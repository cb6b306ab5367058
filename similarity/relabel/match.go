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

// order says which unit of B stands for each unit of A.
type order []int

// directions are the blocks with all rows at length 1.
func directions(blocks []block) []block {
	out := slices.Clone(blocks)
	for k := range out {
		x := &out[k]
		x.a, x.b = unit(x.a, x.cols()), unit(x.b, x.cols())
	}
	return out
}

func unit(x []float32, cols int) []float32 {
	out := slices.Clone(x)
	for row := range slices.Chunk(out, cols) {
		if norm := dense.Norm(row); norm > 0 {
			for i := range row {
				row[i] = float32(float64(row[i]) / norm)
			}
		}
	}
	return out
}

// probes bounds the rows by which orders of inputs are told apart.
const probes = 96

// match finds the order of rows of each matrix and the order of its inputs. It goes
// from the matrix that is surest to the next: whose rows find rows most alike, over
// what chance brings, with its inputs as stored or in an order already found.
func match(blocks []block) (rows, inputs []order) {
	rows, inputs = make([]order, len(blocks)), make([]order, len(blocks))
	sure := make([]float64, len(blocks))
	for k := range blocks {
		inputs[k] = identity(blocks[k].inputs)
		sure[k] = blocks[k].sureness(inputs[k])
	}
	for range blocks {
		next := -1
		for k := range blocks {
			if rows[k] == nil && (next < 0 || sure[k] > sure[next]) {
				next = k
			}
		}
		rows[next] = blocks[next].assign(blocks[next].turned(inputs[next]))
		for k := range blocks {
			if rows[k] != nil {
				continue
			}
			for _, o := range asInputs(rows[next], blocks[k].inputs) {
				if s := blocks[k].sureness(o); s > sure[k] {
					inputs[k], sure[k] = o, s
				}
			}
		}
	}
	return rows, inputs
}

// asInputs lists the orders that n inputs have if units in the order o are read: one
// a unit, several a unit in either nesting, or a part of the units, as gates have.
func asInputs(o order, n int) []order {
	m := len(o)
	switch {
	case m == n:
		return []order{o}
	case m < n && n%m == 0:
		return []order{spread(o, n/m, true), spread(o, n/m, false)}
	case m%n == 0 && m <= mostGates*n && !slices.ContainsFunc(o[:n], func(j int) bool { return j >= n }):
		return []order{o[:n]}
	}
	return nil
}

// mostGates is how many times as many rows as units a recurrent layer has at most.
const mostGates = 8

func identity(n int) order {
	o := make(order, n)
	for i := range o {
		o[i] = i
	}
	return o
}

// spread is the order of inputs of which each unit has times many: together, or as
// many rows of units as there are.
func spread(o order, times int, together bool) order {
	out := make(order, len(o)*times)
	for i, j := range o {
		for t := range times {
			if together {
				out[i*times+t] = j*times + t
			} else {
				out[t*len(o)+i] = t*len(o) + j
			}
		}
	}
	return out
}

// sureness is how much more alike the most alike rows are than chance makes them, for
// a sample of rows, the inputs of B in the given order.
func (x *block) sureness(o order) float64 {
	b := x.turned(o)
	step := max(1, x.rows/probes)
	var some []float32
	n := 0
	for i := 0; i < x.rows; i += step {
		some = append(some, x.a[i*x.cols():(i+1)*x.cols()]...)
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

func (x *block) cols() int { return x.inputs * x.window }

// turned is B's rows with their inputs in the given order.
func (x *block) turned(o order) []float32 {
	out := make([]float32, len(x.b))
	w := x.window
	for r := range x.rows {
		from, to := x.b[r*x.cols():(r+1)*x.cols()], out[r*x.cols():(r+1)*x.cols()]
		for c, j := range o {
			copy(to[c*w:(c+1)*w], from[j*w:(j+1)*w])
		}
	}
	return out
}

// assign gives every row of A a row of B of its own: first those that are most
// alike seen from both sides, then the others, the most alike first.
func (x *block) assign(b []float32) order {
	n := x.rows
	c := make([]float32, n*n)
	dense.MulNT(c, x.a, b, n, n, x.cols())
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
