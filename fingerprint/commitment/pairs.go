package commitment

import (
	"math"
	"strconv"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/rng"
)

const (
	// SketchBits is the number of projections of a pair of units.
	SketchBits  = 128
	sketchWords = SketchBits / 64

	maxPairs = 32 // pairs of an axis that are sketched
	minPairs = 8  // fewest that are worth a sketch
	maxAxes  = 48 // axes of a model that are sketched, evenly spread
)

// pairs is how many pairs of units of an axis an answer sketches. The one-bit
// numbers published of a matrix, counted in words of 32, stay below a quarter
// of its rows plus columns, and no more than half of the units are looked at.
func pairs(length, dim int) int {
	return min(maxPairs, length/4, (length+dim)/4*32/SketchBits)
}

// exceptions is how many values of a unit must differ from its constant.
const exceptions = 8

// A sketch under a challenge is of differences between two units. What all
// units have in common falls out without a mean that would have to be opened,
// and under the null the pairs of one network are exchangeable as its units
// are. Each bit depends on two rows alone, so opening these proves it.
type projector struct {
	seed  []byte
	drawn map[int][][2]int
	masks map[int][][]uint64
}

func newProjector(challenge fingerprint.Digest) *projector {
	return &projector{challenge[:], map[int][][2]int{}, map[int][][]uint64{}}
}

// pairs draws the pairs of an axis of a length; they follow from the seed and
// the length, so that networks of other depth pair alike.
func (p *projector) pairs(length, n int) [][2]int {
	if out, ok := p.drawn[length]; ok && len(out) == n {
		return out
	}
	s := rng.New(p.seed, "pairs of "+strconv.Itoa(length))
	drawn := s.Sample(length, 2*n)
	order := s.Perm(len(drawn))
	out := make([][2]int, n)
	for i := range out {
		out[i] = [2]int{drawn[order[2*i]], drawn[order[2*i+1]]}
	}
	p.drawn[length] = out
	return out
}

// projections are the signs of all projections of a dimension, as bits.
func (p *projector) projections(dim int) [][]uint64 {
	if out, ok := p.masks[dim]; ok {
		return out
	}
	out := make([][]uint64, SketchBits)
	for b := range out {
		s := rng.New(p.seed, "projection "+strconv.Itoa(b)+" of "+strconv.Itoa(dim))
		out[b] = make([]uint64, (dim+63)/64)
		for k := range out[b] {
			out[b][k] = s.Uint64()
		}
	}
	p.masks[dim] = out
	return out
}

// sketch projects the difference of two units. Pairs whose difference is not
// finite or nearly constant are not eligible and have no bits.
func (p *projector) sketch(a, b []float32) (words [sketchWords]uint64, ok bool) {
	d := difference(a, b)
	if d == nil {
		return words, false
	}
	for bit, mask := range p.projections(len(d)) {
		sum := 0.0
		for k, v := range d {
			if mask[k/64]>>(k%64)&1 == 1 {
				sum += v
			} else {
				sum -= v
			}
		}
		if sum > 0 {
			words[bit/64] |= 1 << (bit % 64)
		}
	}
	return words, true
}

// difference is a − b around its mean, nil if it cannot be told apart from
// others. Only sums, differences and one division: the same bits everywhere.
func difference(a, b []float32) []float64 {
	d := make([]float64, len(a))
	mean := 0.0
	first, last := 0, 0
	for k := range d {
		d[k] = float64(a[k]) - float64(b[k])
		mean += d[k]
	}
	if math.IsNaN(mean) || math.IsInf(mean, 0) {
		return nil
	}
	for _, v := range d {
		if v != d[0] {
			first++
		}
		if v != d[len(d)-1] {
			last++
		}
	}
	if min(first, last) < min(exceptions, (len(d)+1)/2) {
		return nil
	}
	mean /= float64(len(d))
	for k := range d {
		d[k] -= mean
	}
	return d
}
