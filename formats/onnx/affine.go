package onnx

import (
	"context"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/strided"
)

// affine makes a quantised tensor of codes and scales. order is that of the
// codes' dimensions in the result.
func (f *finder) affine(c *constant, s scales, order []int) (*packed.Affine, error) {
	axis := s.axis
	if axis < 0 {
		axis += len(c.dims)
	}
	switch alone := s.directions && s.scale.elements() == c.dims[0]; {
	case s.scale.single():
		axis, s.block = -1, 0
	case alone:
		axis = 0
	case axis < 0 || axis >= len(c.dims):
		return nil, f.fail(c, "scales along dimension %d of %d", s.axis, len(c.dims))
	}
	blocks := packed.Blocks(c.dims, axis, max(1, s.block))
	for i := range blocks {
		if s.block > 0 && i != axis || s.directions && i == 0 && axis > 0 {
			blocks[i] = 1
		}
	}
	a := &packed.Affine{Shape: c.dims, Block: blocks}
	grid := a.Grid()
	a.Shape, a.Block = reorder(c.dims, order), reorder(blocks, order)
	if axis >= 0 && order != nil {
		axis = slices.Index(order, axis)
	}
	kind := strings.Replace(strings.TrimPrefix(c.elem.name, "U"), "FLOAT", "FP", 1)
	a.What = packed.ByAxis(kind, axis, max(1, s.block))
	if c.elem.integer() {
		a.Gap = 1
	}
	switch {
	case s.scale.elem.dtype == tensor.BF16:
		a.Slack = 1.0 / (1 << 9)
	case c.elem.bits == 32:
		a.Slack = 1.0 / (1 << 24) // the codes are rounded to float32
	}
	var err error
	if a.Scale, err = f.grid(c, s.scale, grid, order); err != nil {
		return nil, err
	}
	if s.times != nil {
		factor, _, err := f.data(s.times, nil)
		if err != nil {
			return nil, err
		}
		a.Scale = product{a.Scale, factor}
	}
	if s.zero != nil {
		if a.Zero, err = f.grid(c, s.zero, grid, order); err != nil {
			return nil, err
		}
	}
	a.Codes, _, err = f.data(c, order)
	return a, err
}

// grid gives the scales or zero-points of blocks in the order of the result.
func (f *finder) grid(of, c *constant, shape []int64, order []int) (tensor.Data, error) {
	want, _ := tensor.Elements(shape)
	switch {
	case c.sparse || c.elem.dtype == tensor.Invalid && c.elem.bits == 0:
		return nil, f.fail(of, "the scale or zero-point %s is of type %s", quote(c.name), c.elem.name)
	case c.single() && want != 1:
		d, _, err := f.data(c, nil)
		return packed.Repeated{Data: d}, err
	case c.elements() != want:
		return nil, f.fail(of, "%s has %d numbers, shape %v asks for %d", quote(c.name), c.elements(), of.dims, want)
	}
	shaped := *c
	shaped.dims = shape
	d, _, err := f.data(&shaped, order)
	return d, err
}

// product is numbers times one further number, rounded to float32.
type product struct {
	tensor.Data
	factor tensor.Data
}

func (p product) ReadValues(ctx context.Context, dst []float32, first int64) error {
	var factor [1]float32
	if err := p.factor.ReadValues(ctx, factor[:], 0); err != nil {
		return err
	}
	if err := p.Data.ReadValues(ctx, dst, first); err != nil {
		return err
	}
	for i := range dst {
		dst[i] *= factor[0]
	}
	return nil
}

// constantly is a number that stands nowhere.
type constantly float32

func (c constantly) ReadValues(_ context.Context, dst []float32, _ int64) error {
	for i := range dst {
		dst[i] = float32(c)
	}
	return nil
}

func (constantly) StoredBytes() int64 { return 0 }

// data gives a constant's values, its dimensions in another order. Numbers of
// less than a byte come as whole bytes.
func (f *finder) data(c *constant, order []int) (tensor.Data, tensor.DType, error) {
	if c.elem.dtype == tensor.Invalid && c.elem.bits == 0 {
		return nil, 0, f.refuse(c, "numbers of type %s are not read", c.elem.name)
	}
	if err := f.at.locate(c); err != nil {
		return nil, 0, err
	}
	s := &tensor.Stored{File: c.values.file, Name: c.name, R: c.values.ReaderAt, Offset: c.values.off, Bytes: c.elem.bytes(c.elements()), DType: c.elem.dtype}
	if c.elem.dtype == tensor.Invalid {
		s.R, s.Offset, s.Bytes, s.DType = strided.Bits(c.values, c.values.off, c.elem.bits, c.elem.signed, c.elements()), 0, c.elements(), tensor.U8
		if c.elem.signed {
			s.DType = tensor.I8
		}
	}
	if order == nil {
		return f.sized(s, c), s.DType, nil
	}
	codec, _ := s.DType.Codec()
	shape, strides := strided.Transposed(c.dims, order)
	if item := int64(codec.BlockBytes); !strided.Dense(shape, strides, item) {
		if codec.BlockValues != 1 {
			return nil, 0, f.refuse(c, "%s tensors that lie inputs × outputs are not read", c.elem.name)
		}
		s.R, s.Offset = strided.New(s.R, s.Offset, shape, strides, item), 0
	}
	return f.sized(s, c), s.DType, nil
}

// sized is stored data; where numbers of less than a byte come as bytes, with
// the size that they have in the file.
func (f *finder) sized(s *tensor.Stored, c *constant) tensor.Data {
	if s.Bytes == c.elem.bytes(c.elements()) {
		return s
	}
	return counted{s, c}
}

// counted is Data that takes as many bytes of the file as its constant does.
type counted struct {
	tensor.Data
	c *constant
}

func (c counted) StoredBytes() int64 { return c.c.elem.bytes(c.c.elements()) }

func reorder(list []int64, order []int) []int64 {
	if order == nil {
		return list
	}
	out := make([]int64, len(list))
	for i, k := range order {
		out[i] = list[k]
	}
	return out
}
