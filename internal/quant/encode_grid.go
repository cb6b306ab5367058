package quant

import (
	"encoding/binary"
	"slices"
	"sync"
)

// gridRule says how an i-quant searches: the points it may take, how values are
// grouped, which scales are tried. One procedure serves all five types
// (ggml-quants.c, quantize_row_iq2_*_impl and quantize_row_iq3_*_impl).
type gridRule struct {
	size    int // bytes of a block
	points  func() *pointSet
	group   int // values of a point
	levels  int // of a value; level l stands for 2l+1
	sub     int // values that share a scale
	parity  bool
	sigma   float32
	alone   func(w, x []float32, sigma2 float32) // weights without importance
	reach   int                                  // candidates −reach … reach
	step    float32
	fromFit bool // candidates start from a fitted scale, not from the largest value
	again   int  // which points are chosen anew under the final scale
	fudge   float32
	eps     float32
	put     func(dst []byte, b *gridBlock)
}

// Which points are chosen anew once the scale is known.
const (
	offGrid    = iota // those whose values lay off the grid
	allIfAny          // all, where any lay off it
	everyPoint        // all
)

// gridBlock is a block before it is packed.
type gridBlock struct {
	index [64]uint16 // of each point
	signs [32]byte   // of each eight values
	scale [16]float32
	codes [16]uint8
}

// pointSet is a grid with the answer for every combination of levels: the point
// itself, or the points of the nearest shells.
type pointSet struct {
	words      []uint16  // levels of each point, packed
	values     []float32 // and as 2l+1
	bits, per  int
	place      []int32    // by packed levels: the point, or −1
	neighbours [][]uint16 // where there is none
}

// newPoints reads n points from number first of the packed grids. shells is how
// many different distances count as near.
func newPoints(first, n, per, bits, levels, shells int) func() *pointSet {
	return sync.OnceValue(func() *pointSet {
		p := &pointSet{bits: bits, per: per, place: make([]int32, 1<<(per*bits)), neighbours: make([][]uint16, 1<<(per*bits))}
		for i := range p.place {
			p.place[i] = -1
		}
		for i := range n {
			w := u16(packedGrids[2*(first+i):])
			p.words = append(p.words, w)
			p.place[w] = int32(i)
			for k := range per {
				p.values = append(p.values, float32(2*p.level(w, k)+1))
			}
		}
		for u := range p.place {
			if p.place[u] < 0 && p.within(u, levels) {
				p.neighbours[u] = p.near(uint16(u), shells)
			}
		}
		return p
	})
}

func (p *pointSet) level(w uint16, i int) int { return int(w >> (p.bits * i) & (1<<p.bits - 1)) }

func (p *pointSet) within(u, levels int) bool {
	for i := range p.per {
		if p.level(uint16(u), i) >= levels {
			return false
		}
	}
	return true
}

// near lists the points of the nearest shells around a place, by distance and
// then by number.
func (p *pointSet) near(u uint16, shells int) (out []uint16) {
	far := make([]int, len(p.words))
	var counts []int // of points at each distance
	for i, w := range p.words {
		for k := range p.per {
			e := p.level(w, k) - p.level(u, k)
			far[i] += e * e
		}
		for len(counts) <= far[i] {
			counts = append(counts, 0)
		}
		counts[far[i]]++
	}
	for d, n := range counts {
		if n == 0 {
			continue
		}
		if shells--; shells < 0 {
			break
		}
		for i, f := range far {
			if f == d {
				out = append(out, uint16(i))
			}
		}
	}
	return out
}

// nearestPoint chooses among a list the point with the least weighted error.
func (p *pointSet) nearestPoint(list []uint16, x, w []float32, scale float32) int {
	best, at := float32(0), -1
	for _, i := range list {
		var d2 float32
		for k, q := range p.values[int(i)*p.per:][:len(x)] {
			d := float32(scale*q) - x[k]
			d2 += float32(float32(w[k]*d) * d)
		}
		if at < 0 || d2 < best {
			best, at = d2, int(i)
		}
	}
	return at
}

// choose gives the point for the values of a group under a scale, and whether
// they lay on the grid.
func (g *gridRule) choose(p *pointSet, x, aux []float32, inv, scale float32) (point int, on bool) {
	u := 0
	for i, v := range x {
		u |= within(nearest(0.5*(float32(inv*v)-1)), 0, g.levels-1) << (p.bits * i)
	}
	if p.place[u] >= 0 {
		return int(p.place[u]), true
	}
	return p.nearestPoint(p.neighbours[u], x, aux, scale), false
}

// sums explains a sub-block by points.
func (g *gridRule) sums(p *pointSet, x, w []float32, points []int) (r ratio) {
	for i, v := range x {
		r.add(w[i], v, p.values[points[i/g.group]*g.group+i%g.group])
	}
	return r
}

// gridWork is what the search of one sub-block needs.
type gridWork struct {
	x, w, aux      [32]float32 // sizes of values, weights, their roots
	signs          [4]byte
	points, trial  [8]int
	onGrid, onTry  [8]bool
	scale, largest float32
}

// split takes the signs off. Where only even numbers of signs can be stored, the
// value that matters least keeps its own.
func (g *gridRule) split(k *gridWork, x []float32) {
	for j := 0; j < len(x); j += 8 {
		var s byte
		flips := 0
		for i := j; i < j+8; i++ {
			k.x[i] = x[i]
			if !(x[i] >= 0) {
				k.x[i], s, flips = -x[i], s|1<<(i-j), flips+1
			}
		}
		if g.parity && flips%2 == 1 {
			at := j
			for i := j; i < j+8; i++ {
				if float32(float32(k.w[i]*x[i])*x[i]) < float32(float32(k.w[at]*x[at])*x[at]) {
					at = i
				}
			}
			k.x[at] = -k.x[at]
			s ^= 1 << (at - j)
		}
		k.signs[j/8] = s
	}
	k.largest = slices.Max(k.x[:len(x)])
}

// search finds scale and points of one sub-block; false leaves it empty.
func (g *gridRule) search(p *pointSet, k *gridWork) bool {
	x, w, n := k.x[:g.sub], k.w[:g.sub], g.sub/g.group
	if k.largest < g.eps || k.largest == 0 {
		return false
	}
	top := k.largest
	if g.fromFit {
		var codes [32]uint8
		top = fitPositive(g.levels+1, x, w, codes[:]) * float32(g.levels)
		if top <= 0 {
			return false
		}
	}
	k.scale = top / float32(2*g.levels-1)
	for i := range n {
		k.points[i], k.onGrid[i] = 0, g.again == offGrid
	}
	var best float32
	for is := -g.reach; is <= g.reach; is++ {
		inv := (float32(2*g.levels-1) + float32(float32(is)*g.step)) / top
		for i := range n {
			k.trial[i], k.onTry[i] = g.choose(p, x[g.group*i:][:g.group], k.aux[g.group*i:], inv, 1/inv)
		}
		if r := g.sums(p, x, w, k.trial[:]); r.beats(best) {
			k.scale = r.scale()
			best = k.scale * r.lx
			k.points, k.onGrid = k.trial, k.onTry
		}
	}
	g.refine(p, k)
	if k.scale < 0 {
		k.scale = -k.scale
		for i := range k.signs {
			k.signs[i] = ^k.signs[i]
		}
	}
	return true
}

// refine chooses points anew under the scale that was found, and the scale anew
// from them.
func (g *gridRule) refine(p *pointSet, k *gridWork) {
	x, w, n := k.x[:g.sub], k.w[:g.sub], g.sub/g.group
	if !(k.scale > 0) || g.again != everyPoint && !slices.Contains(k.onGrid[:n], false) {
		return
	}
	for i := range n {
		if g.again == offGrid && k.onGrid[i] {
			continue
		}
		k.points[i], _ = g.choose(p, x[g.group*i:][:g.group], k.aux[g.group*i:], 1/k.scale, k.scale)
	}
	if r := g.sums(p, x, w, k.points[:]); r.l2 > 0 {
		k.scale = r.scale()
	}
}

// encode writes one block of 256 values.
func (g *gridRule) encode(dst []byte, x, importance []float32) {
	p, b := g.points(), &gridBlock{}
	sigma2 := float32(g.sigma * power(x) / 256)
	var top float32
	for j := range 256 / g.sub {
		k := &gridWork{}
		xb := x[g.sub*j:][:g.sub]
		switch {
		case importance != nil:
			weigh(k.w[:], importance[g.sub*j:], xb, sigma2)
		case g.alone != nil:
			g.alone(k.w[:], xb, sigma2)
		default:
			for i, v := range xb {
				k.w[i] = sqrt32(sigma2 + float32(v*v))
			}
		}
		for i := range xb {
			k.aux[i] = sqrt32(k.w[i])
		}
		g.split(k, xb)
		if !g.search(p, k) {
			continue
		}
		for i := range g.sub / g.group {
			b.index[j*g.sub/g.group+i] = uint16(k.points[i])
		}
		copy(b.signs[j*g.sub/8:], k.signs[:g.sub/8])
		b.scale[j] = k.scale
		top = max(top, k.scale)
	}
	clear(dst)
	if top == 0 {
		return
	}
	d := top / 31
	id := 1 / d
	for j := range 256 / g.sub {
		b.codes[j] = uint8(within(nearest(0.5*(float32(id*b.scale[j])-1)), 0, 15))
	}
	putHalf(dst, d*g.fudge)
	g.put(dst, b)
}

var gridRules = map[string]*gridRule{
	"IQ2_XXS": {size: 66, points: newPoints(0, 256, 8, 2, 3, 2), group: 8, levels: 3, sub: 32, parity: true, sigma: 1, reach: 6, step: 0.1, fromFit: true, again: everyPoint, fudge: 1, eps: groupEps, put: putIQ2XXS},
	"IQ2_XS":  {size: 74, points: newPoints(256, 512, 8, 2, 3, 2), group: 8, levels: 3, sub: 16, parity: true, sigma: 1, reach: 9, step: 0.1, again: offGrid, fudge: 1, eps: groupEps, put: putIQ2XS},
	"IQ2_S":   {size: 82, points: newPoints(768, 1024, 8, 2, 3, 1), group: 8, levels: 3, sub: 16, sigma: 2, alone: quarterPower, reach: 9, step: 0.1, again: offGrid, fudge: 0.9875, eps: 1e-8, put: putIQ2S},
	"IQ3_XXS": {size: 98, points: newPoints(3840, 256, 4, 3, 8, 2), group: 4, levels: 8, sub: 32, parity: true, sigma: 2, alone: plainSquares, reach: 15, step: 0.2, again: offGrid, fudge: 1.0125, eps: 1e-8, put: putIQ3XXS},
	"IQ3_S":   {size: 110, points: newPoints(4096, 512, 4, 3, 8, 3), group: 4, levels: 8, sub: 32, sigma: 2, alone: plainSquares, reach: 9, step: 0.2, again: allIfAny, fudge: 1.033, put: putIQ3S},
}

func init() {
	for name, g := range gridRules {
		Requantisers[name] = byBlock(g.size, g.encode)
	}
}

func plainSquares(w, x []float32, _ float32) { squares(w, x) }

func quarterPower(w, x []float32, sigma2 float32) {
	for i, v := range x {
		w[i] = float32(0.25*sigma2) + float32(v*v)
	}
}

// fourSigns packs four times seven signs and a scale.
func fourSigns(s []byte, scale uint8) (w uint32) {
	for k := range 4 {
		w |= uint32(s[k]&127) << (7 * k)
	}
	return w | uint32(scale)<<28
}

func putIQ2XXS(dst []byte, b *gridBlock) {
	for ib := range 8 {
		for k := range 4 {
			dst[2+8*ib+k] = byte(b.index[4*ib+k])
		}
		binary.LittleEndian.PutUint32(dst[2+8*ib+4:], fourSigns(b.signs[4*ib:], b.codes[ib]))
	}
}

func putIQ2XS(dst []byte, b *gridBlock) {
	for i := range 32 {
		binary.LittleEndian.PutUint16(dst[2+2*i:], b.index[i]|uint16(b.signs[i]&127)<<9)
	}
	putScales(dst[66:], b.codes[:])
}

// putScales packs scales of four bits, the first one low.
func putScales(dst []byte, codes []uint8) {
	for j, l := range codes {
		dst[j/2] |= l << (4 * (j % 2))
	}
}

func putIQ2S(dst []byte, b *gridBlock) {
	for i := range 32 {
		dst[2+i] = byte(b.index[i])
		dst[66+i/4] |= byte(b.index[i]>>8) << (2 * (i % 4))
		dst[34+i] = b.signs[i]
	}
	putScales(dst[74:], b.codes[:])
}

func putIQ3XXS(dst []byte, b *gridBlock) {
	for i := range 64 {
		dst[2+i] = byte(b.index[i])
	}
	for ib := range 8 {
		binary.LittleEndian.PutUint32(dst[66+4*ib:], fourSigns(b.signs[4*ib:], b.codes[ib]))
	}
}

func putIQ3S(dst []byte, b *gridBlock) {
	for i := range 64 {
		dst[2+i] = byte(b.index[i])
		dst[66+i/8] |= byte(b.index[i]>>8) << (i % 8)
	}
	copy(dst[74:106], b.signs[:])
	putScales(dst[106:], b.codes[:8])
}
