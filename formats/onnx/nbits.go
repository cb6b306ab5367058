package onnx

import (
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/strided"
)

// nbits reads the weight of MatMulNBits: outputs × blocks × bytes of a block,
// each block of block_size codes of 2, 4 or 8 bits with a scale and a
// zero-point, half the range where none is stored.
func (f *finder) nbits(c *constant, u use) (*packed.Affine, error) {
	rows, cols := u.n.int("N", 0), u.n.int("K", 0)
	bits, size := u.n.int("bits", 4), u.n.int("block_size", 0)
	if rows < 1 || cols < 1 || !small(rows) || !small(cols) || size < 16 || size > 1<<20 || !slices.Contains([]int64{2, 4, 8}, bits) {
		return nil, f.fail(c, "MatMulNBits of %d × %d, %d bits, blocks of %d", rows, cols, bits, size)
	}
	if c.elem.dtype != tensor.U8 || u.in.find(at(u.n.in, 4)) != nil {
		return nil, f.refuse(c, "MatMulNBits with codes of %s or with an index of groups is not read", c.elem.name)
	}
	blocks := (cols + size - 1) / size
	if want := rows * blocks * (size * bits / 8); c.elements() != want {
		return nil, f.fail(c, "%d bytes of codes, %d × %d in blocks of %d asks for %d", c.elements(), rows, cols, size, want)
	}
	scale := u.in.constant(u.n, 2)
	if scale == nil || !scale.floating() || scale.elements() != rows*blocks {
		return nil, f.fail(c, "MatMulNBits: %d scales expected", rows*blocks)
	}
	a := &packed.Affine{
		What:  fmt.Sprintf("INT%d scaled in groups of %d", bits, size),
		Shape: []int64{rows, cols}, Block: []int64{1, size}, Gap: 1, Zero: constantly(int64(1) << (bits - 1)),
	}
	var err error
	if a.Codes, err = f.unpack(c, bits, rows, cols, blocks*size); err != nil {
		return nil, err
	}
	if a.Scale, _, err = f.data(scale, nil); err != nil {
		return nil, err
	}
	if scale.elem.dtype == tensor.BF16 {
		a.Slack = 1.0 / (1 << 9)
	}
	if name := at(u.n.in, 3); name != "" {
		zero := u.in.constant(u.n, 3)
		a.Zero, err = f.zeros(c, zero, bits, rows, blocks)
	}
	return a, err
}

// zeros reads the zero-points of MatMulNBits: packed as the codes are, each
// row in whole bytes, or one number a block.
func (f *finder) zeros(of, c *constant, bits, rows, blocks int64) (tensor.Data, error) {
	wide := (blocks*bits + 7) / 8
	switch {
	case c == nil || c.sparse:
		return nil, f.refuse(of, "MatMulNBits with zero-points that are no constant is not read")
	case c.floating() && c.elements() == rows*blocks:
		d, _, err := f.data(c, nil)
		return d, err
	case c.elem.dtype == tensor.U8 && c.elements() == rows*wide:
		return f.unpack(c, bits, rows, blocks, wide*8/bits)
	}
	return nil, f.fail(of, "%d zero-points of type %s for %d × %d blocks", c.elements(), c.elem.name, rows, blocks)
}

// unpack gives the first cols of the numbers of each row that holds wide.
func (f *finder) unpack(c *constant, bits, rows, cols, wide int64) (tensor.Data, error) {
	if err := f.at.locate(c); err != nil {
		return nil, err
	}
	r := strided.Bits(c.values, c.values.off, bits, false, rows*wide)
	if wide != cols {
		r = strided.New(r, 0, []int64{rows, cols}, []int64{wide, 1}, 1)
	}
	s := &tensor.Stored{File: c.values.file, Name: c.name, R: r, Bytes: rows * cols, DType: tensor.U8}
	return counted{s, c}, nil
}

// gathered reads the table of GatherBlockQuantized: codes of 4 or 8 bits, in
// bytes or as numbers of 4 bits, with scales for blocks along one axis.
func (f *finder) gathered(c *constant, u use) (*packed.Affine, error) {
	s := scales{scale: u.in.constant(u.n, 2), zero: u.in.constant(u.n, 3), axis: int(u.n.int("quantize_axis", 1)), block: u.n.int("block_size", 128)}
	if s.scale == nil || s.block < 1 || at(u.n.in, 3) != "" && s.zero == nil {
		return nil, f.refuse(c, "GatherBlockQuantized whose scales are no constant is not read")
	}
	bits := u.n.int("bits", 4)
	if c.elem.dtype != tensor.U8 {
		return f.affine(c, s, nil)
	}
	if bits != 4 && bits != 8 || len(c.dims) != 2 || s.axis != 1 && s.axis != -1 {
		return nil, f.refuse(c, "GatherBlockQuantized of %d dimensions, %d bits, along %d is not read", len(c.dims), bits, s.axis)
	}
	rows, cols := c.dims[0], c.dims[1]*8/bits
	blocks := (cols + s.block - 1) / s.block
	a := &packed.Affine{
		What: fmt.Sprintf("INT%d scaled in groups of %d", bits, s.block), Shape: []int64{rows, cols}, Block: []int64{1, s.block}, Gap: 1,
		Zero: constantly(int64(1) << (bits - 1)),
	}
	if s.scale.elements() != rows*blocks {
		return nil, f.fail(c, "%d scales for %d × %d blocks", s.scale.elements(), rows, blocks)
	}
	var err error
	if a.Codes, err = f.unpack(c, bits, rows, cols, cols); err != nil {
		return nil, err
	}
	if a.Scale, _, err = f.data(s.scale, nil); err == nil && s.zero != nil {
		a.Zero, err = f.zeros(c, s.zero, bits, rows, blocks)
	}
	return a, err
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}
