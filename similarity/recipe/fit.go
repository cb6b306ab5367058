package recipe

import (
	"math"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/linalg"
)

// fitted is a mixture with weights that sum to one.
type fitted struct {
	weights, ci []float64
	rss, size   float64 // Σ(child − mixture)², Σ child²
}

func everyone(n int) []int {
	out := make([]int, n)
	for k := range out {
		out[k] = k
	}
	return out
}

// regress fits the child by least squares to the given parents with weights
// that sum to one: y − x₀ on xₖ − x₀. Tensors that a parent lacks are left
// out.
func regress(all []*tensorFit, use []int) fitted {
	n := len(all[0].x)
	f := fitted{weights: make([]float64, n), ci: make([]float64, n)}
	use = present(all, use)
	if len(use) == 0 {
		return f
	}
	ref, m := use[0], len(use)-1
	e := normalOf(all, use)
	f.size, f.rss, f.weights[ref] = e.size, e.yy, 1
	if m == 0 {
		return f
	}
	c, inverse, err := e.solve(m)
	if err != nil {
		return f
	}
	for k, x := range c {
		f.rss -= x * e.aty[k]
		f.weights[use[k+1]] = x
		f.weights[ref] -= x
	}
	f.rss = math.Max(f.rss, 0)
	noise := f.rss / math.Max(1, e.count-float64(m))
	var total float64
	for k := range m {
		f.ci[use[k+1]] = 1.96 * math.Sqrt(math.Max(0, noise*inverse[k*m+k]))
		for l := range m {
			total += inverse[k*m+l]
		}
	}
	f.ci[ref] = 1.96 * math.Sqrt(math.Max(0, noise*total))
	return f
}

// normal holds the normal equations of what the child has more than the first
// parent on what the others have more, and sums of squares.
type normal struct {
	ata, aty        []float64
	yy, size, count float64 // squares of what the child has more, and of the child; values
}

func normalOf(all []*tensorFit, use []int) normal {
	ref, m := use[0], len(use)-1
	n := normal{ata: make([]float64, m*m), aty: make([]float64, m)}
	d := make([]float64, m)
	for _, t := range all {
		if !t.has(use) {
			continue
		}
		for i, y := range t.y {
			r := float64(t.x[ref][i])
			e := float64(y) - r
			n.size += float64(float64(y) * float64(y))
			n.yy += float64(e * e)
			n.count++
			for k, p := range use[1:] {
				d[k] = float64(t.x[p][i]) - r
				n.aty[k] += float64(d[k] * e)
			}
			for a := range m {
				for b := range m {
					n.ata[a*m+b] += float64(d[a] * d[b])
				}
			}
		}
	}
	return n
}

// solve returns the coefficients and the inverse of the m×m matrix.
func (n *normal) solve(m int) (c, inverse []float64, err error) {
	if c, err = linalg.Solve(n.ata, m, m, n.aty); err != nil {
		return nil, nil, err
	}
	for k := range m {
		e := make([]float64, m)
		e[k] = 1
		col, err := linalg.Solve(n.ata, m, m, e)
		if err != nil {
			return nil, nil, err
		}
		inverse = append(inverse, col...)
	}
	return c, inverse, nil
}

// present keeps the parents that have at least half of the tensors.
func present(all []*tensorFit, use []int) (out []int) {
	for _, k := range use {
		n := 0
		for _, t := range all {
			if t.x[k] != nil {
				n++
			}
		}
		if 2*n >= len(all) {
			out = append(out, k)
		}
	}
	return out
}

// has tells whether a tensor is known of all the given parents.
func (t *tensorFit) has(use []int) bool {
	for _, k := range use {
		if t.x[k] == nil {
			return false
		}
	}
	return true
}

// fitLayer fits one layer, keeping only the parents that take part.
func fitLayer(name string, all []*tensorFit, n int) (Layer, float64) {
	f := regress(all, everyone(n))
	if active := taking(f.weights); len(active) > 0 && len(active) < n {
		if g := regress(all, active); g.rss <= 1.02*f.rss+1e-12*f.size {
			f = g
		}
	}
	return Layer{Name: name, Sources: all[0].sources, Weights: f.weights, CI: f.ci, Residual: math.Sqrt(f.rss / math.Max(f.size, 1e-300))}, f.rss
}

// against is what is left when the child is parent k as it is.
func against(all []*tensorFit, k int) (rss float64, ok bool) {
	for _, t := range all {
		if t.x[k] == nil {
			return 0, false
		}
		for i, y := range t.y {
			d := float64(y) - float64(t.x[k][i])
			rss += float64(d * d)
		}
	}
	return rss, true
}

// nearestParent is Σ(child − parent)² for the parent that is nearest.
func nearestParent(all []*tensorFit, n int) float64 {
	best := math.Inf(1)
	for k := range n {
		if rss, ok := against(all, k); ok {
			best = math.Min(best, rss)
		}
	}
	if math.IsInf(best, 1) {
		best = 0
		for _, t := range all {
			for _, y := range t.y {
				best += float64(float64(y) * float64(y))
			}
		}
	}
	return best
}

// rounding is Σ of the squared errors that storing the child's values causes:
// a twelfth of the squared distance between neighbouring numbers each.
func (t *tensorFit) rounding() float64 {
	bits := map[tensor.DType]int{tensor.BF16: 7, tensor.F16: 10, tensor.F32: 23, tensor.F8E4M3: 3, tensor.F8E5M2: 2}[t.dtype]
	if bits == 0 {
		bits = 7
	}
	sum := 0.0
	for _, y := range t.y {
		if y == 0 {
			continue
		}
		_, e := math.Frexp(float64(y))
		u := math.Ldexp(1, e-1-bits)
		sum += float64(u*u) / 12
	}
	return sum
}

// baseOf finds the parent that the others were made from: the one whose task
// vectors to the others are orthogonal to each other. It matters only where
// the weights of the others do not already sum to one.
func baseOf(all []*tensorFit, w []float64, active []int) (int, bool) {
	if len(active) < 3 {
		return -1, false
	}
	best, least := -1, 0.3
	for _, b := range active {
		if c := meanCosine(all, b, active); c < least {
			best, least = b, c
		}
	}
	return best, best >= 0
}

// meanCosine is the mean cosine between the task vectors that start at b.
func meanCosine(all []*tensorFit, b int, active []int) float64 {
	var sum float64
	n := 0
	for i, p := range active {
		for _, q := range active[i+1:] {
			if p == b || q == b {
				continue
			}
			var pq, pp, qq float64
			for _, t := range all {
				if !t.has([]int{b, p, q}) {
					continue
				}
				for j := range t.y {
					x := float64(t.x[p][j]) - float64(t.x[b][j])
					y := float64(t.x[q][j]) - float64(t.x[b][j])
					pq, pp, qq = pq+float64(x*y), pp+float64(x*x), qq+float64(y*y)
				}
			}
			sum += math.Abs(pq) / math.Sqrt(math.Max(pp*qq, 1e-300))
			n++
		}
	}
	return sum / float64(max(1, n))
}

// slerps fits the arc between the two parents that take part.
func slerps(all []*tensorFit, active []int, n int) []candidate {
	if len(active) != 2 {
		return nil
	}
	p, q := active[0], active[1]
	// t is shared by all tensors: fit it by golden-section search.
	lo, hi := 0.0, 1.0
	for range 40 {
		a, b := lo+(hi-lo)*0.382, lo+(hi-lo)*0.618
		if slerpRSS(all, p, q, a) < slerpRSS(all, p, q, b) {
			hi = b
		} else {
			lo = a
		}
	}
	t := (lo + hi) / 2
	w := make([]float64, n)
	w[p], w[q] = 1-t, t
	return []candidate{{SLERP, -1, 0, w, slerpRSS(all, p, q, t)}}
}

// slerpRSS is what the point at t on the arc leaves, tensor by tensor.
func slerpRSS(all []*tensorFit, p, q int, t float64) float64 {
	rss := 0.0
	for _, f := range all {
		if !f.has([]int{p, q}) {
			continue
		}
		m := f.moments(p, q)
		cos := m.pq / math.Sqrt(math.Max(m.pp*m.qq, 1e-300))
		theta := math.Acos(math.Max(-1, math.Min(1, cos)))
		a, b := 1-t, t
		if theta > 1e-6 {
			a, b = math.Sin((1-t)*theta)/math.Sin(theta), math.Sin(t*theta)/math.Sin(theta)
		}
		// In terms of differences from the child, so that nothing cancels.
		rss += a*a*m.dpp + b*b*m.dqq + 2*a*b*m.dpq + (a+b-1)*(a+b-1)*m.yy + 2*(a+b-1)*(a*m.ydp+b*m.ydq)
	}
	return rss
}

// moments are the sums over one tensor that an arc needs: of the parents, and
// of their differences from the child.
type moments struct{ pp, qq, pq, dpp, dqq, dpq, yy, ydp, ydq float64 }

func (t *tensorFit) moments(p, q int) (m moments) {
	if t.cached != nil && t.cachedFor == [2]int{p, q} {
		return *t.cached
	}
	for i, yf := range t.y {
		y, a, b := float64(yf), float64(t.x[p][i]), float64(t.x[q][i])
		da, db := a-y, b-y
		m.pp, m.qq, m.pq = m.pp+float64(a*a), m.qq+float64(b*b), m.pq+float64(a*b)
		m.dpp, m.dqq, m.dpq = m.dpp+float64(da*da), m.dqq+float64(db*db), m.dpq+float64(da*db)
		m.yy, m.ydp, m.ydq = m.yy+float64(y*y), m.ydp+float64(y*da), m.ydq+float64(y*db)
	}
	t.cached, t.cachedFor = &m, [2]int{p, q}
	return m
}
