package quant

import (
	"encoding/binary"
	"math"
	"slices"
)

// ternaryRule says how the types of about one bit and a half search: values are −1,
// 0 or 1, moved up or down by an eighth, times a scale. The split of a run's sorted
// values into the three levels is searched in full, and groups of eight that are
// no points of the grid take near ones (ggml-quants.c, quantize_row_iq1_*_impl).
type ternaryRule struct {
	size  int // bytes of a block
	sub   int // values that share a scale
	eps   float32
	split func(x, w []float32, order []int) (s ternarySplit, ok bool)
	alone func(w, x []float32, sigma2 float32) // weights without importance
	put   func(dst []byte, b *ternaryBlock, x []float32, weigh func(w []float32, j int))
}

// ternarySplit is where sorted values go from one level to the next, and which
// half of a run is moved down.
type ternarySplit struct {
	first, second int
	down          [2]uint8
	scale         float32
}

// ternaryBlock is a block before it is packed.
type ternaryBlock struct {
	index [32]uint16
	down  [32]uint8 // of each eight values
	scale [16]float32
}

// threes are the levels, moved up and moved down.
var threes = [2][3]float32{{-0.875, 0.125, 1.125}, {-1.125, -0.125, 0.875}}

var pointsIQ1 = newPoints(1792, 2048, 8, 2, 3, 3)

var ternaryRules = map[string]*ternaryRule{
	"IQ1_S": {size: 50, sub: 32, eps: 1e-12, split: splitWhole, alone: rootWeights, put: putIQ1S},
	"IQ1_M": {size: 56, sub: 16, eps: 1e-7, split: splitHalves, alone: plainSquares, put: putIQ1M},
}

func init() {
	for name, t := range ternaryRules {
		Requantisers[name] = byBlock(t.size, t.encode)
	}
}

// rootWeights is importance that is the same everywhere: the quantiser of IQ1_S
// takes no values without any.
func rootWeights(w, x []float32, sigma2 float32) {
	for i, v := range x {
		w[i] = sqrt32(sigma2 + float32(v*v))
	}
}

// encode writes one block of 256 values.
func (t *ternaryRule) encode(dst []byte, x, importance []float32) {
	p, b := pointsIQ1(), &ternaryBlock{}
	sigma2 := float32(2 * power(x) / 256)
	weighed := func(w []float32, j int) {
		xb := x[t.sub*j:][:t.sub]
		if importance != nil {
			weigh(w, importance[t.sub*j:], xb, sigma2)
			return
		}
		t.alone(w, xb, sigma2)
	}
	var w [32]float32
	for j := range 256 / t.sub {
		weighed(w[:t.sub], j)
		t.search(p, b, j, x[t.sub*j:][:t.sub], w[:t.sub])
	}
	clear(dst)
	t.put(dst, b, x, weighed)
}

// ByValue lists the places of values from the least to the largest, equal ones in order.
func ByValue(x []float32) []int {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case x[a] < x[b]:
			return -1
		case x[a] > x[b]:
			return 1
		}
		return 0
	})
	return order
}

// search finds scale and points of run j; it leaves empty what is too small.
func (t *ternaryRule) search(p *pointSet, b *ternaryBlock, j int, x, w []float32) {
	if _, size := farthest(x); size < t.eps {
		return
	}
	order := ByValue(x)
	s, ok := t.split(x, w, order)
	if !ok {
		return
	}
	levels := s.levels(order)
	groups := t.sub / 8
	index, down, off := b.index[groups*j:][:groups], b.down[groups*j:][:groups], false
	for k := range index {
		down[k] = s.down[k*2/groups]
		u := 0
		for i, l := range levels[8*k:][:8] {
			u |= l << (2 * i)
		}
		if at := p.place[u]; at >= 0 {
			index[k] = uint16(at)
			continue
		}
		off = true
		index[k] = p.nearestTernary(p.neighbours[u], x[8*k:], w[8*k:], s.scale, &threes[down[k]])
	}
	if off {
		var r ratio
		for k, at := range index {
			r.addTernary(p, at, &threes[down[k]], 1, x[8*k:], w[8*k:])
		}
		if r.lx > 0 && r.l2 > 0 {
			s.scale = r.scale()
		}
	}
	b.scale[j] = s.scale
}

// levels gives the level of each value. A negative scale is made positive by
// turning all levels round.
func (s *ternarySplit) levels(order []int) []int {
	l := make([]int, len(order))
	for n, i := range order {
		if n >= s.first {
			l[i]++
		}
		if n >= s.second {
			l[i]++
		}
	}
	if s.scale < 0 {
		for i := range l {
			l[i] = 2 - l[i]
		}
		s.scale, s.down = -s.scale, [2]uint8{1 - s.down[0], 1 - s.down[1]}
	}
	return l
}

// nearestTernary chooses among a list the point with the least weighted error.
func (p *pointSet) nearestTernary(list []uint16, x, w []float32, scale float32, levels *[3]float32) (at uint16) {
	best := float32(math.MaxFloat32)
	for _, n := range list {
		var d2 float32
		for k := range 8 {
			d := float32(scale*levels[p.level(p.words[n], k)]) - x[k]
			d2 += float32(float32(w[k]*d) * d)
		}
		if d2 < best {
			best, at = d2, n
		}
	}
	return at
}

// addTernary adds eight values that a point stands for, its levels times a factor.
func (r *ratio) addTernary(p *pointSet, at uint16, levels *[3]float32, times float32, x, w []float32) {
	for k := range 8 {
		q := levels[p.level(p.words[at], k)] * times
		r.lx += float32(float32(w[k]*q) * x[k])
		r.l2 += float32(float32(w[k]*q) * q)
	}
}

// keep takes a split that explains more than the best so far.
func (s *ternarySplit) keep(r ratio, best *float32, first, second int, down [2]uint8) bool {
	if !r.beats(*best) {
		return false
	}
	s.scale = r.lx / r.l2
	*best = s.scale * r.lx
	s.first, s.second, s.down = first, second, down
	return true
}

// splitWhole moves a whole run in one direction.
func splitWhole(x, w []float32, order []int) (s ternarySplit, ok bool) {
	n := len(order)
	var sx, sw [33]float32
	for k, i := range order {
		sx[k+1] = sx[k] + float32(w[i]*x[i])
		sw[k+1] = sw[k] + w[i]
	}
	best := float32(-math.MaxFloat32)
	for a := range n + 1 {
		for b := a; b <= n; b++ {
			for side, l := range threes {
				var r ratio
				r.lx = float32((sx[a]-sx[0])*l[0]) + float32((sx[b]-sx[a])*l[1]) + float32((sx[n]-sx[b])*l[2])
				r.l2 = float32(float32((sw[a]-sw[0])*l[0])*l[0]) + float32(float32((sw[b]-sw[a])*l[1])*l[1]) + float32(float32((sw[n]-sw[b])*l[2])*l[2])
				ok = s.keep(r, &best, a, b, [2]uint8{uint8(side), uint8(side)}) || ok
			}
		}
	}
	return s, ok
}

// splitHalves moves each half of a run in a direction of its own. Sums run through
// the values in their order, so those of a split begin with those of shorter ones.
func splitHalves(x, w []float32, order []int) (s ternarySplit, ok bool) {
	n := len(order)
	best := float32(-math.MaxFloat32)
	var low halfSums
	for a := range n + 1 {
		middle := low
		for b := a; b <= n; b++ {
			all := middle
			for _, i := range order[b:] {
				all.add(x, w, i, n, 2)
			}
			for side := range all {
				ok = s.keep(all[side], &best, a, b, [2]uint8{uint8(side >> 1), uint8(side & 1)}) || ok
			}
			if b < n {
				middle.add(x, w, order[b], n, 1)
			}
		}
		if a < n {
			low.add(x, w, order[a], n, 0)
		}
	}
	return s, ok
}

// halfSums are those of the four ways to move two halves: up up, up down, down up,
// down down.
type halfSums [4]ratio

func (h *halfSums) add(x, w []float32, i, n, level int) {
	up, down := threes[0][level], threes[1][level]
	levels := [4]float32{up, down, up, down}
	if i < n/2 {
		levels = [4]float32{up, up, down, down}
	}
	for side, l := range levels {
		h[side].addBook(w[i], x[i], l)
	}
}

// scaleCode is the code of a scale in three bits: 2l+1 units of d.
func scaleCode(inv, scale float32) int { return within(nearest(0.5*(float32(inv*scale)-1)), 0, 7) }

func putIQ1S(dst []byte, b *ternaryBlock, _ []float32, _ func([]float32, int)) {
	var h [8]uint16
	for k, at := range b.index {
		dst[2+k] = byte(at)
		h[k/4] |= at >> 8 << (3 * (k % 4))
	}
	if top := slices.Max(b.scale[:8]); top != 0 {
		d := top / 15
		putHalf(dst, d*1.125)
		for j := range h {
			h[j] |= uint16(scaleCode(1/d, b.scale[j]))<<12 | uint16(b.down[4*j])<<15
		}
	}
	for j, v := range h {
		binary.LittleEndian.PutUint16(dst[34+2*j:], v)
	}
}

// putIQ1M fits the scale of the block to all its values once the codes are known.
func putIQ1M(dst []byte, b *ternaryBlock, x []float32, weigh func([]float32, int)) {
	for k, at := range b.index {
		dst[k] = byte(at)
		dst[32+k/2] |= byte(at>>8) << (4 * (k % 2))
	}
	top := slices.Max(b.scale[:])
	if top == 0 {
		return
	}
	p, d := pointsIQ1(), top/15
	inv := 1 / d
	var sc [4]uint16
	var r ratio
	var w [16]float32
	for j := range 16 {
		l := scaleCode(inv, b.scale[j])
		sc[j/4] |= uint16(l) << (3 * (j % 4))
		dst[32+j] |= b.down[2*j]<<3 | b.down[2*j+1]<<7
		weigh(w[:], j)
		for k := range 2 {
			r.addTernary(p, b.index[2*j+k], &threes[b.down[2*j+k]], float32(2*l+1), x[16*j+8*k:], w[8*k:])
		}
	}
	if r.l2 > 0 {
		d = r.lx / r.l2
	}
	bits := toHalf(d * 1.1125)
	for i := range sc {
		binary.LittleEndian.PutUint16(dst[48+2*i:], sc[i]|bits>>(4*i)&15<<12)
	}
}
