package equality

import (
	"context"
	"math"

	"github.com/weightprint/weightprint/formats/tensor"
)

// mark sums up the values of a tensor in whatever order they stand: equal
// multisets of values have equal marks. Different ones may collide when
// somebody wants them to, which only costs a comparison.
type mark struct {
	n   int64
	sum [2]uint64
}

// grain is a precision at which values are marked.
type grain int

// The grains: as decoded, and rounded to the two halves that models are cast
// to.
const (
	asDecoded grain = iota
	asBF16
	asF16
	grains
)

// rounding returns what a grain does to a value.
func (g grain) rounding() func(float32) float32 {
	switch g {
	case asBF16:
		return tensor.BF16.Rounding()
	case asF16:
		return tensor.F16.Rounding()
	}
	return func(v float32) float32 { return v }
}

// grainOf is the grain of the values that a type can hold.
func grainOf(t tensor.DType) grain {
	switch t {
	case tensor.BF16:
		return asBF16
	case tensor.F16:
		return asF16
	}
	return asDecoded
}

// plain is the bits of a value, with one zero and one NaN: a converter may lose
// the sign of either.
func plain(v float32) uint32 {
	switch {
	case v == 0:
		return 0
	case v != v:
		return 0x7fc00000
	}
	return math.Float32bits(v)
}

// spread is the finalizer of SplitMix64 (Steele, Lea and Flood 2014): every bit
// of x reaches every bit of the result.
func spread(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (m *mark) add(v float32) {
	bits := uint64(plain(v))
	m.n++
	m.sum[0] += spread(bits)
	m.sum[1] += spread(bits | 1<<40)
}

// marked is a tensor with its marks, and what makes it say nothing of its own.
type marked struct {
	t       *tensor.Tensor
	look    *look
	marks   [grains]mark
	flat    bool // one value throughout
	counted bool // counts up from its first value by a constant step: positions, ids
}

// read marks one tensor in a single pass through buf.
func read(ctx context.Context, t *tensor.Tensor, buf []float32) (*marked, error) {
	m := &marked{t: t, flat: true, counted: true, look: newLook(t)}
	var round [grains]func(float32) float32
	for g := range grains {
		round[g] = g.rounding()
	}
	var first, second float32
	i := int64(0)
	for part, err := range t.Chunks(ctx, buf) {
		if err != nil {
			return nil, err
		}
		for _, v := range part {
			for g := range grains {
				m.marks[g].add(round[g](v))
			}
			switch i {
			case 0:
				first = v
			case 1:
				second = v
			}
			m.look.add(v)
			m.flat = m.flat && v == first
			m.counted = m.counted && v == first+float32(i)*(second-first)
			i++
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// says tells whether the values could not as well stand in any other model.
func (m *marked) says() bool { return !m.flat && !m.counted }
