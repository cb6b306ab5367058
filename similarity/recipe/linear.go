package recipe

import (
	"math"

	"github.com/weightprint/weightprint/internal/linalg"
)

// products are the inner products of one tensor: of every parent's difference
// from the child, and, last, of the child itself. What a mixture leaves follows
// from them without loss, as differences are small.
type products struct {
	n     int
	g     []float64 // (n+1)², by parent; rows of parents without the tensor are zero
	q     []float64 // the same in steps of the child's type, in which rounding errors are alike: fits are made in it
	known []bool
	count float64
	noise float64 // Σ of squared rounding errors that the child's storage alone leaves, in steps
}

func productsOf(t *tensorFit) *products {
	n := len(t.x)
	p := &products{n: n, g: make([]float64, (n+1)*(n+1)), q: make([]float64, (n+1)*(n+1)), known: make([]bool, n), count: float64(len(t.y))}
	s := storageOf(t.dtype)
	e := make([]float64, n+1)
	for k := range t.x {
		p.known[k] = t.x[k] != nil
	}
	least := rootMeanSquare(t.y) / coarsest
	for i, y := range t.y {
		e[n] = float64(y)
		largest := max(least, math.Abs(e[n]))
		for k, x := range t.x {
			if x != nil {
				e[k] = float64(x[i]) - e[n]
				largest = max(largest, math.Abs(float64(x[i])))
			}
		}
		w := 1.0
		if largest > 0 {
			h := s.step(float32(largest))
			w = 1 / (h * h)
		}
		for a := range n + 1 {
			for b := range a + 1 {
				x := float64(e[a] * e[b])
				p.g[a*(n+1)+b] += x
				p.q[a*(n+1)+b] += float64(x * w)
			}
		}
	}
	p.noise = p.count / 12
	for a := range n + 1 {
		for b := range a {
			p.g[b*(n+1)+a], p.q[b*(n+1)+a] = p.g[a*(n+1)+b], p.q[a*(n+1)+b]
		}
	}
	return p
}

// coarsest bounds how much finer than the tensor's size the steps of its smallest
// values count: there other errors than those of storage show.
const coarsest = 64

func rootMeanSquare(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(float64(v) * float64(v))
	}
	return math.Sqrt(sum / math.Max(1, float64(len(x))))
}

// at is the inner product of two combinations of differences and child.
func (p *products) at(v, w []float64) float64 { return product(p.g, v, w) }

// fit is the same in steps.
func (p *products) fit(v, w []float64) float64 { return product(p.q, v, w) }

func product(g, v, w []float64) float64 {
	sum, n := 0.0, len(v)
	for a, x := range v {
		if x == 0 {
			continue
		}
		for b, y := range w {
			sum += float64(x * g[a*n+b] * y)
		}
	}
	return sum
}

// parent is the combination that gives a parent itself.
func (p *products) parent(k int) []float64 {
	v := make([]float64, p.n+1)
	v[k], v[p.n] = 1, 1
	return v
}

// difference is the combination that gives parent k less parent l.
func (p *products) difference(k, l int) []float64 {
	v := make([]float64, p.n+1)
	v[k]++
	v[l]--
	return v
}

// leaves is Σ(child − Σ wₖPₖ)², in steps.
func (p *products) leaves(w []float64) float64 {
	v := make([]float64, p.n+1)
	v[p.n] = 1
	for k, c := range w {
		v[k] = -c
		v[p.n] -= c
	}
	return math.Max(0, p.fit(v, v))
}

func (p *products) has(use []int) bool {
	for _, k := range use {
		if !p.known[k] {
			return false
		}
	}
	return true
}

// mixture is a fit of one or several tensors.
type mixture struct {
	weights, ci []float64
	rss         float64
}

// normal are the equations of a fit by the parents in use: the first of them is
// left over, regressors are what the others have more than it, and where free
// the first parent itself, so that weights need not sum to one.
type normal struct {
	use   []int
	free  bool
	a, b  []float64
	t, n  float64 // Σ of squares of the target, and values
	noise float64
}

func newNormal(use []int, free bool) *normal {
	m := len(use) - 1
	if free {
		m++
	}
	return &normal{use: use, free: free, a: make([]float64, m*m), b: make([]float64, m)}
}

func (e *normal) add(p *products) { e.addScaled(p, 1) }

// addScaled lets values count so many times.
func (e *normal) addScaled(p *products, times float64) {
	first := e.use[0]
	target := make([]float64, p.n+1)
	target[first] = -1
	var r [][]float64
	for _, k := range e.use[1:] {
		r = append(r, p.difference(k, first))
	}
	if e.free {
		r = append(r, p.parent(first))
	}
	m := len(r)
	for i := range r {
		e.b[i] += times * p.fit(r[i], target)
		for j := range r {
			e.a[i*m+j] += times * p.fit(r[i], r[j])
		}
	}
	e.t += times * p.fit(target, target)
	e.n += p.count
	e.noise += times * p.noise
}

// solve fits. What the values do not determine stays as in prior: weights of
// parents that are the same here. A nil prior stands for the first parent alone.
func (e *normal) solve(n int, prior []float64) mixture {
	m := len(e.b)
	out := mixture{weights: make([]float64, n), ci: make([]float64, n), rss: e.t}
	out.weights[e.use[0]] = 1
	if m == 0 {
		return out
	}
	x0 := make([]float64, m) // of the prior
	for i, k := range e.use[1:] {
		if prior != nil {
			x0[i] = prior[k]
		}
	}
	a, b := make([]float64, m*m), make([]float64, m)
	copy(a, e.a)
	blind := e.noise / math.Max(1, e.n) * 4 // a regressor no larger than this says nothing
	for i := range m {
		for j := range m {
			b[i] -= e.a[i*m+j] * x0[j]
		}
		b[i] += e.b[i]
		if ridge := a[i*m+i]; ridge <= blind {
			for j := range m {
				a[i*m+j], a[j*m+i] = 0, 0
			}
			a[i*m+i], b[i] = 1, 0
		} else {
			a[i*m+i] += 1e-10 * ridge
		}
	}
	x, err := linalg.Solve(a, m, m, b)
	if err != nil {
		x = make([]float64, m)
	}
	for i := range x {
		x[i] += x0[i]
	}
	out.rss = e.left(x)
	noise := out.rss / math.Max(1, e.n-float64(m))
	for i, k := range e.use[1:] {
		out.weights[k] += x[i]
		out.weights[e.use[0]] -= x[i]
	}
	if e.free {
		out.weights[e.use[0]] += x[m-1]
	}
	e.intervals(&out, a, noise)
	return out
}

func (e *normal) left(x []float64) float64 {
	m := len(x)
	rss := e.t
	for i := range m {
		rss -= 2 * x[i] * e.b[i]
		for j := range m {
			rss += x[i] * e.a[i*m+j] * x[j]
		}
	}
	return math.Max(0, rss)
}

// intervals fills in half widths: of the first parent, whose weight is what the
// others leave, from the sum over the inverse.
func (e *normal) intervals(out *mixture, a []float64, noise float64) {
	m := len(e.b)
	total := 0.0
	for i := range m {
		unit := make([]float64, m)
		unit[i] = 1
		col, err := linalg.Solve(a, m, m, unit)
		if err != nil {
			return
		}
		for j := range m {
			s := col[j]
			if e.free && (i == m-1) != (j == m-1) {
				s = -s
			}
			total += s
		}
		if i < len(e.use)-1 {
			out.ci[e.use[i+1]] = 1.96 * math.Sqrt(math.Max(0, noise*col[i]))
		}
	}
	out.ci[e.use[0]] = 1.96 * math.Sqrt(math.Max(0, noise*total))
}

// pool fits one mixture to all tensors that the parents in use have.
func pool(ps []*products, use []int, free bool) mixture {
	e := newNormal(use, free)
	n := 0
	for _, p := range ps {
		n = p.n
		if p.has(use) {
			e.add(p)
		}
	}
	return e.solve(n, nil)
}

// alone fits one tensor; prior says what its values do not determine.
func alone(p *products, use []int, free bool, prior []float64) mixture {
	e := newNormal(use, free)
	e.add(p)
	return e.solve(p.n, prior)
}
