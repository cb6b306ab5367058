package torch

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/saferio"
	"github.com/weightprint/weightprint/internal/strided"
)

// Bounds on the bytes of all tensors together: storages can be shared.
const (
	maxShare  = 64 // times the bytes of their storages
	freeShare = 64 << 20
)

// File is the description of a checkpoint. It implements tensor.Model and is
// safe for concurrent use.
type File struct {
	// Warnings say which of the checkpoint's tensors were taken for the
	// model and what was forgiven.
	Warnings []string
	// Distinct is the number of bytes of the tensors, each storage counted
	// once.
	Distinct int64

	meta    tensor.Metadata
	tensors []*tensor.Tensor
	byName  map[string]*tensor.Tensor
}

// Options changes how Read judges a file; nil is strict.
type Options struct {
	// Lenient turns what packers of archives add, and cannot hide or swap a
	// tensor, into warnings: bytes between entries, entries outside the
	// checkpoint's folder.
	Lenient bool
}

// Read runs the pickle of a zip checkpoint of size bytes and finds the
// tensors of its model. name is used in errors. No tensor's bytes are read.
func Read(ctx context.Context, name string, r io.ReaderAt, size int64, o *Options) (*File, error) {
	head := make([]byte, min(size, HeadBytes))
	if n, err := r.ReadAt(head, 0); n < len(head) {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, tensor.Errorf(err, name, 0, "magic", "reading %d bytes: %v", len(head), err)
	}
	if !isZip(head) {
		return nil, refusal(name, head)
	}
	f := &File{meta: tensor.Metadata{}, byName: map[string]*tensor.Tensor{}}
	forgive := func(err error) error {
		if o == nil || !o.Lenient {
			return err
		}
		f.Warnings = append(f.Warnings, err.Error())
		return nil
	}
	a, err := openArchive(ctx, name, r, size, forgive)
	if err != nil {
		return nil, err
	}
	root, err := f.unpickle(ctx, a)
	if err != nil {
		return nil, err
	}
	if a.noSums {
		f.Warnings = append(f.Warnings, "the archive was written without checksums")
	}
	f.meta["torch.archive"] = a.root
	return f, f.adopt(a, root)
}

// unpickle runs data.pkl.
func (f *File) unpickle(ctx context.Context, a *archive) (value, error) {
	e := a.byName[a.root+"/data.pkl"]
	if err := a.limited(e, maxPickle); err != nil {
		return nil, err
	}
	if err := a.checked(e); err != nil {
		return nil, err
	}
	m := &machine{file: a.file, base: e.data, c: saferio.NewCursor(a.content(e), e.size)}
	if e.method != methodStored {
		m.base = -1
	}
	opened := map[string]*storage{}
	m.open = func(m *machine, typ *global, key string, numel int64) (*storage, error) {
		return a.storage(m, opened, typ, key, numel)
	}
	root, err := m.run(ctx)
	if err == nil && m.c.Remaining() > 0 {
		f.Warnings = append(f.Warnings, fmt.Sprintf("%d bytes follow the end of the pickle and are not read", m.c.Remaining()))
	}
	return root, err
}

// storage finds the entry that holds a storage. A loader keeps the type under
// which it met a storage first, so there is one.
func (a *archive) storage(m *machine, opened map[string]*storage, typ *global, key string, numel int64) (*storage, error) {
	if s := opened[key]; s != nil {
		if s.typ.dtype != typ.dtype || numel != s.bytes/typ.size() {
			return nil, m.broken("storage %s is %s of %d elements, but was %s of %d", quoteKey(key), typ.name, numel, s.typ.name, s.bytes/s.typ.size())
		}
		return s, nil
	}
	e := a.byName[path.Join(a.root, "data", key)]
	if strings.Contains(key, "/") || e == nil {
		return nil, m.broken("no entry %s holds the storage", quoteKey(a.root+"/data/"+key))
	}
	if numel > e.size/typ.size() || numel*typ.size() != e.size {
		return nil, m.broken("storage %s: %d elements of %d bytes, but the entry has %d bytes", quoteKey(key), numel, typ.size(), e.size)
	}
	if err := m.charge(4*objectBytes + int64(len(key))); err != nil {
		return nil, err
	}
	opened[key] = &storage{e: e, typ: typ, bytes: e.size}
	return opened[key], nil
}

// size is the number of bytes of an element of a storage's type.
func (g *global) size() int64 {
	if g.dtype == tensor.Invalid {
		return 1
	}
	return item(g.dtype)
}

// adopt makes tensors of the views of the model, in stored order.
func (f *File) adopt(a *archive, root value) error {
	find := &finder{file: a.file, meta: f.meta}
	found, err := find.model(root)
	f.Warnings = append(f.Warnings, find.notes...)
	if err != nil {
		return err
	}
	slices.SortStableFunc(found, func(x, y named) int {
		return cmp.Or(cmp.Compare(x.v.s.e.data, y.v.s.e.data), cmp.Compare(x.v.offset, y.v.offset))
	})
	contents := map[*storage]io.ReaderAt{}
	total := int64(0)
	for _, n := range found {
		if contents[n.v.s] == nil {
			contents[n.v.s] = a.content(n.v.s.e)
			f.Distinct += n.v.s.bytes
		}
		t := a.tensor(n, contents[n.v.s])
		if total += t.StoredBytes(); total > maxShare*f.Distinct+freeShare {
			return tensor.Errorf(tensor.ErrLimit, a.file, n.v.at, "tensor "+quoteKey(n.name), "the tensors up to this one have %d bytes, their storages %d", total, f.Distinct)
		}
		f.tensors = append(f.tensors, t)
		f.byName[n.name] = t
	}
	return nil
}

// tensor makes a tensor of a view: one run of the file where it can be.
func (a *archive) tensor(n named, content io.ReaderAt) *tensor.Tensor {
	v, size := n.v, item(n.v.dtype)
	elements, _ := tensor.Elements(v.shape) // checked by within
	s := &tensor.Stored{File: a.file, Name: n.name, R: content, Offset: v.offset * size, Bytes: elements * size, DType: v.dtype}
	if !strided.Dense(v.shape, v.strides, size) {
		s.R, s.Offset = strided.New(content, v.offset*size, v.shape, v.strides, size), 0
	} else if v.s.e.method == methodStored {
		s.R, s.Offset = a.r, v.s.e.data+v.offset*size
	}
	t := &tensor.Tensor{Name: n.name, DType: v.dtype, Shape: v.shape, Data: s}
	if v.dtype == tensor.F4 { // two values a byte, counted as one element
		t.Shape = slices.Clone(v.shape)
		t.Shape[len(t.Shape)-1] *= 2
	}
	return t
}

// Tensors lists the model's tensors in the order of their bytes in the file.
func (f *File) Tensors() []*tensor.Tensor { return f.tensors }

// Tensor returns the tensor of that name.
func (f *File) Tensor(name string) (*tensor.Tensor, bool) {
	t, ok := f.byName[name]
	return t, ok
}

// Metadata returns, under "torch.", the name of the archive's folder and the
// numbers and texts that stand beside the model.
func (f *File) Metadata() tensor.Metadata { return f.meta }
