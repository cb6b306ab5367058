package torch

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

// Checkpoints of torch.distributed.checkpoint are folders. ".metadata" is a
// pickle of plain objects: each tensor's type, shape and chunks, and for each
// chunk the file, offset and length at which it lies. There lies a tensor as
// torch.save writes it.

// Limits of this reader on distributed checkpoints.
const (
	maxChunks   = 1 << 12 // of a tensor
	maxAllParts = 1 << 18 // of all tensors
)

// IsDistributed tells from its first bytes whether a file is the .metadata of
// a distributed checkpoint.
func IsDistributed(head []byte) bool {
	return len(head) > 2 && head[0] == 0x80 && strings.Contains(string(head), "torch.distributed.checkpoint.metadata")
}

// Part is one of the files beside .metadata.
type Part struct {
	io.ReaderAt
	Label string // for errors
	Size  int64
}

// distributed is such a checkpoint under way.
type distributed struct {
	*File
	open   func(name string) (*Part, error)
	parts  map[string]*Part
	stored map[string]placed // chunks by name and offsets
	chunks int
}

// placed says where a chunk lies.
type placed struct {
	file           string
	offset, length int64
}

// ReadDistributed reads a distributed checkpoint from its .metadata, of size
// bytes. open opens a file beside it by its plain name.
func ReadDistributed(ctx context.Context, name string, r io.ReaderAt, size int64, open func(name string) (*Part, error)) (*File, error) {
	f := &File{meta: tensor.Metadata{"torch.container": "distributed"}, byName: map[string]*tensor.Tensor{}, name: name}
	if size > maxPickle {
		return nil, tensor.Errorf(tensor.ErrLimit, name, 0, "size", "%d bytes, at most %d", size, maxPickle)
	}
	m := &machine{file: name, what: ".metadata", c: saferio.NewCursor(r, size)}
	m.open = func(m *machine, _ value) (value, error) { return nil, m.broken("no storage is described here") }
	root, err := m.run(ctx)
	if err != nil {
		return nil, err
	}
	d := &distributed{File: f, open: open, parts: map[string]*Part{}, stored: map[string]placed{}}
	o, _ := root.(*object)
	if o == nil || !strings.HasSuffix(o.class, ".Metadata") {
		return nil, d.fail(tensor.ErrNotModel, "root", "the description of a distributed checkpoint expected, found %s", describe(root))
	}
	return f, d.read(ctx, o.attributes())
}

func (d *distributed) fail(class error, field, rule string, args ...any) error {
	return tensor.Errorf(class, d.name, -1, ".metadata "+field, rule, args...)
}

func (d *distributed) read(ctx context.Context, root *dict) error {
	tensors, ok := root.get("state_dict_metadata").(*dict)
	storage, ok2 := root.get("storage_data").(*dict)
	if !ok || !ok2 {
		return d.fail(tensor.ErrFormat, "root", "state_dict_metadata and storage_data are dicts")
	}
	if err := d.index(storage); err != nil {
		return err
	}
	described := map[string]*dict{}
	var names, others []string
	for i, k := range tensors.keys {
		name, ok := k.(string)
		o, ok2 := tensors.values[i].(*object)
		if !ok || !ok2 || described[name] != nil {
			return d.fail(tensor.ErrFormat, "state_dict_metadata", "names and descriptions expected, each once, found %s: %s", describe(k), describe(tensors.values[i]))
		}
		if strings.HasSuffix(o.class, ".TensorStorageMetadata") {
			described[name] = o.attributes()
			names = append(names, name)
		} else {
			others = append(others, name)
		}
	}
	chosen, prefix := d.choose(names)
	if len(chosen) == 0 {
		return d.fail(tensor.ErrNotModel, "state_dict_metadata", "no tensor under any name")
	}
	if len(others) > 0 {
		d.warn("entries of the checkpoint that hold no tensor are left out: %s", some(others))
	}
	for _, name := range chosen {
		if err := ctx.Err(); err != nil {
			return err
		}
		t, err := d.tensor(ctx, name, described[name])
		if err != nil {
			return err
		}
		t.Name = strings.TrimPrefix(name, prefix)
		d.tensors = append(d.tensors, t)
		d.byName[t.Name] = t
	}
	return nil
}

// index lists where the chunks lie.
func (d *distributed) index(storage *dict) error {
	for i, k := range storage.keys {
		key, _ := k.(*object)
		info, _ := storage.values[i].(*object)
		if key == nil || info == nil {
			return d.fail(tensor.ErrFormat, "storage_data", "objects expected, found %s: %s", describe(k), describe(storage.values[i]))
		}
		at, where := key.attributes(), info.attributes()
		name, ok := at.get("fqn").(string)
		offsets, ok2 := at.get("offset").(tuple)
		file, ok3 := where.get("relative_path").(string)
		offset, ok4 := where.get("offset").(int64)
		length, ok5 := where.get("length").(int64)
		if t, ok := where.get("transform_descriptors").(tuple); where.get("transform_descriptors") != nil && (!ok || len(t) > 0) {
			return d.fail(tensor.ErrUnsupported, "storage_data "+quoteKey(name), "chunks that are compressed or otherwise transformed are not read")
		}
		if !ok || !ok3 || !ok4 || !ok5 || offset < 0 || length < 0 {
			return d.fail(tensor.ErrFormat, "storage_data "+quoteKey(name), "a name, a file, an offset and a length expected")
		}
		if !ok2 {
			continue // no tensor
		}
		id := chunkKey(name, offsets)
		if _, twice := d.stored[id]; twice {
			return d.fail(tensor.ErrFormat, "storage_data "+quoteKey(name), "a chunk stands twice")
		}
		d.stored[id] = placed{file, offset, length}
	}
	return nil
}

func chunkKey(name string, offsets tuple) string { return name + fmt.Sprint([]value(offsets)) }

// choose picks the model's tensors by the same rules as in one file: those
// under the first of the wrappers that is there, else all but training's.
func (d *distributed) choose(names []string) (chosen []string, prefix string) {
	for _, w := range wrappers {
		inside := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !strings.HasPrefix(n, w+".") })
		if len(inside) == 0 {
			continue
		}
		out := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return strings.HasPrefix(n, w+".") })
		d.warn("the model is what stands under %s%s", w, beside(out))
		return inside, w + "."
	}
	training := func(n string) bool {
		return slices.ContainsFunc(aside, func(p string) bool { return strings.HasPrefix(n, p) })
	}
	chosen = slices.DeleteFunc(slices.Clone(names), training)
	if out := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !training(n) }); len(out) > 0 {
		d.warn("tensors of training are left out: %s", some(out))
	}
	return chosen, ""
}

// tensor opens the chunks of a tensor and requires that they make it up.
func (d *distributed) tensor(ctx context.Context, name string, about *dict) (*tensor.Tensor, error) {
	field := "tensor " + quoteKey(name)
	dtype, err := d.dtype(field, about.get("properties"))
	if err != nil {
		return nil, err
	}
	shape, ok := numbers(about.get("size"))
	chunks, ok2 := about.get("chunks").(*list)
	elements, ok3 := tensor.Elements(shape)
	if !ok || !ok2 || !ok3 || len(shape) > maxRank || elements > 1<<62/item(dtype) {
		return nil, d.fail(tensor.ErrFormat, field, "a shape and a list of chunks expected")
	}
	if d.chunks += len(chunks.items); len(chunks.items) > maxChunks || d.chunks > maxAllParts {
		return nil, d.fail(tensor.ErrLimit, field, "%d chunks, at most %d, and %d of all tensors", len(chunks.items), maxChunks, maxAllParts)
	}
	t := &tiles{shape: shape, item: item(dtype)}
	for _, c := range chunks.items {
		tile, err := d.chunk(ctx, field, name, c, dtype, shape)
		if err != nil {
			return nil, err
		}
		t.tiles = append(t.tiles, tile)
	}
	if why := t.gap(elements); why != "" {
		return nil, d.fail(tensor.ErrFormat, field, "%s", why)
	}
	d.Distinct += elements * t.item
	whole := &tensor.Stored{File: d.name, Name: name, R: t, Bytes: elements * t.item, DType: dtype}
	if len(t.tiles) == 1 {
		whole = t.tiles[0].s
	}
	return &tensor.Tensor{DType: dtype, Shape: shape, Data: whole}, nil
}

// dtype is the element type, first of a tensor's properties.
func (d *distributed) dtype(field string, v value) (tensor.DType, error) {
	o, _ := v.(*object)
	if o != nil {
		if t, ok := o.state.(tuple); ok && len(t) > 0 {
			if g, ok := t[0].(*global); ok && g.isDType && g.dtype != tensor.F4 {
				return g.dtype, nil
			}
		}
		if g, ok := o.attributes().get("dtype").(*global); ok && g.isDType && g.dtype != tensor.F4 {
			return g.dtype, nil
		}
	}
	return tensor.Invalid, d.fail(tensor.ErrUnsupported, field, "the element type is not read")
}

// numbers reads a tuple of numbers that are not negative.
func numbers(v value) ([]int64, bool) {
	t, ok := v.(tuple)
	out := make([]int64, len(t))
	for i, x := range t {
		n, number := x.(int64)
		if !number || n < 0 {
			return nil, false
		}
		out[i] = n
	}
	return out, ok
}

// chunk opens one chunk: a tensor as torch.save writes it.
func (d *distributed) chunk(ctx context.Context, field, name string, v value, dtype tensor.DType, shape []int64) (tile, error) {
	o, _ := v.(*object)
	if o == nil {
		return tile{}, d.fail(tensor.ErrFormat, field, "a chunk expected, found %s", describe(v))
	}
	at, ok := numbers(o.attributes().get("offsets"))
	sizes, ok2 := numbers(o.attributes().get("sizes"))
	if !ok || !ok2 || len(at) != len(shape) || len(sizes) != len(shape) {
		return tile{}, d.fail(tensor.ErrFormat, field, "a chunk has offsets and sizes of %d dimensions", len(shape))
	}
	for i := range shape {
		if sizes[i] > shape[i] || at[i] > shape[i]-sizes[i] {
			return tile{}, d.fail(tensor.ErrFormat, field, "a chunk of %v at %v leaves the shape %v", sizes, at, shape)
		}
	}
	offsets, _ := o.attributes().get("offsets").(tuple)
	where, ok := d.stored[chunkKey(name, offsets)]
	if !ok {
		return tile{}, d.fail(tensor.ErrFormat, field, "no file holds the chunk at %v", at)
	}
	t, err := d.saved(ctx, where, name)
	if err != nil {
		return tile{}, err
	}
	if t.DType != dtype || !slices.Equal(t.Shape, sizes) {
		return tile{}, d.fail(tensor.ErrFormat, field, "%s holds %v %v at offset %d, not %v %v", escape.Printable(where.file), t.DType, t.Shape, where.offset, dtype, sizes)
	}
	return newTile(t.Data.(*tensor.Stored), at, sizes, shape), nil
}

// saved opens the tensor that lies at a place of a part.
func (d *distributed) saved(ctx context.Context, where placed, name string) (*tensor.Tensor, error) {
	p := d.parts[where.file]
	if p == nil {
		var err error
		if p, err = d.open(where.file); err != nil {
			return nil, err
		}
		d.parts[where.file] = p
	}
	if where.offset > p.Size || where.length > p.Size-where.offset {
		return nil, tensor.Errorf(io.ErrUnexpectedEOF, p.Label, where.offset, "tensor "+quoteKey(name), "%d bytes, %d are left", where.length, max(0, p.Size-where.offset))
	}
	f := &File{name: fmt.Sprintf("%s (chunk at %d)", p.Label, where.offset)}
	a, err := openArchive(ctx, f.name, newSection(p, where.offset, where.length), where.length, f.forgive)
	if err != nil {
		return nil, err
	}
	_, root, err := a.unpickle(ctx, "data")
	if err != nil {
		return nil, err
	}
	switch v := root.(type) {
	case *view:
		return v.tensor(f.name, name), nil
	case *unread:
		return nil, v.err
	}
	return nil, tensor.Errorf(tensor.ErrFormat, f.name, -1, "data.pkl", "a tensor expected, found %s", describe(root))
}
