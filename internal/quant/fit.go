package quant

import "math"

// The searches for the scale of a sub-block that ggml's quantisers share
// (ggml-quants.c: make_qx_quants, make_q3_quants, make_qkx2_quants,
// make_qkx3_quants, make_qp_quants). They differ in what a code may be and in
// what they call an error; every sum is taken in the reference's order, since
// the choice between two scales hangs on its last bits.

// groupEps is what the largest value of a group must reach to be searched.
const groupEps = 1e-15

// nearest rounds to the nearest whole number, halves to even, for |f| < 2²².
func nearest(f float32) int {
	return int(math.Float32bits(float32(float32(f)+12582912))&0x7fffff) - 0x400000
}

// within keeps a code between its ends.
func within(l, lo, hi int) int { return max(lo, min(hi, l)) }

func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// squares gives x², the weight of a value where nothing tells its importance.
func squares(w, x []float32) {
	for i, v := range x {
		w[i] = v * v
	}
}

// ratio sums w·x·l and w·l² over a group.
type ratio struct{ lx, l2 float32 }

func (r *ratio) add(w, x, l float32) {
	r.lx += float32(float32(w*x) * l)
	r.l2 += float32(float32(w*l) * l)
}

// addBook is add with the product of weight and code taken first, as the
// searches in a code book do.
func (r *ratio) addBook(w, x, l float32) {
	wl := float32(w * l)
	r.lx += float32(wl * x)
	r.l2 += float32(wl * l)
}

// less takes one value out of the sums.
func (r ratio) less(w, x, l float32) ratio {
	return ratio{r.lx - float32(float32(w*x)*l), r.l2 - float32(float32(w*l)*l)}
}

// beats tells whether r explains more than a score that another scale reached.
func (r ratio) beats(best float32) bool { return r.l2 > 0 && r.lx*r.lx > float32(best*r.l2) }

// better tells whether r explains more than o.
func (r ratio) better(o ratio) bool {
	return float32(r.lx*r.lx)*o.l2 > float32(o.lx*o.lx)*r.l2
}

func (r ratio) scale() float32 {
	if r.l2 > 0 {
		return r.lx / r.l2
	}
	return 0
}

// fitSigned searches the scale of codes −n … n−1 among nineteen candidates and
// writes the codes less their offset, l+n ≥ 0. It returns the scale.
func fitSigned(n int, x, w []float32, codes []uint8) float32 {
	far, size := farthest(x)
	if size < groupEps {
		clear(codes[:len(x)])
		return 0
	}
	var scale, best float32
	for k := range 19 {
		is := order19[k]
		inv := SignedCandidate(n, is, far)
		var r ratio
		for i, v := range x {
			r.add(w[i], v, float32(within(nearest(float32(inv*v)), -n, n-1)))
		}
		if is != 0 && !r.beats(best) {
			continue
		}
		for i, v := range x {
			codes[i] = uint8(n + within(nearest(float32(inv*v)), -n, n-1))
		}
		scale = r.scale()
		best = scale * r.lx
	}
	return scale
}

// order19 is the order in which candidates are tried: the plain one first.
var order19 = [19]int{0, -9, -8, -7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6, 7, 8, 9}

// SignedCandidate is the inverse scale that candidate is ∈ [−9, 9] of the search
// for codes −n … n−1 tries, where far is the value of largest size.
func SignedCandidate(n, is int, far float32) float32 {
	return -(float32(n) + float32(0.1*float32(is))) / far
}

// fitThree is the search of Q3_K: the plain scale, then single codes are moved
// as long as that explains more.
func fitThree(x []float32, codes []uint8) float32 {
	const n = 4
	far, size := farthest(x)
	if size < groupEps {
		clear(codes[:len(x)])
		return 0
	}
	inv := -n / far
	var r ratio
	l := make([]int, len(x))
	for i, v := range x {
		l[i] = within(nearest(float32(inv*v)), -n, n-1)
		r.add(v*v, v, float32(l[i]))
	}
	for range 5 {
		if !moveCodes(x, l, &r, func(v float32) float32 { return v * v }, -n, n-1) {
			break
		}
	}
	for i := range x {
		codes[i] = uint8(l[i] + n)
	}
	return r.scale()
}

// moveCodes gives each value the code that is nearest under the scale of all
// the others, where that explains more.
func moveCodes(x []float32, l []int, r *ratio, weight func(float32) float32, lo, hi int) (changed bool) {
	for i, v := range x {
		w := weight(v)
		rest := r.less(w, v, float32(l[i]))
		if !(rest.lx > 0) {
			continue
		}
		to := within(nearest(float32(v*rest.l2)/rest.lx), lo, hi)
		if to == l[i] {
			continue
		}
		rest.add(w, v, float32(to))
		if rest.l2 > 0 && rest.better(*r) {
			l[i], *r, changed = to, rest, true
		}
	}
	return changed
}

// affine says how codes 0 … n with a minimum are searched: candidates
// (first + step·i + n)/(max − min) for i = 0 … steps.
type affine struct {
	n           int
	first, step float32
	steps       int
	absolute    bool // errors are not squared
}

// candidate is the inverse scale that the search tries at place i.
func (a affine) candidate(i int, lo, hi float32) float32 {
	return (a.first + float32(a.step*float32(i)) + float32(a.n)) / (hi - lo)
}

// span is the range that the codes cover: from the least value, which is at
// most 0, to the largest.
func span(x []float32) (lo, hi float32) {
	lo, hi = x[0], x[0]
	for _, v := range x[1:] {
		if v < lo {
			lo = v
		}
		if v > hi {
			hi = v
		}
	}
	if lo > 0 {
		lo = 0
	}
	return lo, hi
}

// fit returns scale and minimum (what is subtracted, ≥ 0) and writes the codes.
func (a affine) fit(x, w []float32, codes []uint8) (scale, minimum float32) {
	lo, hi := span(x)
	if hi <= lo {
		clear(codes[:len(x)])
		return 0, -lo
	}
	var sumW, sumX float32
	for i, v := range x {
		sumW += w[i]
		sumX += float32(w[i] * v)
	}
	inv := float32(a.n) / (hi - lo)
	scale = 1 / inv
	a.encode(x, inv, lo, codes)
	best := a.off(x, w, codes, scale, lo)
	var aux [32]uint8
	for i := 0; i <= a.steps; i++ {
		a.encode(x, a.candidate(i, lo, hi), lo, aux[:])
		s, m, ok := line(x, w, aux[:], sumW, sumX)
		if !ok {
			continue
		}
		if e := a.off(x, w, aux[:], s, m); e < best {
			copy(codes[:len(x)], aux[:])
			best, scale, lo = e, s, m // the next candidates start from here
		}
	}
	return scale, -lo
}

func (a affine) encode(x []float32, inv, lo float32, codes []uint8) {
	for i, v := range x {
		codes[i] = uint8(within(nearest(float32(inv*(v-lo))), 0, a.n))
	}
}

// off is the weighted error of scale and minimum.
func (a affine) off(x, w []float32, codes []uint8, scale, lo float32) (sum float32) {
	for i, v := range x {
		d := float32(float32(scale*float32(codes[i]))+lo) - v
		if a.absolute {
			d = abs(d)
		} else {
			d = d * d
		}
		sum += float32(w[i] * d)
	}
	return sum
}

// line is the weighted least-squares line through the codes, its start at most 0.
func line(x, w []float32, codes []uint8, sumW, sumX float32) (scale, lo float32, ok bool) {
	var sl, sl2, sxl float32
	for i, v := range x {
		l := float32(codes[i])
		wl := float32(w[i] * l)
		sl += wl
		sl2 += float32(wl * l)
		sxl += float32(wl * v)
	}
	det := float32(sumW*sl2) - float32(sl*sl)
	if !(det > 0) {
		return 0, 0, false
	}
	scale = (float32(sumW*sxl) - float32(sumX*sl)) / det
	lo = (float32(sl2*sumX) - float32(sl*sxl)) / det
	if lo > 0 {
		return sxl / sl2, 0, true
	}
	return scale, lo, true
}

// fitPositive searches the scale of codes 0 … n of values that are not negative:
// of nine candidates the one with the least error, then single codes are moved.
func fitPositive(n int, x, w []float32, codes []uint8) float32 {
	var top float32
	for _, v := range x {
		top = max(top, v)
	}
	if top < groupEps {
		clear(codes[:len(x)])
		return 0
	}
	inv := float32(n) / top
	best := positiveError(x, w, inv, 1/inv, func(l int) float32 { return float32(uint8(l)) })
	for is := -4; is <= 4; is++ {
		if is == 0 {
			continue
		}
		c := (float32(0.1*float32(is)) + float32(n)) / top
		if e := positiveError(x, w, c, 1/c, func(l int) float32 { return float32(min(n, l)) }); e < best {
			best, inv = e, c
		}
	}
	var r ratio
	for i, v := range x {
		l := min(n, nearest(float32(inv*v)))
		codes[i] = uint8(l)
		r.add(w[i], v, float32(l))
	}
	for range 5 {
		if !movePositive(n, x, w, codes, &r) {
			break
		}
	}
	return r.scale()
}

// positiveError is the weighted error of a scale. A value that a flipped sign
// made negative wraps round in a code of eight bits, as in the reference.
func positiveError(x, w []float32, inv, scale float32, code func(int) float32) (sum float32) {
	for i, v := range x {
		d := v - float32(scale*code(nearest(float32(inv*v))))
		sum += float32(float32(w[i]*d) * d)
	}
	return sum
}

func movePositive(n int, x, w []float32, codes []uint8, r *ratio) (changed bool) {
	for i, v := range x {
		rest := r.less(w[i], v, float32(codes[i]))
		if !(rest.lx > 0 && rest.l2 > 0) {
			continue
		}
		to := min(n, nearest(float32(v*rest.l2)/rest.lx))
		if to == int(codes[i]) {
			continue
		}
		rest.add(w[i], v, float32(to))
		if rest.better(*r) {
			codes[i], *r, changed = uint8(to), rest, true
		}
	}
	return changed
}
