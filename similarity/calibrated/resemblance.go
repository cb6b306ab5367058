package calibrated

import (
	"cmp"
	"math"
	"math/cmplx"
	"slices"

	"github.com/weightprint/weightprint/internal/dense"
)

// Resemblance matches the heads of two layers by their sizes, best first and
// each once, and returns the mean correlation of the sizes of matched heads,
// the mean agreement of their phases, and how many were matched.
func Resemblance(a, b []Head) (size, phase float64, n int) {
	xa, xb := standard(a), standard(b)
	type cell struct {
		i, j int
		c    float64
	}
	var cells []cell
	for j := range xb {
		for i := range xa {
			if len(xa[i]) == len(xb[j]) {
				cells = append(cells, cell{i, j, dense.Dot64(xa[i], xb[j])})
			}
		}
	}
	slices.SortStableFunc(cells, func(x, y cell) int { return cmp.Compare(y.c, x.c) })
	usedA, usedB := make([]bool, len(a)), make([]bool, len(b))
	for _, c := range cells {
		if usedA[c.i] || usedB[c.j] {
			continue
		}
		usedA[c.i], usedB[c.j] = true, true
		size += c.c
		for k, z := range a[c.i].Phases {
			phase += real(cmplx.Conj(z)*b[c.j].Phases[k]) / float64(len(a[c.i].Phases))
		}
		n++
	}
	if n == 0 {
		return 0, 0, 0
	}
	return size / float64(n), phase / float64(n), n
}

// standard centres the sizes over heads and within each head, and scales each
// head to length 1: what all heads share says nothing about one.
func standard(heads []Head) [][]float64 {
	if len(heads) == 0 {
		return nil
	}
	mean := make([]float64, len(heads[0].Sizes))
	for _, h := range heads {
		for k, v := range h.Sizes {
			mean[k] += v / float64(len(heads))
		}
	}
	out := make([][]float64, len(heads))
	for i, h := range heads {
		x := make([]float64, len(h.Sizes))
		own := 0.0
		for k, v := range h.Sizes {
			x[k] = v - mean[k]
			own += x[k] / float64(len(x))
		}
		norm := 0.0
		for k := range x {
			x[k] -= own
			norm += x[k] * x[k]
		}
		for k := range x {
			x[k] /= math.Sqrt(norm) + 1e-30
		}
		out[i] = x
	}
	return out
}
