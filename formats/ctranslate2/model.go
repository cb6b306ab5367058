package ctranslate2

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/formats/tensor"
)

const (
	maxText = 1 << 12 // bytes of a text among the variables
	maxBias = 1 << 20 // numbers of a part of a bias that is looked at; the largest in use has 16,384
)

// model makes tensors of the variables.
func (x *reader) model(ctx context.Context, aliases map[string]string) (*File, error) {
	f := &File{byName: map[string]*tensor.Tensor{}, meta: tensor.Metadata{"ctranslate2.specification": x.spec, "ctranslate2.version": int64(x.version), "ctranslate2.aliases": int64(len(aliases))}}
	var weights []*variable
	for _, v := range x.all {
		if x.grid(v.name) {
			continue // it is read with the codes
		}
		constant, err := x.constant(ctx, f, v)
		if err != nil {
			return nil, err
		}
		if !constant {
			weights = append(weights, v)
		}
	}
	if len(weights) == 0 {
		return nil, x.Fail(tensor.ErrFormat, x.At, "variables", "no variable is a weight")
	}
	l := layoutOf(x, f.meta, aliases)
	for _, v := range weights {
		if err := x.add(ctx, f, l, v); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// codes tells types that hold codes, not values.
func codes(t tensor.DType) bool { return t == tensor.I8 || t == tensor.I16 }

// grid tells scales and zero-points of integers.
func (x *reader) grid(name string) bool {
	for _, end := range []string{"_scale", "_zero"} {
		if base, ok := strings.CutSuffix(name, end); ok && x.byName[base] != nil && x.byName[base].kind.Kind() == tensor.KindInteger {
			return true
		}
	}
	return false
}

// constant puts single numbers and texts into the metadata, and tells whether a variable was one.
func (x *reader) constant(ctx context.Context, f *File, v *variable) (bool, error) {
	key := "ctranslate2." + strings.ReplaceAll(v.name, "/", ".")
	switch {
	case len(v.shape) == 0:
		n := make([]float32, 1)
		if err := x.stored(v, v.kind, 0, v.bytes).ReadValues(ctx, n, 0); err != nil {
			return false, err
		}
		if v.kind.Kind() == tensor.KindInteger {
			f.meta[key] = int64(n[0])
		} else if n[0]-n[0] == 0 { // finite
			f.meta[key] = float64(n[0])
		}
		return true, nil
	case len(v.shape) == 1 && v.kind == tensor.I8 && v.bytes <= maxText && x.byName[v.name+"_scale"] == nil:
		p := make([]byte, v.bytes)
		if _, err := x.From.ReadAt(p, v.at); err != nil {
			return false, x.Fail(err, v.at, field(v.name), "reading: %v", err)
		}
		f.meta[key] = string(p)
		return true, nil
	}
	return false, nil
}

// part is some rows of a variable under a name of their own.
type part struct {
	name     string
	first, n int64
}

// add makes the tensors that a variable stands for.
func (x *reader) add(ctx context.Context, f *File, l *layout, v *variable) error {
	for _, p := range l.parts(v) {
		t, err := x.tensor(v, p)
		if err != nil {
			return err
		}
		if t.DType == tensor.Opaque {
			f.Warnings = append(f.Warnings, fmt.Sprintf("%s has integers without a known scale; it is listed and not read", field(v.name)))
		}
		if absent, err := x.absent(ctx, p, t); err != nil || absent {
			if err != nil {
				return err
			}
			continue
		}
		if f.byName[t.Name] != nil {
			return x.Fail(tensor.ErrFormat, v.begin, field(v.name), "two tensors stand for %s", strconv.QuoteToASCII(t.Name))
		}
		f.tensors, f.byName[t.Name] = append(f.tensors, t), t
	}
	return nil
}

// absent tells the bias of Whisper's keys: the model has none, and converters fill its place in
// the fused one with zeros. What is not zero there is a bias like any other.
func (x *reader) absent(ctx context.Context, p part, t *tensor.Tensor) (bool, error) {
	if x.spec != "WhisperSpec" || !strings.HasSuffix(p.name, ".k_proj.bias") || p.n > maxBias || t.DType == tensor.Opaque {
		return false, nil
	}
	values := make([]float32, t.Len())
	if err := t.Data.ReadValues(ctx, values, 0); err != nil {
		return false, err
	}
	return !slices.ContainsFunc(values, func(y float32) bool { return y != 0 }), nil
}

// tensor makes one of some rows: plain numbers, or codes with their scales.
func (x *reader) tensor(v *variable, p part) (*tensor.Tensor, error) {
	t := &tensor.Tensor{Name: p.name, DType: v.kind, Shape: append([]int64{p.n}, v.shape[1:]...)}
	row := int64(0) // bytes
	if v.shape[0] > 0 {
		row = v.bytes / v.shape[0]
	}
	t.Data = x.stored(v, v.kind, p.first*row, p.n*row)
	if v.kind.Kind() != tensor.KindInteger {
		return t, nil
	}
	s := x.byName[v.name+"_scale"]
	if s == nil || !codes(v.kind) {
		t.DType, t.Data = tensor.Opaque, x.stored(v, tensor.Opaque, p.first*row, p.n*row)
		return t, nil
	}
	return t, x.scaled(t, v, s, p)
}

// scaled gives codes their scales: one a row, or one for all.
func (x *reader) scaled(t *tensor.Tensor, v, s *variable, p part) error {
	a := &packed.Affine{Codes: t.Data, Shape: t.Shape, Gap: 1, Slack: 1.0 / (1 << 23)} // the inverse of a scale is rounded, and so was the scale
	n, _ := tensor.Elements(s.shape)
	axis := -1
	switch {
	case s.kind.Kind() == tensor.KindInteger:
		return x.Fail(tensor.ErrFormat, s.begin, field(s.name), "scales of type %s", s.kind)
	case n == 1 && (len(s.shape) == 0 || v.shape[0] == 1):
		a.Scale = inverse{x.stored(s, s.kind, 0, s.bytes)}
	case len(s.shape) == 1 && n == v.shape[0]:
		size := int64(width(s.kind))
		axis, a.Scale = 0, inverse{x.stored(s, s.kind, p.first*size, p.n*size)}
	default:
		return x.Fail(tensor.ErrFormat, s.begin, field(s.name), "scales of shape %v for codes of shape %v", s.shape, v.shape)
	}
	t.DType = tensor.PackedInt(8 * width(v.kind))
	a.What, a.Block = packed.ByAxis(t.DType.String(), axis, 1), packed.Blocks(t.Shape, axis, 1)
	t.Data = a
	return nil
}

// stored is a run of a variable's bytes.
func (x *reader) stored(v *variable, t tensor.DType, first, n int64) *tensor.Stored {
	return &tensor.Stored{File: x.File, Name: v.name, R: x.From, Offset: v.at + first, Bytes: n, DType: t}
}

// inverse gives 1/x of each number, rounded to float32.
type inverse struct{ tensor.Data }

func (i inverse) ReadValues(ctx context.Context, dst []float32, first int64) error {
	if err := i.Data.ReadValues(ctx, dst, first); err != nil {
		return err
	}
	for j, v := range dst {
		dst[j] = 1 / v
	}
	return nil
}
