// Package unitanchored sees the hidden units of a layer through the hidden
// units of the layers before it: their inner products. No rotation of the
// residual stream alters these, no tokens are needed, and label tests on them
// stay exact.
//
// Why they stay exact: under the null of package exact the labels of a layer's
// units are in uniformly random order given the rest of both networks, and so
// given the labels of the layers before it, which only name the coordinates.
// Each layer looks back only. Then what is counted in a layer depends on its
// own order and on earlier ones, and the bound for one layer holds given all
// earlier counts; bounds multiply as they do for independent axes. If layers
// looked at one another this would fail: where the inner products of two
// layers are a table with a symmetry, both layers relabelled by it agree in
// all labels at once.
//
// Labels can be arranged, so this says how sure a common order of units is,
// never that one network came from the other.
package unitanchored

import (
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/mlp"
)

// Options bound the work. The zero value takes the defaults.
type Options struct {
	Seed    []byte
	Units   int // labels of a layer that are tested, 256 when 0
	Anchors int // units of earlier layers that are looked through, 384 when 0

	// Usable tells which units of a block, by its position, may be compared, by
	// a rule that looks at each side alone; nil when all may.
	Usable func(at, unit int) bool
}

// Layer is what the units of one layer look like through those before it.
type Layer struct {
	At       int       // position in the input
	Labels   []int     // the units that were compared
	Likeness []float32 // labels of B (rows) × labels of A: cosines of what they see
}

// Layers compares block i of A with block i of B for all i > 0. Blocks whose
// numbers of units differ have no common labels and are left out, as layers
// and as anchors.
func Layers(a, b []mlp.Block, o *Options) []Layer {
	opt := Options{Units: 256, Anchors: 384}
	if o != nil {
		opt.Seed, opt.Usable = o.Seed, o.Usable
		if o.Units > 0 {
			opt.Units = o.Units
		}
		if o.Anchors > 0 {
			opt.Anchors = o.Anchors
		}
	}
	var out []Layer
	var seen []int // layers that may serve as anchors
	for i := range min(len(a), len(b)) {
		if a[i].Units != b[i].Units || len(a[i].Views()) != len(b[i].Views()) {
			continue
		}
		if len(seen) > 0 {
			l := Layer{At: i, Labels: usable(opt, i, labels(opt.Seed, "unit-anchored units", a[i].Units, opt.Units))}
			through := newLens(opt, seen, a)
			n := len(l.Labels)
			l.Likeness = make([]float32, n*n)
			xa, xb := through.look(a, i, l.Labels), through.look(b, i, l.Labels)
			dense.MulNT(l.Likeness, xb, xa, n, n, len(xa)/max(1, n))
			out = append(out, l)
		}
		seen = append(seen, i)
	}
	return out
}

// labels draws the units that take part, the same on both sides and in every
// layer of one length.
func labels(seed []byte, purpose string, total, most int) []int {
	return rng.New(seed, purpose).Sample(total, min(total, most))
}

func usable(opt Options, at int, units []int) []int {
	if opt.Usable == nil {
		return units
	}
	return slices.DeleteFunc(units, func(u int) bool { return !opt.Usable(at, u) })
}

// anchorUnit is a unit of an earlier layer, by layer and label.
type anchorUnit struct{ layer, unit int }

// lens is the units that a layer is looked at through.
type lens []anchorUnit

// newLens draws anchors evenly from the earlier layers.
func newLens(opt Options, seen []int, a []mlp.Block) (out lens) {
	each := max(1, opt.Anchors/len(seen))
	for _, l := range seen {
		for _, u := range labels(opt.Seed, "anchor units", a[l].Units, each) {
			out = append(out, anchorUnit{l, u})
		}
	}
	return out
}

// look returns what the units of a layer see, as unit rows: for each of their
// views and each view of the anchors the cosines, by size where either may
// change sign. Each column is brought to mean zero and deviation one, which
// forgets what all units share; so is each row.
func (l lens) look(net []mlp.Block, layer int, units []int) []float32 {
	views, h := net[layer].Views(), net[layer].Hidden
	dim := len(l) * len(views) * len(views)
	out := make([]float32, len(units)*dim)
	if len(out) == 0 {
		return out
	}
	own := make([][]float32, len(views))
	for w := range views {
		for _, u := range units {
			own[w] = appendDirection(own[w], views[w].Rows[u*h:(u+1)*h])
		}
	}
	c := make([]float32, len(units)*len(l))
	anchors := make([]float32, 0, len(l)*h)
	for v := range views {
		anchors = anchors[:0]
		for _, x := range l {
			anchors = appendDirection(anchors, net[x.layer].Views()[v].Rows[x.unit*h:(x.unit+1)*h])
		}
		for w := range views {
			dense.MulNT(c, own[w], anchors, len(units), len(l), h)
			l.place(out[(v*len(views)+w)*len(l):], c, dim, views[w].Equivariant || views[v].Equivariant)
		}
	}
	evenColumns(out, len(units), dim)
	for u := range units {
		row := out[u*dim : (u+1)*dim]
		centre(row)
		unitLength(row)
	}
	return out
}

// place puts a table of cosines, or of their sizes, into rows that begin dim apart.
func (l lens) place(out, c []float32, dim int, sizes bool) {
	for ; len(c) > 0; c = c[len(l):] {
		to := out[:copy(out, c[:len(l)])]
		if sizes {
			for k, x := range to {
				to[k] = float32(math.Abs(float64(x)))
			}
		}
		out = out[min(dim, len(out)):]
	}
}

// appendDirection appends a row brought to unit length.
func appendDirection(to, row []float32) []float32 {
	to = append(to, row...)
	unitLength(to[len(to)-len(row):])
	return to
}

// unitLength brings a row to length one; one that has no length becomes zero.
func unitLength(row []float32) {
	size := dense.Norm(row)
	if !(size > 0) || math.IsInf(size, 0) {
		clear(row)
		return
	}
	dense.Shift(row, 0, size)
}

func centre(row []float32) {
	mean := 0.0
	for _, v := range row {
		mean += float64(v)
	}
	mean /= float64(len(row))
	dense.Shift(row, mean, 1)
}

// evenColumns brings the columns of an n×d matrix to mean zero and deviation
// one.
func evenColumns(x []float32, n, d int) {
	mean, square, zero := make([]float64, d), make([]float64, d), make([]float64, d)
	for first := 0; first < n*d; first += d {
		dense.AddTo(mean, x[first:first+d])
		dense.AddSquares(square, zero, x[first:first+d])
	}
	for k := range mean {
		mean[k] /= float64(n)
		square[k] = math.Sqrt(max(0, square[k]/float64(n)-float64(mean[k]*mean[k])))
	}
	for first := 0; first < n*d; first += d {
		for k, v := range x[first : first+d] {
			x[first+k] = 0
			if square[k] > 1e-9 {
				x[first+k] = float32((float64(v) - mean[k]) / square[k])
			}
		}
	}
}

// Fixed counts the labels whose most like label is themselves. Ties go to a
// label drawn at random, so that units which cannot be told apart never favour
// the same place on both sides.
func (l *Layer) Fixed(seed []byte) int {
	n := len(l.Labels)
	order := rng.New(seed, "ties").Perm(n)
	count := 0
	for j := range n {
		best := -1
		for _, i := range order {
			if best < 0 || l.Likeness[j*n+i] > l.Likeness[j*n+best] {
				best = i
			}
		}
		if best == j && l.Likeness[j*n+j] > 0 {
			count++
		}
	}
	return count
}
