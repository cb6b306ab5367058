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

	name    string
	lenient bool
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

// Read runs the pickles of a checkpoint of size bytes and finds the tensors of
// its model. name is used in errors. No tensor's bytes are read.
func Read(ctx context.Context, name string, r io.ReaderAt, size int64, o *Options) (*File, error) {
	head := make([]byte, min(size, HeadBytes))
	if n, err := r.ReadAt(head, 0); n < len(head) {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, tensor.Errorf(err, name, 0, "magic", "reading %d bytes: %v", len(head), err)
	}
	f := &File{meta: tensor.Metadata{}, byName: map[string]*tensor.Tensor{}, name: name}
	if o != nil {
		f.lenient = o.Lenient
	}
	for _, c := range containers() {
		if c.recognise(head) {
			return f, c.read(f, ctx, r, size)
		}
	}
	return nil, refusal(name, head)
}

// containers are the forms in which torch and those who build on it have
// stored checkpoints.
func containers() []container {
	return []container{{isZip, (*File).readZip}, {isChain, (*File).readChain}, {isTar, (*File).readTar}}
}

type container struct {
	recognise func(head []byte) bool
	read      func(*File, context.Context, io.ReaderAt, int64) error
}

// forgive turns a breach into a warning where the caller asked for it.
func (f *File) forgive(err error) error {
	if !f.lenient {
		return err
	}
	f.Warnings = append(f.Warnings, err.Error())
	return nil
}

// readZip reads the archives that torch.save has written since torch 1.6, and
// TorchScript's.
func (f *File) readZip(ctx context.Context, r io.ReaderAt, size int64) error {
	a, err := openArchive(ctx, f.name, r, size, f.forgive)
	if err != nil {
		return err
	}
	if a.packages {
		f.meta["torch.archive"] = a.root
		return f.adoptPackage(ctx, a)
	}
	if a.exported {
		return f.adoptExported(ctx, a)
	}
	m, root, err := a.unpickle(ctx, "data")
	if err != nil {
		return err
	}
	if rest := m.c.Remaining(); rest > 0 {
		f.warn("%d bytes follow the end of the pickle and are not read", rest)
	}
	if a.noSums {
		f.warn("the archive was written without checksums")
	}
	f.meta["torch.archive"] = a.root
	if a.script {
		return f.adoptScript(ctx, a, root)
	}
	return f.adopt(&finder{file: f.name, what: m.what, meta: f.meta, names: m.names}, root)
}

func (f *File) warn(format string, args ...any) {
	f.Warnings = append(f.Warnings, fmt.Sprintf(format, args...))
}

// unpickle runs an archive's NAME.pkl, whose storages are the entries NAME/KEY.
func (a *archive) unpickle(ctx context.Context, name string) (*machine, value, error) {
	return a.run(ctx, name+".pkl", name, "", map[string]*storage{})
}

// run runs a pickle of the archive, whose storages are entries of a folder with an
// ending, those that were met before in opened.
func (a *archive) run(ctx context.Context, name, folder, ending string, opened map[string]*storage) (*machine, value, error) {
	e := a.byName[a.root+"/"+name]
	if err := a.limited(e, maxPickle); err != nil {
		return nil, nil, err
	}
	if err := a.checked(e); err != nil {
		return nil, nil, err
	}
	m := &machine{file: a.file, what: name, base: e.data, outer: a.base, c: saferio.NewCursor(a.content(e), e.size)}
	if e.method != methodStored {
		m.base = -1
	}
	m.open = func(m *machine, v value) (value, error) {
		if a.packages {
			var done bool
			if v, done = packagedID(v); done {
				return v, nil
			}
		}
		id, missed, err := m.storageID(v, 5)
		if missed != nil || err != nil {
			return missed, err
		}
		if !strings.HasSuffix(id.key, ending) {
			id.key += ending
		}
		return a.storage(m, opened, folder, id)
	}
	root, err := m.run(ctx)
	return m, root, err
}

// storage finds the entry that holds a storage. A loader keeps the type under
// which it met a storage first, so there is one.
func (a *archive) storage(m *machine, opened map[string]*storage, folder string, id storageID) (value, error) {
	if s := opened[id.key]; s != nil {
		return s, m.same(s, id)
	}
	e := a.byName[path.Join(a.root, folder, id.key)]
	if strings.Contains(id.key, "/") || e == nil {
		return nil, m.broken("no entry %s holds the storage", quoteKey(a.root+"/"+folder+"/"+id.key))
	}
	size := id.typ.size()
	if id.numel > e.size/size || id.numel*size != e.size {
		return nil, m.broken("storage %s: %d elements of %d bytes, but the entry has %d bytes", quoteKey(id.key), id.numel, size, e.size)
	}
	if err := m.charge(4*objectBytes + int64(len(id.key))); err != nil {
		return nil, err
	}
	s := &storage{typ: id.typ, bytes: e.size, r: a.r, off: e.data, at: a.base + e.data}
	if e.method != methodStored {
		s.r, s.off = a.content(e), 0
	}
	opened[id.key] = s
	return s, nil
}

// same requires that a storage is described as it was before.
func (m *machine) same(s *storage, id storageID) error {
	if s.typ.dtype != id.typ.dtype || id.numel != s.bytes/id.typ.size() {
		return m.broken("storage %s is %s of %d elements, but was %s of %d", quoteKey(id.key), id.typ.name, id.numel, s.typ.name, s.bytes/s.typ.size())
	}
	return nil
}

// size is the number of bytes of an element of a storage's type.
func (g *global) size() int64 {
	if g.dtype == tensor.Invalid {
		return 1
	}
	return item(g.dtype)
}

// adopt makes tensors of the views of the model that a pickle left.
func (f *File) adopt(find *finder, root value) error {
	found, err := find.model(root)
	f.Warnings = append(f.Warnings, find.notes...)
	if err != nil {
		return err
	}
	return f.list(found)
}

// list makes tensors of views, in stored order.
func (f *File) list(found []named) error {
	slices.SortStableFunc(found, func(x, y named) int {
		return cmp.Or(cmp.Compare(x.v.s.at, y.v.s.at), cmp.Compare(x.v.offset, y.v.offset))
	})
	counted := map[*storage]bool{}
	total := int64(0)
	for _, n := range found {
		if !counted[n.v.s] {
			counted[n.v.s] = true
			f.Distinct += n.v.s.bytes
		}
		t := n.v.tensor(f.name, n.name)
		if total += t.StoredBytes(); total > maxShare*f.Distinct+freeShare {
			return tensor.Errorf(tensor.ErrLimit, f.name, n.v.at, "tensor "+quoteKey(n.name), "the tensors up to this one have %d bytes, their storages %d", total, f.Distinct)
		}
		f.tensors = append(f.tensors, t)
		f.byName[n.name] = t
	}
	return nil
}

// tensor makes a tensor of a view: one run of bytes where it can be.
func (v *view) tensor(file, name string) *tensor.Tensor {
	size := item(v.dtype)
	elements, _ := tensor.Elements(v.shape) // checked by within
	s := &tensor.Stored{File: file, Name: name, R: v.s.r, Offset: v.s.off + v.offset*size, Bytes: elements * size, DType: v.dtype}
	if !strided.Dense(v.shape, v.strides, size) {
		s.R, s.Offset = strided.New(s.R, s.Offset, v.shape, v.strides, size), 0
	}
	t := &tensor.Tensor{Name: name, DType: v.dtype, Shape: v.shape, Data: s}
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
