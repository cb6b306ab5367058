package fingerprint

import (
	"math"
	"math/big"
	"math/bits"
)

// Stats describe how the values of a matrix are distributed. They follow from
// counts of the upper halves of the values' float32 bits: from integers, which
// no order of reading and no number of workers can change.
type Stats struct {
	NonFinite uint64           // values that are infinite or no numbers; left out below
	Quantiles [quantiles]int16 // of the upper halves, at 0, ⅛, … 1 of the values in order; see Half
	Moments   [3]float64       // means of the first, second and fourth power of the upper halves, exact but for one rounding
	Exponents [exponents]uint16
	Top       uint8 // biased exponent of the largest magnitude, which Exponents[0] counts
}

const (
	quantiles = 9
	exponents = 12 // the top eleven exponents one by one, then all below
	bins      = 1 << 16

	// statsWords is how much is published of a matrix by its Stats, in words
	// of 32 bits.
	statsWords = (2*quantiles + 3*8 + 2*exponents + 3) / 4

	// statsRoom is what may be published of a matrix that has Stats at least:
	// of smaller ones the sketches need it all.
	statsRoom = 4 * statsWords
)

// histogram counts float32 values by the upper half of their bits.
type histogram [bins]uint64

// Half is the value that an entry of Quantiles stands for.
func Half(q int16) float32 {
	b := uint16(q)
	if q < 0 {
		b = ^b | 1<<15
	}
	return math.Float32frombits(uint32(b) << 16)
}

// ascending returns the bin at place i of the order of values, -0 before 0.
func ascending(i int) uint16 {
	if i < bins/2 {
		return uint16(bins - 1 - i)
	}
	return uint16(i - bins/2)
}

func finite(bin uint16) bool { return bin&infinite16 != infinite16 }

// stats reads the figures off the counts.
func (h *histogram) stats() (s Stats) {
	n := uint64(0)
	for b, c := range h {
		if finite(uint16(b)) {
			n += c
		} else {
			s.NonFinite += c
		}
	}
	if n == 0 {
		return s
	}
	s.Quantiles = h.quantiles(n)
	s.Moments = h.moments(n)
	s.Top, s.Exponents = h.exponents(n)
	return s
}

func (h *histogram) quantiles(n uint64) (q [quantiles]int16) {
	below, k := uint64(0), 0
	for i := range bins {
		b := ascending(i)
		if !finite(b) {
			continue
		}
		below += h[b]
		for k < quantiles && below > rank(n, k) {
			q[k] = int16(b)
			if b>>15 == 1 {
				q[k] = int16(^(b &^ (1 << 15)))
			}
			k++
		}
	}
	return q
}

// rank is (n-1)·k/8, rounded down, without overflow.
func rank(n uint64, k int) uint64 {
	hi, lo := bits.Mul64(n-1, uint64(k))
	q, _ := bits.Div64(hi, lo, quantiles-1)
	return q
}

// moments adds up exact powers exponent by exponent and rounds each mean once.
func (h *histogram) moments(n uint64) (m [3]float64) {
	var sums [3]big.Int
	for e := range 255 {
		var plus, minus, second, fourth wideSum
		for mantissa := range 128 {
			p, q := h[e<<7|mantissa], h[1<<15|e<<7|mantissa]
			v := uint64(mantissa)
			if e > 0 {
				v |= 128
			}
			plus.add(p, v)
			minus.add(q, v)
			second.add(p+q, v*v)
			fourth.add(p+q, v*v*v*v)
		}
		first := new(big.Int).Sub(plus.big(), minus.big())
		for k, at := range []*big.Int{first, second.big(), fourth.big()} {
			sums[k].Add(&sums[k], at.Lsh(at, uint(powers[k]*(max(e, 1)-1))))
		}
	}
	for k, power := range powers {
		// A mantissa of 1 at the least exponent is 2⁻¹³³.
		scale := new(big.Int).Lsh(new(big.Int).SetUint64(n), uint(133*power))
		m[k], _ = new(big.Rat).SetFrac(&sums[k], scale).Float64()
	}
	return m
}

var powers = [3]int{1, 2, 4}

// wideSum adds products of 64-bit numbers.
type wideSum struct{ hi, lo uint64 }

func (s *wideSum) add(a, b uint64) {
	if a == 0 {
		return
	}
	hi, lo := bits.Mul64(a, b)
	var carry uint64
	s.lo, carry = bits.Add64(s.lo, lo, 0)
	s.hi += hi + carry
}

func (s *wideSum) big() *big.Int {
	v := new(big.Int).SetUint64(s.hi)
	return v.Or(v.Lsh(v, 64), new(big.Int).SetUint64(s.lo))
}

// exponents gives the share of values at each of the largest exponents, in
// units of 1/65535, rounded down; zeros are below all.
func (h *histogram) exponents(n uint64) (top uint8, shares [exponents]uint16) {
	var counts [255]uint64
	for b, c := range h {
		if finite(uint16(b)) && b&0x7fff != 0 {
			counts[b>>7&0xff] += c
		}
	}
	for e, c := range counts {
		if c > 0 {
			top = uint8(e)
		}
	}
	rest := n
	for k := range exponents - 1 {
		if e := int(top) - k; e >= 0 {
			shares[k] = share(counts[e], n)
			rest -= counts[e]
		}
	}
	shares[exponents-1] = share(rest, n)
	return top, shares
}

func share(c, n uint64) uint16 {
	hi, lo := bits.Mul64(c, 65535)
	q, _ := bits.Div64(hi, lo, n)
	return uint16(q)
}
