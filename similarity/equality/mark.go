package equality

import (
	"context"
	"math"

	"github.com/weightprint/weightprint/fingerprint"
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

// rounding returns what a grain does to a value, nil for nothing.
func (g grain) rounding() func(float32) float32 {
	switch g {
	case asBF16:
		return tensor.BF16.Rounding()
	case asF16:
		return tensor.F16.Rounding()
	}
	return nil
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

// addAll adds values, once rounded.
func (m *mark) addAll(values []float32, round func(float32) float32) {
	var sum [2]uint64
	for _, v := range values {
		if round != nil {
			v = round(v)
		}
		bits := uint64(plain(v))
		sum[0] += spread(bits)
		sum[1] += spread(bits | 1<<40)
	}
	m.n += int64(len(values))
	m.sum[0] += sum[0]
	m.sum[1] += sum[1]
}

// side is what was marked of one model, tensor by tensor. Mixtures have 140,000.
type side struct {
	all   []marked
	marks [grains][]mark // nil at grains that no tensor of either model is stored at
}

// marked is a tensor, and what makes it say nothing of its own.
type marked struct {
	t       *tensor.Tensor
	values  *fingerprint.Digest // nil for types whose digest takes the stored bytes
	flat    bool                // one value throughout
	counted bool                // counts up from its first value by a constant step: positions, ids
	learned bool                // looks like a matrix that was trained

	first, step float32 // of what counts up
}

// reader marks tensors.
type reader struct {
	buf  []float32
	half [grains]bool // grains at which any tensor of either model is stored
}

func newReader(models ...tensor.Model) *reader {
	r := &reader{buf: make([]float32, valuesAtOnce)}
	for _, m := range models {
		for _, t := range m.Tensors() {
			r.half[grainOf(t.DType)] = true
		}
	}
	r.half[asDecoded] = true
	return r
}

// read marks one tensor in a single pass, which takes its digest along. Values that
// a half holds already are marked alike at its grain.
func (r *reader) read(ctx context.Context, t *tensor.Tensor) (m marked, marks [grains]mark, err error) {
	look := NewLook(t.Shape)
	m = marked{t: t, flat: true, counted: true}
	digest := fingerprint.NewStreamed(t)
	own := grainOf(t.DType)
	done := int64(0)
	for part, err := range t.Chunks(ctx, r.buf) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return m, marks, err
		}
		for g := range grains {
			if r.half[g] && (g == asDecoded || g != own) {
				marks[g].addAll(part, g.rounding())
			}
		}
		if digest != nil {
			digest.Add(part)
		}
		look.Add(part)
		m.regular(part, done)
		done += int64(len(part))
	}
	if own != asDecoded {
		marks[own] = marks[asDecoded]
	}
	if digest != nil {
		if d, ok := digest.Digest(); ok {
			m.values = &d
		}
	}
	m.learned = look.Learned()
	return m, marks, nil
}

// regular notes whether the values from number first on go on as the first two do.
func (m *marked) regular(part []float32, first int64) {
	if !m.flat && !m.counted || len(part) == 0 {
		return
	}
	if first == 0 {
		m.first = part[0]
		m.step = 0
		if len(part) > 1 {
			m.step = part[1] - part[0]
		}
	}
	for i, v := range part {
		m.flat = m.flat && v == m.first
		m.counted = m.counted && v == m.first+float32(first+int64(i))*m.step
		if !m.flat && !m.counted {
			return
		}
	}
}

// says tells whether the values could not as well stand in any other model.
func (m *marked) says() bool { return !m.flat && !m.counted }
