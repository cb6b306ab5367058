package hdf5

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// Limits of this reader on what a file claims together.
const (
	maxTensors = 1 << 16
	maxShare   = 64 // times the bytes of the file, for datasets that share or compress theirs
	freeShare  = 64 << 20
)

// File is the description of an HDF5 file. It implements tensor.Model and is
// safe for concurrent use.
type File struct {
	// Warnings say what was passed over.
	Warnings []string

	tensors []*tensor.Tensor
	byName  map[string]*tensor.Tensor
}

// Read lists the datasets of numbers of an HDF5 file of size bytes. name is
// used in errors. No values are read.
func Read(ctx context.Context, name string, r io.ReaderAt, size int64) (*File, error) {
	f := &file{name: name, r: r, size: size}
	root, err := f.superblock()
	if err != nil {
		return nil, err
	}
	w := &walk{ctx: ctx, file: f, out: &File{byName: map[string]*tensor.Tensor{}}, above: map[uint64]bool{}}
	if err := w.group(root, ""); err != nil {
		return nil, err
	}
	if len(w.out.tensors) == 0 {
		return nil, tensor.Errorf(tensor.ErrNotModel, name, 0, "file", "no dataset of numbers lies in it")
	}
	w.notes()
	w.strip("model_weights/")
	return w.out, nil
}

// walk goes through all groups.
type walk struct {
	ctx    context.Context
	file   *file
	out    *File
	above  map[uint64]bool // groups that the one under way lies in
	links  int
	total  int64
	others []string // paths of what holds no numbers
	led    []string // links to paths
	trains []string // datasets of training
}

// training are groups at the top of a file that hold the state of a training
// run.
var training = []string{"optimizer_weights/", "optimizer/"}

// group reads the members of a group, by name.
func (w *walk) group(address uint64, path string) error {
	if w.above[address] || len(w.above) > maxDepth {
		return w.file.fail(-1, "group "+escape.Printable(path), "the group lies within itself, or more than %d deep", maxDepth)
	}
	o, err := w.file.object(address)
	if err != nil {
		return err
	}
	if !o.isGroup() {
		return w.dataset(o, strings.TrimSuffix(path, "/"))
	}
	w.above[address] = true
	defer delete(w.above, address)
	links, err := w.file.links(o)
	if err != nil {
		return err
	}
	slices.SortStableFunc(links, func(a, b link) int { return strings.Compare(a.name, b.name) })
	for i, l := range links {
		if i > 0 && links[i-1].name == l.name {
			return w.file.fail(-1, "group "+escape.Printable(path), "the name %s stands twice", escape.Printable(l.name))
		}
		if err := w.follow(l, path+l.name); err != nil {
			return err
		}
	}
	return nil
}

// follow reads what a link stands for.
func (w *walk) follow(l link, path string) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if w.links++; w.links > maxLinks || len(path) > maxName {
		return tensor.Errorf(tensor.ErrLimit, w.file.name, -1, "group", "more than %d links, or a path of more than %d bytes", maxLinks, maxName)
	}
	if l.address == none {
		w.led = append(w.led, path)
		return nil
	}
	return w.group(l.address, path+"/")
}

// dataset makes a tensor of a dataset of numbers.
func (w *walk) dataset(o *object, path string) error {
	d := &dataset{f: w.file, name: path}
	space, typ := o.find(msgSpace), o.find(msgType)
	if space == nil || typ == nil {
		return d.fail("header", "a dataset has a shape and a type")
	}
	shape, empty := space.space()
	d.shape, d.typ = shape, typ.elementType()
	if space.err != nil {
		return space.err
	}
	if typ.err != nil {
		return typ.err
	}
	if d.typ.dtype == tensor.Invalid {
		d.typ.dtype = w.file.declared(o, d.typ)
	}
	if slices.ContainsFunc(training, func(p string) bool { return strings.HasPrefix(path, p) }) {
		w.trains = append(w.trains, path)
		return nil
	}
	if empty || d.typ.dtype == tensor.Invalid {
		w.others = append(w.others, fmt.Sprintf("%s (%s)", path, d.typ.what))
		return nil
	}
	if o.find(msgOuter) != nil {
		return d.unsupported("layout", "the values lie in other files")
	}
	return w.add(d, o)
}

// add checks sizes and takes the tensor.
func (w *walk) add(d *dataset, o *object) error {
	n, ok := tensor.Elements(d.shape)
	if !ok || n > (1<<62)/int64(d.typ.size) {
		return d.fail("shape", "the dimensions %v span more than 2^62 bytes", d.shape)
	}
	d.bytes = n * int64(d.typ.size)
	if w.total += min(d.bytes, 1<<62-w.total); w.total/maxShare > w.file.size+freeShare/maxShare || len(w.out.tensors) == maxTensors {
		return tensor.Errorf(tensor.ErrLimit, w.file.name, -1, "dataset "+escape.Printable(d.name), "the datasets up to this one have %d bytes, the file %d; at most %d datasets are read", w.total, w.file.size, maxTensors)
	}
	r, at, err := d.storage(o)
	if err != nil {
		return err
	}
	s := &tensor.Stored{File: w.file.name, Name: d.name, R: r, Offset: at, Bytes: d.bytes, DType: d.typ.dtype, BigEndian: d.typ.big && d.typ.size > 1}
	t := &tensor.Tensor{Name: d.name, DType: d.typ.dtype, Shape: d.shape, Data: s}
	w.out.tensors = append(w.out.tensors, t)
	w.out.byName[t.Name] = t
	return nil
}

// declared finds the type of opaque elements of two bytes that the attribute
// "dtype" calls bfloat16, as Keras writes them.
func (f *file) declared(o *object, t elementType) tensor.DType {
	if t.size != 2 || !strings.HasPrefix(t.what, classNames[classOpaque]) {
		return tensor.Invalid
	}
	for i := range o.messages {
		if m := &o.messages[i]; m.kind == msgAttr && m.text("dtype") == "bfloat16" {
			return tensor.BF16
		}
	}
	return tensor.Invalid
}

// notes says what was passed over.
func (w *walk) notes() {
	for _, n := range []struct {
		paths []string
		what  string
	}{
		{w.others, "datasets that hold no numbers are left out"},
		{w.led, "links to a path or to another file are not followed"},
		{w.trains, "tensors of training are left out"},
	} {
		if len(n.paths) > 0 {
			w.out.Warnings = append(w.out.Warnings, n.what+": "+some(n.paths))
		}
	}
}

// some lists the first of some paths.
func some(paths []string) string {
	const most = 6
	var quoted []string
	for _, p := range paths[:min(len(paths), most)] {
		quoted = append(quoted, escape.Printable(p))
	}
	s := strings.Join(quoted, ", ")
	if more := len(paths) - len(quoted); more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

// strip takes off what all names begin with where whole models are stored.
func (w *walk) strip(prefix string) {
	for _, t := range w.out.tensors {
		if !strings.HasPrefix(t.Name, prefix) {
			return
		}
	}
	clear(w.out.byName)
	for _, t := range w.out.tensors {
		t.Name = strings.TrimPrefix(t.Name, prefix)
		w.out.byName[t.Name] = t
	}
}

// Tensors lists the tensors by path.
func (f *File) Tensors() []*tensor.Tensor { return f.tensors }

// Tensor returns the tensor of that name.
func (f *File) Tensor(name string) (*tensor.Tensor, bool) {
	t, ok := f.byName[name]
	return t, ok
}

// Metadata is empty: attributes are not read.
func (f *File) Metadata() tensor.Metadata { return tensor.Metadata{} }
