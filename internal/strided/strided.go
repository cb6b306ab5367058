// Package strided reads arrays whose elements do not lie one behind the other:
// transposed matrices, slices, views with strides of their own.
package strided

import (
	"cmp"
	"io"
	"slices"
)

// New reads a view of a storage, of which it is a rectangle of elements of item
// bytes each that begins at byte base. Strides are counted in elements. The
// caller has checked that all elements lie within r.
func New(r io.ReaderAt, base int64, shape, strides []int64, item int64) io.ReaderAt {
	dims := strided(shape, strides, item)
	if len(dims) == 0 {
		dims = []dim{{1, item}}
	}
	total := item
	for _, d := range dims {
		total *= d.n
	}
	return &ahead{r: &gather{r: r, base: base, item: item, dims: dims}, total: total}
}

// Dense tells whether a view's elements lie one behind the other.
func Dense(shape, strides []int64, item int64) bool {
	return contiguous(strided(shape, strides, item), item)
}

// Transposed gives a contiguous array's shape and strides with its dimensions
// in another order: dimension i of the result is dimension order[i].
func Transposed(shape []int64, order []int) (to, strides []int64) {
	own := make([]int64, len(shape))
	step := int64(1)
	for i := len(shape) - 1; i >= 0; i-- {
		own[i] = step
		step *= shape[i]
	}
	for _, i := range order {
		to, strides = append(to, shape[i]), append(strides, own[i])
	}
	return to, strides
}

// gather reads a view with strides of its own as if its elements lay one
// behind the other in logical order. Only the bytes asked for are read from
// the storage, rounded out to runs where elements lie densely.
type gather struct {
	r    io.ReaderAt // the storage
	base int64       // of the first element, in bytes
	item int64       // bytes of an element
	dims []dim       // outermost first, none of size 1
}

// dim is one dimension: how many steps, of how many bytes.
type dim struct{ n, step int64 }

const (
	runBytes = 64 << 10 // most that is read at a time
	sparsity = 16       // of the bytes of a run, one in so many is wanted at least
)

// strided returns the dimensions of a view with those joined that lie one
// behind the other. At most one is left, of whole elements, for a view that is
// contiguous.
func strided(shape, strides []int64, item int64) []dim {
	var dims []dim
	for i, n := range shape {
		d := dim{n, strides[i] * item}
		if n == 1 {
			continue
		}
		if k := len(dims) - 1; k >= 0 && dims[k].step == d.n*d.step {
			dims[k] = dim{dims[k].n * d.n, d.step}
			continue
		}
		dims = append(dims, d)
	}
	return dims
}

func contiguous(dims []dim, item int64) bool {
	return len(dims) == 0 || len(dims) == 1 && dims[0].step == item || slices.ContainsFunc(dims, func(d dim) bool { return d.n == 0 })
}

// ReadAt fills p with the bytes from off on of the elements in logical order.
func (g *gather) ReadAt(p []byte, off int64) (int, error) {
	total := g.item
	for _, d := range g.dims {
		total *= d.n
	}
	n := int(max(0, min(int64(len(p)), total-off)))
	if n > 0 {
		first, last := off/g.item, (off+int64(n)-1)/g.item
		whole := p[:n]
		if int64(n) != (last-first+1)*g.item {
			whole = make([]byte, (last-first+1)*g.item) // the range begins or ends inside an element
		}
		if err := g.ranges(whole, g.dims, first, last+1, g.base); err != nil {
			return 0, err
		}
		if len(whole) != n {
			copy(p, whole[off-first*g.item:])
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// ranges reads the elements [lo, hi) in logical order of the dimensions: a
// part of one step of the outermost, then whole steps, then a part.
func (g *gather) ranges(p []byte, dims []dim, lo, hi, at int64) error {
	inner := int64(1)
	for _, d := range dims[1:] {
		inner *= d.n
	}
	step := func(i, from, to int64) error {
		n := (to - from) * g.item
		part := p[:n]
		p = p[n:]
		return g.ranges(part, dims[1:], from, to, at+i*dims[0].step)
	}
	a, b := lo/inner, hi/inner
	if inner > 1 && a == b {
		return step(a, lo%inner, hi%inner)
	}
	if lo%inner > 0 {
		if err := step(a, lo%inner, inner); err != nil {
			return err
		}
		a++
	}
	if a < b {
		part := p[:(b-a)*inner*g.item]
		p = p[len(part):]
		if err := g.box(part, dims, b-a, at+a*dims[0].step); err != nil {
			return err
		}
	}
	if hi%inner > 0 {
		return step(b, 0, hi%inner)
	}
	return nil
}

// axis is a dimension of a box with the distance of its steps on both sides.
type axis struct{ n, from, to int64 }

// box reads whole steps: the first n of the outermost dimension, all of the
// others. It walks in the storage's order.
func (g *gather) box(p []byte, dims []dim, n, at int64) error {
	axes := make([]axis, len(dims))
	to := g.item
	for i := len(dims) - 1; i >= 0; i-- {
		axes[i] = axis{dims[i].n, dims[i].step, to}
		to *= dims[i].n
	}
	axes[0].n = n
	slices.SortStableFunc(axes, func(a, b axis) int { return cmp.Compare(b.from, a.from) })
	w := walk{g: g, p: p, run: make([]byte, 0, min(runBytes, int64(len(p))*sparsity))}
	return w.read(axes, at, 0)
}

// walk reads one box.
type walk struct {
	g   *gather
	p   []byte
	run []byte
}

// read fills the box of the axes, which begins at a place of the storage and
// one of p. A box that lies densely within a run is read at once.
func (w *walk) read(axes []axis, at, to int64) error {
	span, wanted := w.g.item, w.g.item
	for _, x := range axes {
		span += (x.n - 1) * x.from
		wanted *= x.n
	}
	if span <= int64(cap(w.run)) && span <= wanted*sparsity {
		w.run = w.run[:span]
		if n, err := w.g.r.ReadAt(w.run, at); n < len(w.run) {
			return err
		}
		w.spread(axes, 0, to)
		return nil
	}
	return w.divide(axes, at, to)
}

// divide reads the steps of the outermost axis one by one, or, where these are
// the elements themselves, as many as a run holds.
func (w *walk) divide(axes []axis, at, to int64) error {
	x := axes[0]
	group := int64(1)
	if len(axes) == 1 && x.from <= w.g.item*sparsity {
		group = max(1, (int64(cap(w.run))-w.g.item)/max(x.from, 1))
	}
	for i := int64(0); i < x.n; i += group {
		rest := axes[1:]
		if k := min(group, x.n-i); k > 1 {
			rest = []axis{{k, x.from, x.to}}
		}
		if err := w.read(rest, at+i*x.from, to+i*x.to); err != nil {
			return err
		}
	}
	return nil
}

// spread copies the elements of the run to their places.
func (w *walk) spread(axes []axis, at, to int64) {
	if len(axes) == 0 {
		copy(w.p[to:to+w.g.item], w.run[at:])
		return
	}
	for i := range axes[0].n {
		w.spread(axes[1:], at+i*axes[0].from, to+i*axes[0].to)
	}
}
