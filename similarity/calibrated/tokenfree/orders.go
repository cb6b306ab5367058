package tokenfree

import (
	"context"
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/basis"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/similarity/mlp"
)

// A matrix may carry the name of another of its layer: whoever writes the program that
// runs a network is free to choose. What names cannot change is the spectrum of a
// matrix whose rows are brought to unit length: no rotation of the residual stream, no
// order, sign or scale of units alters it.

// spectralRows is how many rows of a matrix its spectrum is estimated from.
const spectralRows = 1024

// powers are the moments of a spectrum that are compared: traces of the second to the
// fourth power of the Gram matrix.
const powers = 3

// Orders finds in which roles the matrices of each layer of b stand: for each layer the
// order of its views whose spectra are nearest to those of some layer of a. View k of
// a layer so ordered is view order[k] as it is named. Once ctx has ended the orders
// mean nothing.
func Orders(ctx context.Context, a, b []mlp.Block, o *Options) [][]int {
	if len(a) == 0 || len(b) == 0 || len(a[0].Views()) != len(b[0].Views()) {
		return nil
	}
	opt := o.within(ctx)
	dims := min(opt.Dims, a[0].Hidden, b[0].Hidden)
	sa, sb := spectra(opt, a, dims), spectra(opt, b, dims)
	out := make([][]int, len(b))
	for j := range b {
		least := math.Inf(1)
		for _, order := range Arrangements(len(sb[j])) {
			for i := range a {
				if far := apart(sa[i], sb[j], order); far < least {
					out[j], least = order, far
				}
			}
		}
	}
	return out
}

// spectra are the moments of each view of each layer.
func spectra(opt Options, blocks []mlp.Block, dims int) (out [][][powers]float64) {
	var all []*directions
	for i := range blocks {
		all = append(all, someRows(&blocks[i]))
	}
	span := opt.leading(slices.Values(all), all[0].dim, dims)
	for _, d := range all {
		d = d.onto(span, dims)
		views := make([][powers]float64, len(d.rows))
		dense.Parallel(len(views), func(v int) {
			if !opt.ended() {
				views[v] = moments(basis.ColumnGram(d.rows[v], d.units, dims), dims)
			}
		})
		out = append(out, views)
	}
	return out
}

// someRows are rows of each view at unit length, none of them centred.
func someRows(b *mlp.Block) *directions {
	n := min(b.Units, spectralRows)
	d := &directions{units: n, dim: b.Hidden}
	for _, v := range b.Views() {
		rows := make([]float32, 0, n*b.Hidden)
		for i := range n {
			u := i * b.Units / n
			rows = append(rows, v.Rows[u*b.Hidden:(u+1)*b.Hidden]...)
		}
		d.length = append(d.length, normalise(rows, n, b.Hidden))
		d.rows, d.odd = append(d.rows, rows), append(d.odd, true)
	}
	return d
}

// moments are the logarithms of traces of powers of a Gram matrix of trace n.
func moments(g []float32, n int) (out [powers]float64) {
	unitTrace(g, n)
	p := g
	for k := range out {
		trace := 0.0
		for i := range p {
			trace += float64(p[i]) * float64(g[i])
		}
		out[k] = logarithm(trace / float64(n))
		next := make([]float32, len(g))
		dense.SerialNT(next, p, g, n, n, n)
		p = next
	}
	return out
}

// apart is how far the spectra of a layer of A are from those of a layer of B in some
// order.
func apart(a, b [][powers]float64, order []int) (sum float64) {
	for v, from := range order {
		for k := range a[v] {
			sum += math.Abs(a[v][k]-b[from][k]) / float64(k+1)
		}
	}
	return sum
}

// Arrangements are all orders of two or three views, the first as they are.
func Arrangements(views int) [][]int {
	if views == 2 {
		return [][]int{{0, 1}, {1, 0}}
	}
	return [][]int{{0, 1, 2}, {1, 0, 2}, {0, 2, 1}, {2, 1, 0}, {1, 2, 0}, {2, 0, 1}}
}
