package faithful

import (
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/linalg"
)

// byLeftOver weighs columns by what is left over in them: the median of aⱼ² over sⱼ².
func byLeftOver(all []equation) []float64 {
	w, off, top := make([]float64, len(all[0].a)), make([]float64, 0, len(all)), 0.0
	for j := range w {
		off = off[:0]
		for i := range all {
			if s := all[i].s[j]; s > 0 {
				off = append(off, math.Abs(all[i].a[j])/s)
			}
		}
		if len(off) > 0 {
			x := max(1, median(off))
			w[j] = 1 / (x * x)
		}
		top = max(top, w[j])
	}
	for j := range w {
		w[j] = max(w[j]/max(top, faint), faint)
	}
	return w
}

func plain(x float64) float64   { return x }
func squared(x float64) float64 { return float64(x * x) }

// search improves the importance in rounds. Each weighs equations by how well they hold:
// with the first power the sum of what is left becomes least, which has one answer; with the
// second what does not hold at all counts for nothing (Cauchy's weights).
func (s *shared) search(all []equation, powers []func(float64) float64) bool {
	off := make([]float64, len(all))
	for _, power := range powers {
		for range rounds {
			for i := range all {
				off[i] = math.Abs(all[i].left(s.w))
			}
			width := max(1, 2*median(off))
			moved, ok := s.step(all, func(i int) float64 { return 1 / (1 + power(off[i]/width)) })
			if !ok {
				return false
			}
			if moved < still {
				break
			}
		}
	}
	s.agreed = 0
	for i := range all {
		if math.Abs(all[i].left(s.w)) <= agree {
			s.agreed++
		}
	}
	return true
}

func median(x []float64) float64 {
	y := slices.Sorted(slices.Values(x))
	return y[len(y)/2]
}

// faint is the least importance that is told from none, over the largest of the run.
const faint = 1e-7

// still is by how much, in roundings, a step moves equations when it is the last.
const still = 1e-3

// step moves each importance, by a factor of eight at most, to where the equations leave
// least in all. They say nothing of the size of the whole: what is held is the sum of the
// roundings. It tells how far it moved equations, in roundings.
func (s *shared) step(all []equation, weight func(i int) float64) (moved float64, ok bool) {
	n := len(s.w)
	g, held := s.gram(all, weight)
	for j := range n {
		g[j*n+j] *= 1 + 1e-10
		if g[j*n+j] == 0 {
			g[j*n+j] = 1
		}
	}
	v, err := linalg.Solve(g, n, n, held)
	if err != nil {
		return 0, false
	}
	size := dense.Dot64(v, held) / dense.Dot64(held, ones(n))
	if !(size > 0) {
		return 0, false
	}
	was, top := slices.Clone(s.w), 0.0
	for j := range s.w {
		s.w[j] *= max(1.0/8, min(8, v[j]/size))
		top = max(top, s.w[j])
	}
	for j := range s.w {
		s.w[j] = max(s.w[j]/top, faint)
	}
	for i := range all {
		moved = max(moved, weight(i)*math.Abs(all[i].left(s.w)-all[i].left(was)))
	}
	return moved, true
}

func ones(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = 1
	}
	return v
}

// gram is Σ qᵢaᵢaᵢᵀ of equations in roundings, in units of the importance, and Σ qᵢsᵢ.
func (s *shared) gram(all []equation, weight func(i int) float64) (g, held []float64) {
	n := len(s.w)
	g, held = make([]float64, n*n), make([]float64, n)
	row := make([]float64, n)
	for i := range all {
		r, q := all[i].rounding(s.w), weight(i)
		if r == 0 || q == 0 {
			continue
		}
		for j := range row {
			row[j] = all[i].a[j] * s.w[j] / r
			held[j] += float64(q * all[i].s[j] * s.w[j] / r)
		}
		for j, x := range row {
			for k := range j + 1 {
				g[j*n+k] += float64(q * x * row[k])
			}
		}
	}
	for j := range n {
		for k := range j {
			g[k*n+j] = g[j*n+k]
		}
	}
	return g, held
}
