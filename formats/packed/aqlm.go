package packed

import (
	"context"
	"fmt"
	"math/bits"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// additive is AQLM's matrix: each block of outputs × inputs is the sum of one entry of
// each codebook, times the scale of its outputs or of the block. Source: _dequantize_weight
// of the package aqlm.
type additive struct {
	codes, books, scales part
	shelf                *shelf
	groups               int64 // blocks along the inputs
	perRow               int64 // scales of a row of blocks: 1, or one each
	k, size              int64 // codebooks, entries of each
	out, in              int64 // of a block
}

func isAQLM(m *module) bool {
	codes, books := m.parts[".codes"], m.parts[".codebooks"]
	return codes != nil && books != nil && len(codes.Shape) == 3 && len(books.Shape) == 4
}

// openAQLM reads AQLM: codes of blocks × blocks × codebooks, signed, of as many bits as
// the codebooks' entries ask for.
func openAQLM(m *module) *tensor.Tensor {
	codes, books, scales := m.part(".codes", 3, tensor.I8, tensor.I16), m.codebook(".codebooks", 4), m.part(".scales", 4, scaleTypes...)
	k, size, out, in := books.Shape[0], books.Shape[1], books.Shape[2], books.Shape[3]
	m.require(codes.Shape[2] == k, ".codes", "shape %v for %d codebooks", codes.Shape, k)
	m.require(size&(size-1) == 0 && size > 1 && (size <= 256 || codes.DType == tensor.I16 && size <= 1<<16), ".codebooks", "%d entries for codes of type %v", size, codes.DType)
	perRow := min(scales.Shape[1], codes.Shape[1])
	m.require(perRow == 1 || perRow == codes.Shape[1], ".scales", "shape %v for %d groups of inputs", scales.Shape, codes.Shape[1])
	m.shape(scales, ".scales", codes.Shape[0], perRow, 1, 1)
	x := &additive{codes, books, scales, &m.out.shelf, codes.Shape[1], perRow, k, size, out, in}
	return m.coded(&coded{
		what: fmt.Sprintf("AQLM, %d codebooks of %d bits, blocks of %d × %d", k, bits.Len64(uint64(size-1)), out, in),
		rows: codes.Shape[0] * out, cols: codes.Shape[1] * in, band: out, bands: x,
	})
}

func (x *additive) decode(ctx context.Context, dst []float32, b box) error {
	books, err := x.shelf.read(ctx, x.books)
	if err != nil {
		return err
	}
	row, g0, g1 := b.r/x.out, b.c0/x.in, (b.c1-1)/x.in+1
	codes, err := x.read(ctx, row*x.groups+g0, g1-g0)
	if err != nil {
		return err
	}
	scales := make([]float32, 1)
	if x.perRow > 1 {
		scales = make([]float32, g1-g0)
		err = x.scales.Data.ReadValues(ctx, scales, row*x.groups+g0)
	} else {
		err = x.scales.Data.ReadValues(ctx, scales, row)
	}
	if err != nil {
		return err
	}
	w := b.c1 - b.c0
	for i := range b.n {
		for c := b.c0; c < b.c1; c++ {
			g := c/x.in - g0
			scale := scales[min(g, int64(len(scales)-1))]
			sum := float32(0)
			for k, code := range codes[g*x.k : (g+1)*x.k] {
				sum += books[((int64(k)*x.size+int64(code))*x.out+(b.r+i)%x.out)*x.in+c%x.in]
			}
			dst[i*w+c-b.c0] = sum * scale
		}
	}
	return nil
}

// read gives the codes of n blocks as numbers of entries.
func (x *additive) read(ctx context.Context, first, n int64) ([]uint16, error) {
	width := x.codes.StoredBytes() / x.codes.Len()
	raw, out := make([]byte, n*x.k*width), make([]uint16, n*x.k)
	if err := x.codes.s.ReadRaw(raw, first*x.k*width); err != nil {
		return nil, err
	}
	half := int(x.size / 2)
	for i := range out {
		v := int(int8(raw[int64(i)*width]))
		if width == 2 {
			v = int(int16(uint16(raw[2*i]) | uint16(raw[2*i+1])<<8))
		}
		if v < -half || v >= half {
			s := x.codes.s
			return nil, tensor.Errorf(tensor.ErrFormat, s.File, s.Offset+(first*x.k+int64(i))*width, "tensor "+escape.Printable(x.codes.Name), "code %d for a codebook of %d entries", v, x.size)
		}
		out[i] = uint16(v & (2*half - 1))
	}
	return out, ctx.Err()
}
