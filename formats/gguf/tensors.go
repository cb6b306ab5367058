package gguf

import (
	"bytes"
	"context"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/weightprint/weightprint/formats/tensor"
)

// info is an entry of the tensor table.
type info struct {
	at     int64 // of the entry
	t      *tensor.Tensor
	typeID uint32
	offset uint64
	bytes  int64 // -1 when the type is unknown
}

// infos reads the tensor table.
func (f *File) infos(ctx context.Context, d *decoder, n uint64) ([]info, error) {
	var all []info
	for range n {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		in, err := f.info(d)
		if err != nil {
			return nil, err
		}
		if f.byName[in.t.Name] != nil {
			return nil, d.fail(tensor.ErrFormat, in.at, quoted("tensor", in.t.Name), "two tensors have this name")
		}
		f.byName[in.t.Name] = in.t
		f.tensors = append(f.tensors, in.t)
		all = append(all, in)
	}
	return all, nil
}

// info reads one entry: name, dimensions innermost first, type, offset.
func (f *File) info(d *decoder) (info, error) {
	in := info{at: d.Offset()}
	name, err := d.short16("tensor name")
	if err != nil {
		return in, err
	}
	field := quoted("tensor", name)
	switch {
	case len(name) > maxNameBytes:
		return in, d.fail(tensor.ErrLimit, in.at, "tensor name", "a name has at most %d bytes, found %d", maxNameBytes, len(name))
	case !utf8.ValidString(name) || strings.ContainsRune(name, 0):
		return in, d.fail(tensor.ErrFormat, in.at, field, "a name is UTF-8 without NUL")
	}
	shape, err := f.shape(d, field)
	if err != nil {
		return in, err
	}
	if in.typeID, err = d.u32(field + " type"); err != nil {
		return in, err
	}
	if in.offset, err = d.u64(field + " offset"); err != nil {
		return in, err
	}
	in.t = &tensor.Tensor{Name: name, Shape: shape, DType: tensor.Opaque}
	if known, ok := dtypes[in.typeID]; ok {
		in.t.DType = known
	}
	in.bytes, err = f.bytes(d, in, field)
	return in, err
}

// shape reads the dimensions and turns them outermost first.
func (f *File) shape(d *decoder, field string) ([]int64, error) {
	at := d.Offset()
	n, err := d.u32(field + " dimension count")
	if err != nil {
		return nil, err
	}
	if n > maxDims {
		return nil, d.fail(tensor.ErrLimit, at, field, "%d dimensions, at most %d", n, maxDims)
	}
	shape := make([]int64, n)
	product := uint64(1)
	for i := range shape {
		v, err := d.u64(field + " dimension")
		if err != nil {
			return nil, err
		}
		if v > math.MaxInt64 || v != 0 && product > math.MaxInt64/v {
			return nil, d.fail(tensor.ErrLimit, at, field, "the dimensions hold more values than 2^63-1")
		}
		product *= max(v, 1)
		shape[i] = int64(v)
	}
	slices.Reverse(shape)
	return shape, nil
}

// bytes is the stored size of a tensor, -1 when its type is unknown.
func (f *File) bytes(d *decoder, in info, field string) (int64, error) {
	codec, ok := in.t.DType.Codec()
	if !ok {
		return -1, nil
	}
	if cols := in.t.Cols(); cols%int64(codec.BlockValues) != 0 {
		return 0, d.fail(tensor.ErrFormat, in.at, field, "rows of %d values are no whole blocks of %s (%d)", cols, codec.Name, codec.BlockValues)
	}
	// Also with an empty dimension the others must fit.
	span := int64(1)
	for _, n := range in.t.Shape {
		span *= max(n, 1)
	}
	if span/int64(codec.BlockValues) > math.MaxInt64/int64(codec.BlockBytes) {
		return 0, d.fail(tensor.ErrLimit, in.at, field, "the dimensions span more than 2^63-1 bytes")
	}
	return in.t.Len() / int64(codec.BlockValues) * int64(codec.BlockBytes), nil
}

// place gives every tensor its bytes: data begins at the next multiple of the
// alignment, and each tensor where the one before it ends, padded.
func (f *File) place(d *decoder, infos []info) (*File, error) {
	end := d.Offset()
	f.DataStart = end
	if len(infos) == 0 {
		return f, nil
	}
	f.DataStart = f.padded(end)
	if err := f.zeroPadding(d, end); err != nil {
		return nil, err
	}
	var unknown error
	at := int64(0) // relative to DataStart
	for i, in := range infos {
		field := quoted("tensor", in.t.Name)
		if in.offset != uint64(at) {
			return nil, d.fail(tensor.ErrFormat, in.at, field, "offset %d, expected %d: tensors stand one after the other, aligned to %d", in.offset, at, f.Alignment)
		}
		if in.bytes < 0 {
			if unknown == nil {
				unknown = d.fail(tensor.ErrUnsupported, in.at, field, "tensor type %d is unknown", in.typeID)
			}
			// Only the next offset tells where it ends.
			next := f.size - f.DataStart
			if i+1 < len(infos) {
				next = int64(min(infos[i+1].offset, math.MaxInt64))
			}
			in.bytes = next - at
		}
		if in.bytes < 0 || in.bytes > f.size-f.DataStart-at {
			return nil, d.fail(io.ErrUnexpectedEOF, in.at, field, "%d bytes at offset %d, but the file has %d bytes; %d of %d tensors are whole", in.bytes, f.DataStart+at, f.size, i, len(infos))
		}
		in.t.Data = &tensor.Stored{File: f.name, Name: in.t.Name, R: f.r, Offset: f.DataStart + at, Bytes: in.bytes, DType: in.t.DType, BigEndian: f.BigEndian}
		end, at = at+in.bytes, f.padded(at+in.bytes)
	}
	// end is now where the last tensor ends, at where its padding does.
	switch left := f.size - f.DataStart; {
	case left > at:
		f.warn("%d bytes follow the last tensor", left-at)
	case left > end && left < at:
		return nil, d.fail(io.ErrUnexpectedEOF, f.DataStart+end, "final padding", "padding to %d is whole or absent, found %d bytes of %d", f.Alignment, left-end, at-end)
	}
	return f, unknown
}

func (f *File) padded(n int64) int64 {
	a := f.Alignment
	if n > math.MaxInt64-a {
		return n // larger than any file; the next check refuses it
	}
	return (n + a - 1) / a * a
}

// zeroPadding refuses anything hidden between the table and the data.
func (f *File) zeroPadding(d *decoder, end int64) error {
	b, err := d.take(uint64(f.DataStart-end), "padding before the data")
	if err != nil {
		return err
	}
	if i := bytes.IndexFunc(b, func(r rune) bool { return r != 0 }); i >= 0 {
		return d.fail(tensor.ErrFormat, end+int64(i), "padding before the data", "padding is zero")
	}
	return nil
}
