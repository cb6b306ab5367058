package relabel

import (
	"cmp"
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/dense"
)

// block is a matrix of A and one of B as seen, an input's window together, and how they
// stand to each other.
type block struct {
	view
	k, l  int // their places in the network
	sides [2]values
	order order // of B's rows, nil until found
	feed  feed
	sure  float64
}

func (n *network) block(k, l int) *block {
	return &block{view: n.viewA[k].view, k: k, l: l, sides: [2]values{n.a[k], n.b[l]}}
}

// order says which unit of B stands for each unit of A.
type order []int

// feed is how the inputs of a matrix stand to each other: their order, and whether
// their scales are undone. A unit that was scaled up and is read scaled down
// computes the same; so does one that a norm divides.
type feed struct {
	order
	balanced bool
}

// probes bounds the rows by which feeds are told apart.
const probes = 96

// match pairs matrices, and finds the order of their rows and how they are fed. It
// goes from the pair that is surest to the next: whose rows find rows most alike, over
// what chance brings, with its inputs as stored or as a matrix feeds them whose order is
// found already.
func (n *network) match() []*block {
	var open []*block
	for k, candidates := range n.candidates {
		for _, l := range candidates {
			x := n.block(k, l)
			x.sure = math.Inf(-1)
			x.try(both(identity(x.inputs)))
			open = append(open, x)
		}
	}
	found := make([]*block, len(n.as))
	for len(open) > 0 {
		next := slices.MaxFunc(open, func(x, y *block) int { return cmp.Compare(x.sure, y.sure) })
		next.order, found[next.k] = next.assign(), next
		open = slices.DeleteFunc(open, func(x *block) bool { return x.k == next.k || x.l == next.l })
		feeds := map[int][]feed{} // by inputs
		for _, x := range open {
			if _, known := feeds[x.inputs]; !known {
				feeds[x.inputs] = feedsOf(next.order, x.inputs)
			}
			x.try(feeds[x.inputs])
		}
	}
	return found
}

// sureness is that of all matrices, by the values that they hold.
func sureness(found []*block) (sum float64) {
	for _, x := range found {
		sum += max(0, x.sure) * float64(x.rows*x.cols())
	}
	return sum
}

// try keeps the feed that makes rows surest.
func (x *block) try(feeds []feed) {
	for _, f := range feeds {
		if s := x.sureness(f); s > x.sure {
			x.feed, x.sure = f, s
		}
	}
}

// both gives an order of inputs with their scales as stored and undone.
func both(o order) []feed { return []feed{{o, false}, {o, true}} }

// feedsOf lists how n inputs stand if they are units in the order o.
func feedsOf(o order, n int) (out []feed) {
	for _, units := range asInputs(len(o), n) {
		f := make(order, n)
		at := map[source]int{} // the input of B that is a unit's in its place
		for c, u := range units {
			at[u] = c
		}
		ok := true
		for c, u := range units {
			var there bool
			f[c], there = at[source{o[u.unit], u.copy}]
			ok = ok && there
		}
		if ok {
			out = append(out, both(f)...)
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

// fed is one side's rows with their inputs in the order of A's.
func (x *block) fed(side int, f feed) []float32 {
	from := x.sides[side].stored
	if f.balanced {
		from = x.sides[side].balanced
	}
	out, w := make([]float32, len(from)), x.window
	for at := 0; at < len(from); at += x.cols() {
		for c := range x.inputs {
			j := c
			if side == 1 {
				j = f.order[c]
			}
			copy(out[at+c*w:at+(c+1)*w], from[at+j*w:])
		}
	}
	return out
}

// picked is rows in another order.
func (x *block) picked(rows []float32, o order) []float32 {
	out, w := make([]float32, 0, len(rows)), x.cols()
	for _, j := range o {
		out = append(out, rows[j*w:(j+1)*w]...)
	}
	return out
}

// units are the rows of both, fed and at length 1.
func (x *block) units(f feed) (a, b []float32) {
	return unit(x.fed(0, f), x.cols()), unit(x.fed(1, f), x.cols())
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
	a, b := x.units(f)
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
func (x *block) assign() order {
	a, b := x.units(x.feed)
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
