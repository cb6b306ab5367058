package quant

// The k-quants: every sub-block's scale (and minimum) is searched, all are
// rounded together, and the codes are then what is nearest under the rounded
// ones. A sub-block whose scale rounds to zero keeps the codes of its search.

// Searches of the sub-blocks where no importance is given.
var (
	affine2 = affine{3, -0.5, 0.1, 15, true}
	affine4 = affine{15, -1, 0.1, 20, false}
	affine5 = affine{31, -0.5, 0.1, 15, false}
)

// minimums searches the sub-blocks of a type with minimums.
type minimums struct {
	size           int // values of a sub-block
	top            int // largest rounded scale
	sigma          float32
	alone, weighed affine
	meanSize       bool // weights are |x| + its root mean square, else |x|
}

// found is what a search gives for one block.
type found struct {
	d, dmin    float32
	sc, m      [16]uint8
	codes      [256]uint8
	scale, low [16]float32
	sums       [16]float32
}

func (k minimums) search(x, importance []float32) *found {
	f := &found{}
	n := 256 / k.size
	search := k.alone
	sigma2 := float32(k.sigma * power(x) / 256)
	if importance != nil {
		search = k.weighed
	}
	var w [32]float32
	for j := range n {
		xb := x[k.size*j:][:k.size]
		k.weights(w[:k.size], xb, importance, k.size*j, sigma2)
		f.sums[j] = total(w[:k.size])
		f.scale[j], f.low[j] = search.fit(xb, w[:k.size], f.codes[k.size*j:])
	}
	if importance == nil {
		f.d = f.roundPlain(f.scale[:n], f.sc[:], k.top)
		f.dmin = f.roundPlain(f.low[:n], f.m[:], k.top)
	} else {
		f.d = fitPositive(k.top, f.scale[:n], f.sums[:n], f.sc[:])
		f.dmin = fitPositive(k.top, f.low[:n], f.sums[:n], f.m[:])
	}
	for j := range n {
		f.sc[j], f.m[j] = k.stored(f.sc[j], f.m[j])
	}
	f.nearestCodes(x, k.size, k.alone.n)
	return f
}

// stored is what is kept of a scale and a minimum that left their range, as they do
// where sums of all but vanishing importance lose all their bits: two nibbles run
// into each other, six bits are cut at their largest number.
func (k minimums) stored(sc, m uint8) (uint8, uint8) {
	if k.top == 15 {
		both := sc | m<<4
		return both & 15, both >> 4
	}
	return min(sc, 63), min(m, 63)
}

// weights says what each value of a sub-block counts.
func (k minimums) weights(w, x, importance []float32, at int, sigma2 float32) {
	if importance != nil {
		weigh(w, importance[at:], x, sigma2)
		return
	}
	var mean float32
	if k.meanSize {
		mean = sqrt32(power(x) / float32(len(x)))
	}
	for i, v := range x {
		w[i] = mean + abs(v)
	}
}

// roundPlain rounds scales to 0 … top of the largest.
func (f *found) roundPlain(scale []float32, to []uint8, top int) float32 {
	var most float32
	for _, s := range scale {
		most = max(most, s)
	}
	if !(most > 0) {
		return 0
	}
	inv := float32(top) / most
	for j, s := range scale {
		to[j] = uint8(min(top, nearest(float32(inv*s))))
	}
	return most / float32(top)
}

// nearestCodes takes the nearest codes under the scales as they are stored.
func (f *found) nearestCodes(x []float32, size, top int) {
	d0, m0 := fromHalf(toHalf(f.d)), fromHalf(toHalf(f.dmin))
	for j := range 256 / size {
		d := d0 * float32(f.sc[j])
		if d == 0 {
			continue
		}
		m := float32(m0 * float32(f.m[j]))
		for i := size * j; i < size*(j+1); i++ {
			f.codes[i] = uint8(within(nearest((x[i]+m)/d), 0, top))
		}
	}
}

var (
	search2 = minimums{16, 15, 1, affine2, important2, false}
	search4 = minimums{32, 63, 2, affine4, important4, true}
	search5 = minimums{32, 63, 2, affine5, important5, true}
)

func encodeQ2K(dst []byte, x, importance []float32) {
	f := search2.search(x, importance)
	for j := range 16 {
		dst[j] = f.sc[j] | f.m[j]<<4
	}
	pack2(dst[16:80], f.codes[:])
	putHalf(dst[80:], f.d)
	putHalf(dst[82:], f.dmin)
}

// pack2 packs 256 codes of two bits, four 32 values apart to a byte.
func pack2(dst []byte, l []uint8) {
	for j := range 2 {
		for i := range 32 {
			q := l[128*j+i:]
			dst[32*j+i] = q[0]&3 | q[32]&3<<2 | q[64]&3<<4 | q[96]&3<<6
		}
	}
}

// packScales packs eight scales and minimums of six bits.
func packScales(dst []byte, sc, m []uint8) {
	for j := range 4 {
		dst[j] = sc[j]&63 | sc[j+4]>>4<<6
		dst[j+4] = m[j]&63 | m[j+4]>>4<<6
		dst[j+8] = sc[j+4]&15 | m[j+4]&15<<4
	}
}

func encodeQ4K(dst []byte, x, importance []float32) {
	f := search4.search(x, importance)
	putHalf(dst, f.d)
	putHalf(dst[2:], f.dmin)
	packScales(dst[4:16], f.sc[:], f.m[:])
	for j := range 4 {
		for i := range 32 {
			dst[16+32*j+i] = f.codes[64*j+i] | f.codes[64*j+32+i]<<4
		}
	}
}

func encodeQ5K(dst []byte, x, importance []float32) {
	f := search5.search(x, importance)
	putHalf(dst, f.d)
	putHalf(dst[2:], f.dmin)
	packScales(dst[4:16], f.sc[:], f.m[:])
	clear(dst[16:48])
	for j := range 4 {
		for i := range 32 {
			a, b := f.codes[64*j+i], f.codes[64*j+32+i]
			dst[48+32*j+i] = a&15 | b<<4
			dst[16+i] |= a>>4<<(2*j) | b>>4<<(2*j+1)
		}
	}
}

// signedCodes takes the nearest codes −n … n−1 under scales as they are
// stored, plus n.
func signedCodes(codes []uint8, x []float32, d0 float32, sc []int, n int) {
	for j, s := range sc {
		d := d0 * float32(s)
		if d == 0 {
			continue
		}
		for i := 16 * j; i < 16*(j+1); i++ {
			codes[i] = uint8(within(nearest(x[i]/d), -n, n-1) + n)
		}
	}
}

// largest returns the scale of largest size, the first of equals.
func largest(scales []float32) float32 {
	far, _ := farthest(scales)
	return far
}

func encodeQ3K(dst []byte, x, importance []float32) {
	var codes [256]uint8
	var scales [16]float32
	var rounded [16]uint8 // plus 32
	var d float32
	if importance == nil {
		for j := range scales {
			scales[j] = fitThree(x[16*j:][:16], codes[16*j:])
		}
		if far := largest(scales[:]); far != 0 {
			inv := -32 / far
			for j, s := range scales {
				rounded[j] = uint8(within(int(int8(nearest(float32(inv*s)))), -32, 31) + 32)
			}
			d = 1 / inv
		}
	} else {
		d = importantQ3K(x, importance, &scales, codes[:], rounded[:])
	}
	putQ3K(dst, x, d, rounded, codes[:])
}

func importantQ3K(x, importance []float32, scales *[16]float32, codes, rounded []uint8) float32 {
	sigma2 := float32(2 * power(x) / 256)
	var w, sums [16]float32
	for j := range scales {
		weigh(w[:], importance[16*j:], x[16*j:][:16], sigma2)
		sums[j] = total(w[:])
		scales[j] = fitSigned(4, x[16*j:][:16], w[:], codes[16*j:])
	}
	return fitSigned(32, scales[:], sums[:], rounded)
}

func putQ3K(dst []byte, x []float32, d float32, rounded [16]uint8, codes []uint8) {
	clear(dst)
	sc := make([]int, 16)
	for j, l := range rounded {
		sc[j] = int(l) - 32
		dst[96+j%8] |= l & 15 << (j / 8 * 4)
		dst[104+j%4] |= l >> 4 << (2 * (j / 4))
	}
	putHalf(dst[108:], d)
	signedCodes(codes, x, fromHalf(toHalf(d)), sc, 4)
	for i, l := range codes {
		if l > 3 {
			dst[i%32] |= 1 << (i / 32)
			codes[i] = l - 4
		}
	}
	pack2(dst[32:96], codes)
}

func encodeQ6K(dst []byte, x, importance []float32) {
	var codes [256]uint8
	var scales [16]float32
	var w [16]float32
	for j := range scales {
		xb := x[16*j:][:16]
		if squares(w[:], xb); importance != nil {
			copy(w[:], importance[16*j:])
		}
		scales[j] = fitSigned(32, xb, w[:], codes[16*j:])
	}
	clear(dst)
	far := largest(scales[:])
	if abs(far) < groupEps {
		return
	}
	inv := -128 / far
	putHalf(dst[208:], 1/inv)
	sc := make([]int, 16)
	for j, s := range scales {
		sc[j] = int(int8(min(127, nearest(float32(inv*s)))))
		dst[192+j] = byte(sc[j])
	}
	signedCodes(codes[:], x, half(dst[208:]), sc, 32)
	for n := range 2 {
		q := codes[128*n:][:128]
		for i := range 32 {
			dst[64*n+i] = q[i]&15 | q[i+64]&15<<4
			dst[64*n+32+i] = q[i+32]&15 | q[i+96]&15<<4
			dst[128+32*n+i] = q[i]>>4 | q[i+32]>>4<<2 | q[i+64]>>4<<4 | q[i+96]>>4<<6
		}
	}
}
