package hdf5

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/weightprint/weightprint/formats/tensor"
)

// link is a name of a group and the object that it stands for.
type link struct {
	name    string
	address uint64 // none for links to a path or to another file
}

// Limits of this reader on groups.
const (
	maxLinks = 1 << 17
	maxDepth = 64
	maxName  = 4096
)

// isGroup tells whether a header is that of a group.
func (o *object) isGroup() bool {
	return o.find(msgTable) != nil || o.find(msgLinks) != nil || o.find(msgLink) != nil || o.find(msgPlace) == nil && o.find(msgType) == nil
}

// links lists a group's links: a symbol table, links in the header itself, or
// in a heap.
func (f *file) links(o *object) (out []link, err error) {
	if m := o.find(msgTable); m != nil {
		tree, heap := m.u64(), m.u64()
		if m.err != nil {
			return nil, m.err
		}
		return f.table(tree, heap)
	}
	for i := range o.messages {
		if m := &o.messages[i]; m.kind == msgLink {
			l, err := f.link(m.fields)
			if err != nil {
				return nil, err
			}
			out = append(out, l)
		}
	}
	if m := o.find(msgLinks); m != nil {
		dense, err := f.dense(m)
		if err != nil {
			return nil, err
		}
		out = append(out, dense...)
	}
	return out, nil
}

// link reads a link message.
func (f *file) link(x *fields) (link, error) {
	x.version(1)
	flags, kind := x.u8(), uint8(0)
	if flags&8 != 0 {
		kind = x.u8()
	}
	if flags&4 != 0 {
		x.skip(8)
	}
	if flags&0x10 != 0 {
		x.skip(1)
	}
	n := x.number(1 << (flags & 3))
	x.require(n <= maxName, "a name of %d bytes, at most %d", n, maxName)
	l := link{name: string(x.bytes(n)), address: none}
	if kind == 0 {
		l.address = x.u64()
	}
	if x.err == nil {
		x.err = f.proper(l.name, x.start)
	}
	return l, x.err
}

// proper refuses names that no path holds.
func (f *file) proper(name string, at int64) error {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") || !utf8.ValidString(name) {
		return f.fail(at, "link", "%q is no name of a group's member", name)
	}
	return nil
}

// heap is a group's local heap of names.
type heap struct {
	f *file
	x *fields
}

func (f *file) heap(address uint64) (*heap, error) {
	x, err := f.at(address, 32, "local heap")
	if err != nil {
		return nil, err
	}
	x.magic("HEAP")
	x.version(0)
	x.skip(3)
	size := x.u64()
	x.skip(8)
	data := x.u64()
	if x.err != nil {
		return nil, x.err
	}
	d, err := f.at(data, size, "local heap")
	return &heap{f, d}, err
}

// name returns the text that begins at an offset.
func (h *heap) name(offset uint64) (string, error) {
	if offset >= uint64(len(h.x.b)) {
		return "", h.f.fail(h.x.start, "local heap", "a name at %d of %d bytes", offset, len(h.x.b))
	}
	b := h.x.b[offset:]
	n := bytes.IndexByte(b, 0)
	if n < 0 || n > maxName {
		return "", h.f.fail(h.x.start+int64(offset), "local heap", "a name without an end, or of more than %d bytes", maxName)
	}
	return string(b[:n]), h.f.proper(string(b[:n]), h.x.start+int64(offset))
}

// table reads a symbol table: a B-tree whose leaves are lists of names.
func (f *file) table(tree, names uint64) (out []link, err error) {
	h, err := f.heap(names)
	if err != nil {
		return nil, err
	}
	err = f.walk(tree, 0, 8, func(_ *fields, child uint64) error {
		more, err := f.symbols(child, h)
		if out = append(out, more...); len(out) > maxLinks {
			return tensor.Errorf(tensor.ErrLimit, f.name, -1, "group", "more than %d links", maxLinks)
		}
		return err
	})
	return out, err
}

// symbols reads one list of names.
func (f *file) symbols(address uint64, h *heap) (out []link, err error) {
	x, err := f.at(address, 8, "symbol table node")
	if err != nil {
		return nil, err
	}
	x.magic("SNOD")
	x.version(1)
	x.skip(1)
	n := uint64(x.u16())
	if x.err != nil {
		return nil, x.err
	}
	if x, err = f.at(address+8, 40*n, "symbol table node"); err != nil {
		return nil, err
	}
	for range n {
		offset, l := x.u64(), link{address: x.u64()}
		if x.u32() == 2 { // a link to a path
			l.address = none
		}
		x.skip(4 + 16)
		if l.name, err = h.name(offset); err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, x.err
}
