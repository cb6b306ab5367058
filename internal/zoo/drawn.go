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

	seeds []uint64 // of which the values are made, the first in full
	noise float32  // size of the others
	total int64    // bytes
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
	const deviation = 0.02
	scale := float32(deviation * math.Sqrt(3) / (1 << 15))
	for i := range len(p) / 2 {
		at := v.first + uint64(off)/2 + uint64(i)
		x := draw16(v.of.seeds[0], at) * scale
		if len(v.of.seeds) > 1 {
			x += draw16(v.of.seeds[1], at) * scale * v.of.noise
		}
		binary.LittleEndian.PutUint16(p[2*i:], uint16(math.Float32bits(x+v.plus)>>16))
	}
	return len(p), nil
}

// draw16 is a number from −2¹⁵ to 2¹⁵−1, four of them from one step of SplitMix64
// (Steele, Lea and Flood 2014).
func draw16(seed, at uint64) float32 {
	x := seed*0xd1342543de82ef95 + (at>>2)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	x ^= x >> 31
	return float32(int16(x >> (16 * (at & 3))))
}
