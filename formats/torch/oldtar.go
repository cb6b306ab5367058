package torch

import (
	"context"
	"encoding/binary"
	"io"
	"strconv"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Checkpoints of torch 0.1 (torch.serialization.legacy_load) are tar archives
// of four files. "storages" is a chain: a count, and for each storage
// (key, location, type) and its values, then a list of the storages that are
// parts of others. "tensors" has a count, and for each tensor (key, storage,
// type) and its shape, strides and offset. "pickle" is the checkpoint, in
// which a number stands for the tensor, or storage, of that key. "sys_info"
// says what machine wrote it.

// oldTar is such a checkpoint under way.
type oldTar struct {
	chain
	known map[string]value // storages and tensors by key
}

func (f *File) readOldTar(ctx context.Context, r io.ReaderAt, entries map[string]tarEntry) error {
	o := &oldTar{chain: chain{file: f.name, r: r}, known: map[string]value{}}
	var m *machine
	var root value
	for _, part := range []struct {
		name string
		read func() error
	}{
		{"sys_info", func() error {
			_, system, err := o.pickle(ctx, "sys_info", nil)
			if err != nil {
				return err
			}
			return littleEndian(system, f.name, o.at)
		}},
		{"storages", func() error { return o.storages(ctx) }},
		{"tensors", func() error { return o.tensors(ctx) }},
		{"pickle", func() (err error) {
			m, root, err = o.pickle(ctx, "pickle", o.persistent)
			return err
		}},
	} {
		e, ok := entries[part.name]
		if !ok {
			return tensor.Errorf(tensor.ErrFormat, f.name, 0, "tar", "the entry %s is missing", part.name)
		}
		o.at, o.size = e.at, e.at+e.size
		if err := part.read(); err != nil {
			return err
		}
		if rest := o.size - o.at; rest > 0 {
			if err := f.forgive(tensor.Errorf(tensor.ErrFormat, f.name, o.at, part.name, "%d bytes follow what is read", rest)); err != nil {
				return err
			}
		}
	}
	f.meta["torch.container"] = "tar"
	return f.adopt(&finder{file: f.name, what: m.what, meta: f.meta, names: m.names}, root)
}

// count reads the number of items of a part.
func (o *oldTar) count(ctx context.Context, what string) (int64, error) {
	m, v, err := o.pickle(ctx, what+" count", nil)
	if err != nil {
		return 0, err
	}
	n, ok := v.(int64)
	if !ok || n < 0 || n > maxTensors {
		return 0, m.broken("%s as the number of %s, at most %d", describe(v), what, maxTensors)
	}
	return n, nil
}

// triple reads (key, a, type), with the key as text.
func (o *oldTar) triple(ctx context.Context, what string) (m *machine, key string, second, typ value, err error) {
	m, v, err := o.pickle(ctx, what, nil)
	if err != nil {
		return m, "", nil, nil, err
	}
	t, _ := v.(tuple)
	if len(t) != 3 {
		return m, "", nil, nil, m.broken("a tuple of three expected, found %s", describe(v))
	}
	key, err = o.key(m, t[0])
	if err == nil && o.known[key] != nil {
		err = m.broken("the key %s stands twice", key)
	}
	return m, key, t[1], t[2], err
}

// key turns a number, or the text of one, into the text that it is kept under.
func (o *oldTar) key(m *machine, v value) (string, error) {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10), nil
	case string:
		return v, nil
	}
	return "", m.broken("a number as key expected, found %s", describe(v))
}

func (o *oldTar) storages(ctx context.Context) error {
	n, err := o.count(ctx, "storages")
	if err != nil {
		return err
	}
	for range n {
		m, key, _, typ, err := o.triple(ctx, "storage")
		if err != nil {
			return err
		}
		g, ok := typ.(*global)
		if !ok || !g.isStorage || g.dtype == tensor.Invalid {
			return m.fail(tensor.ErrUnsupported, "a storage of the type %s", describe(typ))
		}
		b, err := o.bytes(8, "storage count")
		if err != nil {
			return err
		}
		numel := binary.LittleEndian.Uint64(b)
		if numel > uint64((o.size-o.at)/g.size()) {
			return tensor.Errorf(io.ErrUnexpectedEOF, o.file, o.at-8, "storage "+quoteKey(key), "%d elements in the %d bytes that are left", numel, o.size-o.at)
		}
		o.known[key] = &storage{typ: g, bytes: int64(numel) * g.size(), r: o.r, off: o.at, at: o.at}
		o.at += int64(numel) * g.size()
	}
	return o.parts(ctx)
}

// parts reads the list of storages that are parts of others.
func (o *oldTar) parts(ctx context.Context) error {
	m, v, err := o.pickle(ctx, "parts of storages", nil)
	if err != nil {
		return err
	}
	l, ok := v.(*list)
	if !ok {
		return m.broken("a list expected, found %s", describe(v))
	}
	for _, item := range l.items {
		t, _ := item.(tuple)
		if len(t) != 4 {
			return m.broken("(key, key, offset, count) expected, found %s", describe(item))
		}
		key, err := o.key(m, t[0])
		if err != nil {
			return err
		}
		root, err := o.key(m, t[1])
		if err != nil {
			return err
		}
		s, ok := o.known[root].(*storage)
		offset, ok2 := t[2].(int64)
		numel, ok3 := t[3].(int64)
		if !ok || !ok2 || !ok3 || offset < 0 || numel < 0 || numel > s.bytes/s.typ.size() || offset > s.bytes/s.typ.size()-numel || o.known[key] != nil {
			return m.broken("part %s of storage %s: offset %s, count %s", key, root, describe(t[2]), describe(t[3]))
		}
		shift := offset * s.typ.size()
		o.known[key] = &storage{typ: s.typ, bytes: numel * s.typ.size(), r: o.r, off: s.off + shift, at: s.at + shift}
	}
	return nil
}

func (o *oldTar) tensors(ctx context.Context) error {
	n, err := o.count(ctx, "tensors")
	if err != nil {
		return err
	}
	for range n {
		m, key, at, _, err := o.triple(ctx, "tensor")
		if err != nil {
			return err
		}
		of, err := o.key(m, at)
		if err != nil {
			return err
		}
		s, ok := o.known[of].(*storage)
		if !ok {
			return m.broken("no storage has the key %s", of)
		}
		if o.known[key], err = o.view(m, s); err != nil {
			return err
		}
	}
	return nil
}

// view reads rank, shape, strides and offset: numbers of eight bytes, the rank
// with four of padding.
func (o *oldTar) view(m *machine, s *storage) (*view, error) {
	v := &view{s: s, dtype: s.typ.dtype, at: o.at}
	b, err := o.bytes(8, "tensor rank")
	if err != nil {
		return nil, err
	}
	rank := binary.LittleEndian.Uint32(b)
	if rank > maxRank {
		return nil, m.fail(tensor.ErrLimit, "%d dimensions, at most %d", rank, maxRank)
	}
	if b, err = o.bytes(8*(2*int64(rank)+1), "tensor shape"); err != nil {
		return nil, err
	}
	numbers := make([]int64, 2*rank+1)
	for i := range numbers {
		if numbers[i] = int64(binary.LittleEndian.Uint64(b[8*i:])); numbers[i] < 0 {
			return nil, m.broken("sizes, strides and offsets are whole numbers from 0, found %d", numbers[i])
		}
	}
	v.shape, v.strides, v.offset = numbers[:rank:rank], numbers[rank:2*rank:2*rank], numbers[2*rank]
	return v, m.within(v)
}

// persistent finds what a number stands for. The source of a module's class,
// which is a tuple, is passed over.
func (o *oldTar) persistent(m *machine, v value) (value, error) {
	if t, ok := v.(tuple); ok && len(t) > 0 {
		return t[0], nil
	}
	key, err := o.key(m, v)
	if err != nil {
		return nil, err
	}
	if o.known[key] == nil {
		return nil, m.broken("no storage or tensor has the key %s", quoteKey(key))
	}
	return o.known[key], nil
}
