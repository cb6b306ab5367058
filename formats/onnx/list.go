package onnx

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// finder makes tensors of the constants of a model.
type finder struct {
	file  *File
	name  string
	at    *locator
	taken map[string]bool // names that tensors have or will have
	again map[string]int  // how often a name was asked for again
	order map[string]int  // of the first use of each tensor
	total int64
}

// fail is the error for a tensor that breaks a rule.
func (f *finder) fail(c *constant, rule string, args ...any) error {
	return tensor.Errorf(tensor.ErrFormat, f.name, c.at, "tensor "+quote(c.name), rule, args...)
}

// refuse is the error for a tensor that is stored as nothing that is read.
func (f *finder) refuse(c *constant, rule string, args ...any) error {
	return tensor.Errorf(tensor.ErrUnsupported, f.name, c.at, "tensor "+quote(c.name), rule, args...)
}

// warn adds a warning, of many the first ones.
func (f *finder) warn(text string) {
	if len(f.file.Warnings) < maxWarnings {
		f.file.Warnings = append(f.file.Warnings, text)
	} else if len(f.file.Warnings) == maxWarnings {
		f.file.Warnings = append(f.file.Warnings, "and more of the kind")
	}
}

const maxWarnings = 20

// list makes the tensors: those whose name is the model's own first, so that
// no name that is found for another takes theirs.
func (f *finder) list(ctx context.Context, w *wiring) error {
	for _, v := range w.all {
		for _, c := range v.g.consts {
			if v.named[c.name].c != c {
				return f.fail(c, "two constants of one graph have this name")
			}
			if name := plainName(c.name); !anonymous.MatchString(name) {
				f.taken[f.within(v, name)] = true
			}
		}
	}
	for _, v := range w.all {
		for _, c := range append(slices.Clone(v.g.consts), v.g.sparse...) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := f.constant(v, c); err != nil {
				return err
			}
		}
	}
	for _, v := range w.all {
		f.aliases(v)
	}
	slices.SortStableFunc(f.file.tensors, func(a, b *tensor.Tensor) int { return cmp.Compare(f.order[a.Name], f.order[b.Name]) })
	return nil
}

// within is a name of a graph that is nested in another. It is the name
// itself where no outer graph has a tensor of it.
func (f *finder) within(v *values, name string) string {
	for p := v.parent; p != nil; p = p.parent {
		if x := p.named[name]; x != nil && x.c != nil {
			return v.g.path + "/" + name
		}
	}
	return name
}

// constant lists one constant, or passes over it.
func (f *finder) constant(v *values, c *constant) error {
	x := v.named[c.name]
	switch {
	case c.sparse:
		return f.opaque(v, c, "is stored as indices and values")
	case c.typ == typeString, x.onlyAuxiliary(), c.elements() == 0, c.fill:
		f.file.Constants++
		return nil
	case c.floating() && c.elem.bits > 8:
		if c.single() && anonymous.MatchString(c.name) {
			f.file.Constants++
			return nil
		}
		if ok, err := f.recurrent(v, x); ok || err != nil {
			return err
		}
		return f.plain(v, x)
	}
	a, err := f.quantised(v, x)
	switch {
	case err != nil || a:
		return err
	case c.floating():
		return f.plain(v, x)
	case c.elements() <= maxShape && len(c.dims) <= 1 || c.single():
		f.file.Constants++
		return nil
	case c.elem.bits <= 16 && c.elem.dtype != tensor.Bool:
		return f.opaque(v, c, "holds integers whose scale is not known")
	}
	return f.plain(v, x)
}

// maxShape is how many integers a shape, a list of axes or the like has at
// most; there are no weights so few.
const maxShape = 8

// onlyAuxiliary tells whether a value is used as a scale or zero-point only.
func (x *value) onlyAuxiliary() bool {
	if x == nil {
		return false
	}
	ends := x.ends([]string{"Identity", "Cast", "Reshape"})
	for _, u := range ends {
		if !u.auxiliary() && !u.multiplier() {
			return false
		}
	}
	return len(ends) > 0
}

// multiplier tells whether an input is the scale of a product of integers: it
// is multiplied by another scale, and that into the product.
func (u use) multiplier() bool {
	if u.n.op != "Mul" {
		return false
	}
	for _, in := range u.n.in {
		x := u.in.find(in)
		for range 2 {
			if x != nil && x.by != nil && len(x.by.in) > 0 && (x.by.op == "Cast" || x.by.op == "Identity") {
				x = u.in.find(x.by.in[0])
			}
		}
		if x != nil && x.by != nil && (strings.HasSuffix(x.by.op, "Integer") || x.by.op == "DynamicQuantizeLinear") {
			return true
		}
	}
	return false
}

// opaque lists a tensor that cannot be read.
func (f *finder) opaque(v *values, c *constant, why string) error {
	f.warn(fmt.Sprintf("tensor %s %s; it is listed and not read", escape.Printable(c.name), why))
	n, ok := tensor.Elements(c.dims)
	if !ok {
		return f.fail(c, "shape %v: a dimension is negative or the product too large", c.dims)
	}
	s := &tensor.Stored{File: f.name, Name: c.name, R: f.at.r, Offset: c.where.at, Bytes: c.elem.bytes(n), DType: tensor.Opaque}
	if c.sparse {
		s.Bytes = 0
	}
	return f.add(&tensor.Tensor{Name: f.free(f.within(v, c.name), v), DType: tensor.Opaque, Shape: c.dims, Data: s}, &value{c: c})
}

// plain lists a constant of numbers.
func (f *finder) plain(v *values, x *value) error {
	name, order := f.called(v, x, len(x.c.dims))
	d, t, err := f.data(x.c, order)
	if err != nil {
		return err
	}
	return f.add(&tensor.Tensor{Name: name, DType: t, Shape: reorder(x.c.dims, order), Data: d}, x)
}

// quantised lists a constant of codes, if their scale is known.
func (f *finder) quantised(v *values, x *value) (ok bool, err error) {
	var a *packed.Affine
	name, order := f.called(v, x, len(x.c.dims))
	if u, is := x.blocks(); is {
		if u.n.op == "MatMulNBits" {
			name, _ = f.called(v, x, 0)
			a, err = f.nbits(x.c, u)
		} else {
			a, err = f.gathered(x.c, u)
		}
	} else if s, is := f.scalesOf(x); is {
		a, err = f.affine(x.c, s, order)
	}
	if err != nil || a == nil {
		return false, err
	}
	return true, f.add(&tensor.Tensor{Name: name, DType: codeType(x.c, a), Shape: a.Shape, Data: a}, x)
}

// blocks finds an operator that reads codes in blocks.
func (x *value) blocks() (use, bool) {
	for _, u := range x.uses {
		if u.n.op == "MatMulNBits" && u.input == 1 || u.n.op == "GatherBlockQuantized" && u.input == 0 {
			return u, true
		}
	}
	return use{}, false
}

// codeType names the codes of a quantised tensor.
func codeType(c *constant, a *packed.Affine) tensor.DType {
	bits := int(c.elem.bits)
	if strings.HasPrefix(a.What, "INT4 ") {
		bits = 4
	} else if strings.HasPrefix(a.What, "INT2 ") {
		bits = 2
	}
	switch {
	case c.elem.dtype == tensor.F4:
		return tensor.Named("FP4")
	case !c.elem.integer():
		return tensor.Named("FP8")
	case tensor.PackedInt(bits) != tensor.Invalid:
		return tensor.PackedInt(bits)
	}
	return tensor.F32 // integers of 64 bits
}

// add lists a tensor. All of them together have not much more bytes than the
// files they lie in.
func (f *finder) add(t *tensor.Tensor, x *value) error {
	c := x.c
	f.order[t.Name] = x.first()
	if f.total += t.StoredBytes(); f.total > maxShare*f.at.total+freeShare {
		return tensor.Errorf(tensor.ErrLimit, f.name, c.at, "tensor "+quote(c.name), "the tensors up to this one have %d bytes, the files %d", f.total, f.at.total)
	}
	f.taken[t.Name] = true
	f.file.tensors = append(f.file.tensors, t)
	f.file.byName[t.Name] = t
	return nil
}
