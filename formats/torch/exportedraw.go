package torch

import (
	"context"
	"maps"
	"math"
	"path"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/strictjson"
)

// Since torch 2.9 the tensors of an exported program are entries of raw bytes. A description names
// for each its entry, type, shape, strides and offset; several may share an entry.

// stridedLayout is the one layout of tensors whose values lie in rows and columns (torch's
// serialisation: 7).
const stridedLayout = 7

// scalarTypes are the numbers of element types in descriptions of exported programs.
var scalarTypes = map[int]string{
	1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32", 8: "float64",
	9: "complex32", 10: "complex64", 11: "complex128", 12: "bool", 13: "bfloat16", 28: "uint16",
	29: "float8_e4m3fn", 30: "float8_e5m2", 31: "float8_e4m3fnuz", 32: "float8_e5m2fnuz",
}

// described is what a description says of one tensor.
type described struct {
	Path   string `json:"path_name"`
	Pickle bool   `json:"use_pickle"`
	Meta   *struct {
		Type    int     `json:"dtype"`
		Sizes   []whole `json:"sizes"`
		Strides []whole `json:"strides"`
		Offset  whole   `json:"storage_offset"`
		Layout  int     `json:"layout"`
	} `json:"tensor_meta"`
}

// whole is a number that is known when the program is written; others are expressions.
type whole struct {
	N *int64 `json:"as_int"`
}

// described takes the tensors that a description names.
func (x *exported) described(ctx context.Context, e *entry, folder string) ([]named, error) {
	text, err := x.a.whole(e, maxPickle)
	if err != nil {
		return nil, err
	}
	var d struct {
		Config map[string]described `json:"config"`
	}
	if err := strictjson.Unmarshal(text, &d); err != nil {
		return nil, x.a.fail(e.data, quoted(e.name), "%v", err)
	}
	if d.Config == nil {
		return nil, x.a.fail(e.data, quoted(e.name), "a description of tensors (config) expected")
	}
	var found []named
	for _, name := range slices.Sorted(maps.Keys(d.Config)) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		v, err := x.one(ctx, name, d.Config[name], folder)
		if err != nil {
			return nil, err
		}
		if v != nil {
			found = append(found, named{name, v})
		}
	}
	return found, nil
}

// one makes the view of one description; none of an object that is no tensor.
func (x *exported) one(ctx context.Context, name string, d described, folder string) (*view, error) {
	e := x.a.byName[path.Join(x.a.root, folder, d.Path)]
	if e == nil || path.Join(folder, d.Path) != folder+d.Path {
		return nil, x.a.fail(x.a.start, "tensor "+quoteKey(name), "no entry %s holds it", quoteKey(folder+d.Path))
	}
	x.used[e.name] = true
	switch {
	case d.Meta == nil:
		x.others = append(x.others, name)
		return nil, nil
	case d.Pickle:
		return x.pickled(ctx, name, e)
	}
	v, err := x.raw(name, d, e)
	if err != nil {
		return nil, err
	}
	return v, (&machine{file: x.name, what: "tensor", op: quoteKey(name), base: e.data}).within(v)
}

// pickled takes a tensor that is a checkpoint of its own.
func (x *exported) pickled(ctx context.Context, name string, e *entry) (*view, error) {
	root, err := x.inner(ctx, e)
	if err != nil {
		return nil, err
	}
	switch v := root.(type) {
	case *view:
		return v, nil
	case *unread:
		return nil, v.err
	case *object:
		return nil, v.refused(x.name, "tensor "+quoteKey(name))
	}
	return nil, x.a.fail(e.data, quoted(e.name), "a tensor expected, found %s", describe(root))
}

// raw is the view of an entry of raw bytes, which is whole storage.
func (x *exported) raw(name string, d described, e *entry) (*view, error) {
	fail := func(class error, rule string, args ...any) error {
		return tensor.Errorf(class, x.name, e.data, "tensor "+quoteKey(name), rule, args...)
	}
	typ := globals["torch."+scalarTypes[d.Meta.Type]]
	if typ == nil || d.Meta.Layout != stridedLayout {
		return nil, fail(tensor.ErrUnsupported, "element type %d, layout %d: not one of those that are read", d.Meta.Type, d.Meta.Layout)
	}
	v := &view{dtype: typ.dtype, at: e.data}
	var ok, ok2, ok3 bool
	v.shape, ok = wholes(d.Meta.Sizes)
	v.strides, ok2 = wholes(d.Meta.Strides)
	offset, ok3 := wholes([]whole{d.Meta.Offset})
	if !ok || !ok2 || !ok3 {
		return nil, fail(tensor.ErrFormat, "sizes, strides and the offset are whole numbers from 0, at most %d of them", maxRank)
	}
	v.offset = offset[0]
	s := x.storages[e.name]
	if s == nil {
		s = &storage{typ: typ, bytes: e.size, r: x.a.r, off: e.data, at: e.data}
		if e.method != methodStored {
			s.r, s.off = x.a.content(e), 0
		}
		x.storages[e.name] = s
	}
	switch {
	case s.typ != typ:
		return nil, fail(tensor.ErrFormat, "its entry is of %s, but was of %s", typ.name, s.typ.name)
	case e.size%item(typ.dtype) != 0:
		return nil, fail(tensor.ErrFormat, "%d bytes are no whole number of elements of %s", e.size, typ.name)
	case e.size == 0 && !slices.Contains(v.shape, 0):
		return nil, fail(tensor.ErrUnsupported, "the program was exported without the values of its weights; %s", resaveState)
	}
	v.s = s
	return v, nil
}

// wholes takes whole numbers from 0.
func wholes(from []whole) ([]int64, bool) {
	if len(from) > maxRank {
		return nil, false
	}
	out := make([]int64, len(from))
	for i, w := range from {
		if w.N == nil || *w.N < 0 || *w.N == math.MaxInt64 {
			return nil, false
		}
		out[i] = *w.N
	}
	return out, true
}
