package flax

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/internal/saferio"
)

// File is the description of a msgpack file. It implements tensor.Model and is
// safe for concurrent use.
type File struct {
	// Warnings say what was taken for the model and what was left out.
	Warnings []string

	tensors []*tensor.Tensor
	byName  map[string]*tensor.Tensor
}

// Recognises tells from a file's first bytes whether it is msgpack as Flax
// writes it: a map that is not empty, whose first key is a text, with a map,
// an extension, a number or a list behind it.
func Recognises(head []byte) bool {
	d := &decoder{c: saferio.NewCursor(strings.NewReader(string(head)), int64(len(head)))}
	if h, err := d.header(); err != nil || h.kind != kindMap || h.n == 0 {
		return false
	}
	h, err := d.header()
	if err != nil || h.kind != kindText || h.n == 0 || h.n > 128 {
		return false
	}
	if _, err := d.take(h.n, "key"); err != nil {
		return false
	}
	h, err = d.header()
	return err == nil && (h.kind == kindMap || h.kind == kindNumber || h.kind == kindList || h.kind == kindExt && (h.ext == extArray || h.ext == extScalar))
}

// Read lists the arrays of a msgpack file of size bytes. name is used in
// errors. No values are read.
func Read(ctx context.Context, name string, r io.ReaderAt, size int64) (*File, error) {
	d := &decoder{file: name, c: saferio.NewCursor(r, size)}
	root, err := d.value(0)
	if err != nil {
		return nil, err
	}
	if rest := d.c.Remaining(); rest > 0 {
		return nil, tensor.Errorf(tensor.ErrFormat, name, d.c.Offset(), "file", "%d bytes follow the tree", rest)
	}
	if !root.isMap {
		return nil, tensor.Errorf(tensor.ErrNotModel, name, 0, "file", "a map from names to arrays expected, found %s", root.what)
	}
	f := &File{byName: map[string]*tensor.Tensor{}}
	w := &walk{ctx: ctx, name: name, r: r, out: f}
	if err := w.root(root); err != nil {
		return nil, err
	}
	if len(f.tensors) == 0 {
		return nil, tensor.Errorf(tensor.ErrNotModel, name, 0, "file", "no array of Flax under any key; where T5X keeps arrays in folders beside it, restore the checkpoint in Python and save it as safetensors")
	}
	w.notes()
	return f, nil
}

// walk names the arrays of a tree.
type walk struct {
	ctx    context.Context
	name   string
	r      io.ReaderAt
	out    *File
	others []string // keys at the top that hold no array
	trains []string // keys at the top of training
}

// training are beginnings of keys at the top that hold the state of a run.
var training = []string{"opt_state", "optimizer", "opt_", "step", "rng", "ema", "loss_scale"}

// root takes what stands under "params" (or "target", in older states) for the
// model, and what stands beside it except training's.
func (w *walk) root(root *node) error {
	inside := ""
	for _, key := range []string{"params", "target"} {
		if p := root.get(key); inside == "" && p != nil && p.isMap && len(p.keys) > 0 {
			inside = key
		}
	}
	for i, key := range root.keys {
		child := root.children[i]
		switch {
		case key == inside:
			w.out.Warnings = append(w.out.Warnings, "the model is what stands under "+key)
			if err := w.under(child); err != nil {
				return err
			}
		case inside != "" && (slices.ContainsFunc(training, func(p string) bool { return strings.HasPrefix(key, p) }) || inside == "target" && key == "state"):
			w.trains = append(w.trains, key)
		case !holds(child):
			w.others = append(w.others, key)
		default:
			if err := w.collect(child, key); err != nil {
				return err
			}
		}
	}
	return nil
}

// under collects the children of a node without its own name.
func (w *walk) under(n *node) error {
	for i, key := range n.keys {
		if err := w.collect(n.children[i], key); err != nil {
			return err
		}
	}
	return nil
}

// holds tells whether an array stands in a node at any depth.
func holds(n *node) bool { return n.array != nil || slices.ContainsFunc(n.children, holds) }

// chunked marks an array that is stored in several.
const chunked = "__msgpack_chunked_array__"

// collect adds the arrays of a node.
func (w *walk) collect(n *node, name string) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if n.isMap && n.get(chunked) != nil {
		a, err := w.join(n, name)
		if err != nil {
			return err
		}
		return w.add(a, name)
	}
	if n.array != nil {
		return w.add(n.array, name)
	}
	for i, key := range n.keys {
		if err := w.collect(n.children[i], name+"."+key); err != nil {
			return err
		}
	}
	return nil
}

// add makes a tensor of an array.
func (w *walk) add(a *array, name string) error {
	if w.out.byName[name] != nil {
		return tensor.Errorf(tensor.ErrFormat, w.name, a.at, "array "+escape.Printable(name), "two entries make this name")
	}
	s := &tensor.Stored{File: w.name, Name: name, R: w.r, Offset: a.at, Bytes: a.bytes, DType: a.dtype}
	if a.made != nil {
		s.R, s.Offset = a.made, 0
	}
	t := &tensor.Tensor{Name: name, DType: a.dtype, Shape: a.shape, Data: s}
	w.out.tensors = append(w.out.tensors, t)
	w.out.byName[name] = t
	return nil
}

// join makes one array of the flat parts that a large one is stored in.
func (w *walk) join(n *node, name string) (*array, error) {
	fail := func(rule string, args ...any) (*array, error) {
		return nil, tensor.Errorf(tensor.ErrFormat, w.name, -1, "array "+escape.Printable(name), rule, args...)
	}
	shape, parts := n.get("shape"), n.get("chunks")
	if shape == nil || parts == nil || len(parts.keys) == 0 || len(shape.keys) > maxRank {
		return fail("an array in parts has a shape and parts")
	}
	out, made := &array{}, &joined{r: w.r}
	for i := range shape.keys {
		d := shape.get(fmt.Sprint(i))
		if d == nil || !d.isNumber {
			return fail("the dimension %d is missing", i)
		}
		out.shape = append(out.shape, d.number)
	}
	for i := range parts.keys {
		p := parts.get(fmt.Sprint(i))
		if p == nil || p.array == nil || len(p.array.shape) != 1 || i > 0 && p.array.dtype != out.dtype {
			return fail("part %d is no flat array of the type of the first", i)
		}
		out.dtype = p.array.dtype
		out.bytes += p.array.bytes
		made.parts = append(made.parts, span{p.array.at, p.array.bytes})
	}
	if n, ok := tensor.Elements(out.shape); !ok || n != out.bytes/item(out.dtype) {
		return fail("%d bytes for the shape %v of %v", out.bytes, out.shape, out.dtype)
	}
	out.at, out.made = made.parts[0].at, made
	return out, nil
}

// span is a stretch of the file.
type span struct{ at, n int64 }

// joined reads stretches of a file as if they lay one behind the other.
type joined struct {
	r     io.ReaderAt
	parts []span
}

// ReadAt fills p with the bytes from off on.
func (j *joined) ReadAt(p []byte, off int64) (done int, err error) {
	for _, s := range j.parts {
		if off >= s.n {
			off -= s.n
			continue
		}
		n := min(int64(len(p)), s.n-off)
		got, err := j.r.ReadAt(p[:n], s.at+off)
		done += got
		if int64(got) < n {
			return done, err
		}
		p, off = p[n:], 0
		if len(p) == 0 {
			return done, nil
		}
	}
	return done, io.EOF
}

// notes says what was left out.
func (w *walk) notes() {
	if len(w.trains) > 0 {
		w.out.Warnings = append(w.out.Warnings, "entries of training are left out: "+list(w.trains))
	}
	if len(w.others) > 0 {
		w.out.Warnings = append(w.out.Warnings, "entries that hold no array are left out: "+list(w.others))
	}
}

func list(keys []string) string {
	const most = 6
	var out []string
	for _, k := range keys[:min(len(keys), most)] {
		out = append(out, escape.Printable(k))
	}
	s := strings.Join(out, ", ")
	if more := len(keys) - len(out); more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

// Tensors lists the tensors in stored order.
func (f *File) Tensors() []*tensor.Tensor { return f.tensors }

// Tensor returns the tensor of that name.
func (f *File) Tensor(name string) (*tensor.Tensor, bool) {
	t, ok := f.byName[name]
	return t, ok
}

// Metadata is empty.
func (f *File) Metadata() tensor.Metadata { return tensor.Metadata{} }
