package zoo

import (
	"encoding/binary"
	"io"
	"math"
	"sync/atomic"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Drawn is a bf16 model of any size that takes no room: its bytes are computed
// when they are read, and counted.
type Drawn struct {
	*Model
	Read    atomic.Int64 // bytes that were read, those read twice counted twice
	Largest atomic.Int64 // bytes of the largest read

	seeds []uint64  // of which the values are made, the first in full
	noise float32   // size of the others
	of    [2]*Drawn // what the values are mixed from instead; nil for nothing
	share float32   // of the first
	total int64     // bytes
}

// NewDrawn makes a model of tensors whose values, evenly distributed around zero
// with deviation .02, follow from the seed; vectors are gains around one. With
// noise, values of the second seed are added at that relative size: a child of
// the model of the first seed alone.
func NewDrawn(specs []Spec, meta tensor.Metadata, seed, noiseSeed uint64, noise float64) *Drawn {
	d := &Drawn{Model: New(), seeds: []uint64{seed}, noise: float32(noise)}
	if noise > 0 {
		d.seeds = append(d.seeds, noiseSeed)
	}
	return d.with(specs, meta)
}

// NewMixed makes a model of which every value is a share of one drawn model's plus the
// rest of another's, computed in float32 and rounded to the nearest bf16, as linear
// merges are. Both are of these tensors.
func NewMixed(specs []Spec, meta tensor.Metadata, a, b *Drawn, share float32) *Drawn {
	return (&Drawn{Model: New(), of: [2]*Drawn{a, b}, share: share}).with(specs, meta)
}

// with lays out the tensors.
func (d *Drawn) with(specs []Spec, meta tensor.Metadata) *Drawn {
	d.Meta = meta
	for _, s := range specs {
		n, ok := tensor.Elements(s.Shape)
		if !ok || d.byName[s.Name] != nil {
			panic("zoo: tensor " + s.Name)
		}
		plus := float32(0)
		if len(s.Shape) == 1 {
			plus = 1
		}
		t := &tensor.Tensor{Name: s.Name, DType: tensor.BF16, Shape: s.Shape}
		t.Data = &tensor.Stored{File: "drawn", Name: s.Name, R: &drawnValues{d, uint64(d.total / 2), plus}, Bytes: 2 * n, DType: tensor.BF16}
		d.tensors, d.byName[s.Name] = append(d.tensors, t), t
		d.total += 2 * n
	}
	return d
}

// Bytes is the size of the model.
func (d *Drawn) Bytes() int64 { return d.total }

// Bytes are the stored bytes of a tensor of a drawn model; reads begin and end on
// values.
func Bytes(t *tensor.Tensor) io.ReaderAt { return t.Data.(*tensor.Stored).R }

// drawnValues are the values of one tensor.
type drawnValues struct {
	of    *Drawn
	first uint64 // number of its first value
	plus  float32
}

// ReadAt computes bytes; both ends lie on values.
func (v *drawnValues) ReadAt(p []byte, off int64) (int, error) {
	if off%2 != 0 || len(p)%2 != 0 {
		return 0, io.ErrUnexpectedEOF
	}
	v.of.Read.Add(int64(len(p)))
	for most := v.of.Largest.Load(); int64(len(p)) > most && !v.of.Largest.CompareAndSwap(most, int64(len(p))); {
		most = v.of.Largest.Load()
	}
	for i := range len(p) / 2 {
		binary.LittleEndian.PutUint16(p[2*i:], v.of.value(v.first+uint64(off)/2+uint64(i), v.plus))
	}
	return len(p), nil
}

// value is value number at, in bf16; plus is what it lies around.
func (d *Drawn) value(at uint64, plus float32) uint16 {
	if d.of[0] != nil {
		x, y := widened(d.of[0].value(at, plus)), widened(d.of[1].value(at, plus))
		bits := math.Float32bits(float32(d.share*x) + float32((1-d.share)*y))
		return uint16((bits + 0x7fff + bits>>16&1) >> 16)
	}
	const deviation = 0.02
	scale := float32(deviation * math.Sqrt(3) / (1 << 15))
	x := draw16(d.seeds[0], at) * scale
	if len(d.seeds) > 1 {
		x += float32(draw16(d.seeds[1], at) * scale * d.noise)
	}
	return uint16(math.Float32bits(x+plus) >> 16)
}

func widened(x uint16) float32 { return math.Float32frombits(uint32(x) << 16) }

// draw16 is a number from −2¹⁵ to 2¹⁵−1, four of them from one step of SplitMix64
// (Steele, Lea and Flood 2014).
func draw16(seed, at uint64) float32 {
	x := seed*0xd1342543de82ef95 + (at>>2)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	x ^= x >> 31
	return float32(int16(x >> (16 * (at & 3))))
}
