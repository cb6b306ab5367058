package axis

import (
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/similarity/stats"
)

// centre sets to to the eligible rows of X less their mean row, scales the
// columns alike, then subtracts from each row its own mean and scales it to
// length 1. Rows that vanish become ineligible. Mean and scale of a column
// are symmetric functions of the units, so taking them away keeps the units
// exchangeable; without it a few outlier columns would speak for all.
func centre(to, x []float32, n, d int, ok []bool) {
	mean, scale := columns(x, n, d, ok)
	for i := range n {
		row := to[i*d : (i+1)*d]
		if !ok[i] {
			clear(row)
			continue
		}
		dense.Scale(row, x[i*d:(i+1)*d], mean, scale)
		squares, own := dense.Sums(row)
		own /= float64(d)
		norm := math.Sqrt(max(0, squares-float64(float64(own*own)*float64(d))))
		if !(norm > 1e-5*math.Sqrt(float64(d))) {
			ok[i] = false
			clear(row)
			continue
		}
		dense.Shift(row, own, norm)
	}
}

// columns returns mean and inverse scale of each column over the eligible
// rows. The scale is the standard deviation, but not below a quarter of the
// median one: columns that hardly vary must not be blown up to noise.
func columns(x []float32, n, d int, ok []bool) (mean, scale []float64) {
	mean, count := means(x, n, d, d, ok)
	scale = make([]float64, d)
	for i := range n {
		if ok[i] {
			dense.AddSquares(scale, mean, x[i*d:(i+1)*d])
		}
	}
	for k := range scale {
		scale[k] = math.Sqrt(scale[k] / float64(max(1, count)))
	}
	if d == 0 {
		return mean, scale
	}
	least := stats.Nth(slices.Clone(scale), d/2) / 4
	for k := range scale {
		if s := math.Max(scale[k], least); s > 0 {
			scale[k] = 1 / s
		}
	}
	return mean, scale
}

// means are those of the first columns over the eligible rows, of which there are count.
func means(x []float32, n, d, columns int, ok []bool) (mean []float64, count int) {
	mean = make([]float64, columns)
	for i := range n {
		if ok[i] {
			count++
			dense.AddTo(mean, x[i*d:i*d+columns])
		}
	}
	for k := range mean {
		mean[k] /= float64(max(1, count))
	}
	return mean, count
}
