package quant

import "encoding/binary"

// nearestNL is the code of IQ4's book whose value is nearest, the higher of two.
func nearestNL(x float32) uint8 {
	at := 0
	for step := 8; step > 0; step >>= 1 {
		if 2*x >= nonLinear[at+step-1]+nonLinear[at+step] {
			at += step
		}
	}
	return uint8(at)
}

// BookCandidate is the inverse scale that candidate is ∈ [−7, 7] of IQ4's
// search tries, where far is the value of largest size.
func BookCandidate(is int, far float32) float32 { return (float32(is) + nonLinear[0]) / far }

// fitBook searches the scale of a group under IQ4's book among fifteen
// candidates and their plain mirror.
func fitBook(x, w []float32) float32 {
	far, size := farthest(x)
	if size < groupEps {
		return 0
	}
	try := func(inv float32) (r ratio) {
		for i, v := range x {
			r.addBook(w[i], v, nonLinear[nearestNL(float32(inv*v))])
		}
		return r
	}
	r := try(1 / (-far / nonLinear[0]))
	scale := r.scale()
	best := scale * r.lx
	for is := -7; is <= 7; is++ {
		if r := try(BookCandidate(is, far)); r.beats(best) {
			scale = r.scale()
			best = scale * r.lx
		}
	}
	return scale
}

// BookTrials gives the levels of the values under each scale that IQ4's search
// tries.
func BookTrials(x []float32) (out [][]float64) {
	far, size := farthest(x)
	if size < groupEps {
		return nil
	}
	try := func(inv float32) {
		l := make([]float64, len(x))
		for i, v := range x {
			l[i] = float64(nonLinear[nearestNL(float32(inv*v))])
		}
		out = append(out, l)
	}
	try(1 / (-far / nonLinear[0]))
	for is := -7; is <= 7; is++ {
		try(BookCandidate(is, far))
	}
	return out
}

func bookWeights(w, x, importance []float32, sigma2 float32) {
	if importance == nil {
		squares(w, x)
		return
	}
	weigh(w, importance, x, sigma2)
}

func tail(importance []float32, at int) []float32 {
	if importance == nil {
		return nil
	}
	return importance[at:]
}

func bookCodes(x []float32, inv float32) (l [32]uint8) {
	for i, v := range x {
		l[i] = nearestNL(float32(inv * v))
	}
	return l
}

func encodeIQ4NL(dst []byte, row, importance []float32) {
	var w [32]float32
	for i := 0; 32*i < len(row); i++ {
		x := row[32*i:][:32]
		bookWeights(w[:], x, tail(importance, 32*i), float32(power(x)*(2.0/32)))
		scale := fitBook(x, w[:])
		b := dst[18*i:][:18]
		putHalf(b, scale)
		l := bookCodes(x, inverse(scale))
		nibble(b[2:], l[:])
	}
}

func encodeIQ4XS(dst []byte, x, importance []float32) {
	var w [32]float32
	var scales [8]float32
	sigma2 := float32(power(x) * (2.0 / 256))
	for j := range scales {
		xb := x[32*j:][:32]
		bookWeights(w[:], xb, tail(importance, 32*j), sigma2)
		scales[j] = fitBook(xb, w[:])
	}
	d := -largest(scales[:]) / 32
	id := inverse(d)
	clear(dst)
	putHalf(dst, d)
	var high uint16
	for j, s := range scales {
		l := within(nearest(float32(id*s)), -32, 31)
		c := bookCodes(x[32*j:][:32], inverse(d*float32(l)))
		nibble(dst[8+16*j:], c[:])
		dst[4+j/2] |= byte(l+32) & 15 << (4 * (j % 2))
		high |= uint16(l+32) >> 4 << (2 * j)
	}
	binary.LittleEndian.PutUint16(dst[2:], high)
}
