package torch

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/saferio"
)

// Checkpoints of torch before 1.6 (torch.serialization._legacy_save) are a
// chain of pickles: a magic number, the version 1001, what machine wrote it,
// the checkpoint itself, the list of its storages' keys. Behind them lies each
// storage in the order of that list, its number of elements before it.

// chainMagic is the number that the first pickle holds, with its end. Before
// it stand the protocol and, from protocol 4 on, a frame.
const (
	chainMagic   = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
	chainVersion = 1001
)

func isChain(head []byte) bool {
	return len(head) > 2 && head[0] == 0x80 && bytes.Contains(head[:min(len(head), 2+9+len(chainMagic))], []byte(chainMagic)) && !isHeader(head)
}

// chain reads the file from front to back.
type chain struct {
	file   string
	r      io.ReaderAt
	size   int64
	at     int64 // of the next byte
	opened map[string]*storage
	views  map[string]*storage // parts of storages that older versions describe apart
	spent  int64               // by all pickles together
}

// readChain reads a checkpoint of torch before 1.6.
func (f *File) readChain(ctx context.Context, r io.ReaderAt, size int64) error {
	c := &chain{file: f.name, r: r, size: size, opened: map[string]*storage{}, views: map[string]*storage{}}
	if err := c.preamble(ctx); err != nil {
		return err
	}
	m, root, err := c.pickle(ctx, "checkpoint", c.persistent)
	if err != nil {
		return err
	}
	_, keys, err := c.pickle(ctx, "storage keys", nil)
	if err != nil {
		return err
	}
	if err := c.place(ctx, keys); err != nil {
		return err
	}
	if rest := c.size - c.at; rest > 0 {
		if err := f.forgive(tensor.Errorf(tensor.ErrFormat, c.file, c.at, "storages", "%d bytes follow the last storage", rest)); err != nil {
			return err
		}
	}
	return f.adopt(&finder{file: f.name, what: m.what, meta: f.meta, names: m.names}, root)
}

// preamble checks the magic number, the version and the machine.
func (c *chain) preamble(ctx context.Context) error {
	if _, _, err := c.pickle(ctx, "magic number", nil); err != nil {
		return err
	}
	at := c.at
	_, version, err := c.pickle(ctx, "protocol version", nil)
	if err != nil {
		return err
	}
	if version != int64(chainVersion) {
		return tensor.Errorf(tensor.ErrUnsupported, c.file, at, "protocol version", "%s, expected %d", describe(version), chainVersion)
	}
	at = c.at
	_, machine, err := c.pickle(ctx, "system", nil)
	if err != nil {
		return err
	}
	return littleEndian(machine, c.file, at)
}

// littleEndian requires that the machine that wrote a file was.
func littleEndian(system value, file string, at int64) error {
	d, _ := system.(*dict)
	if little, ok := d.get("little_endian").(bool); !ok || !little {
		return tensor.Errorf(tensor.ErrUnsupported, file, at, "system", "only files of little-endian machines are read")
	}
	return nil
}

// pickle runs the pickle that begins at the next byte.
func (c *chain) pickle(ctx context.Context, what string, open func(*machine, value) (value, error)) (*machine, value, error) {
	left := c.size - c.at
	m := &machine{file: c.file, what: what, base: c.at, c: saferio.NewCursor(newSection(c.r, c.at, left), min(left, maxPickle)), open: open, spent: c.spent}
	if open == nil {
		m.open = func(m *machine, v value) (value, error) { return nil, m.broken("no storage is described here") }
	}
	v, err := m.run(ctx)
	c.at += m.c.Offset()
	c.spent = m.spent
	return m, v, err
}

// persistent makes a storage that is placed once the pickle has ended. The
// source of a module's class is passed over.
func (c *chain) persistent(m *machine, v value) (value, error) {
	if t, ok := v.(tuple); ok && len(t) == 4 && t[0] == "module" {
		return t[1], nil
	}
	id, missed, err := m.storageID(v, 6)
	if missed != nil || err != nil {
		return missed, err
	}
	s := c.opened[id.key]
	if s == nil {
		size := id.typ.size()
		if id.numel > (c.size-c.at)/size {
			return nil, m.broken("storage %s: %d elements of %d bytes in a file of %d", quoteKey(id.key), id.numel, size, c.size)
		}
		if err := m.charge(4*objectBytes + int64(len(id.key))); err != nil {
			return nil, err
		}
		s = &storage{typ: id.typ, bytes: id.numel * size, r: c.r}
		c.opened[id.key] = s
	} else if err := m.same(s, id); err != nil {
		return nil, err
	}
	if t := v.(tuple); len(t) == 6 && t[5] != nil {
		return c.part(m, s, t[5])
	}
	return s, nil
}

// part makes a part of a storage from (key, offset, count), in elements.
func (c *chain) part(m *machine, root *storage, v value) (value, error) {
	t, _ := v.(tuple)
	if len(t) != 3 {
		return nil, m.broken("(key, offset, count) of a part of a storage expected, found %s", describe(v))
	}
	key, ok := t[0].(string)
	offset, ok2 := t[1].(int64)
	n, ok3 := t[2].(int64)
	size := root.typ.size()
	if !ok || !ok2 || !ok3 || offset < 0 || n < 0 || offset > root.bytes/size-n {
		return nil, m.broken("a part of a storage of %d elements: key %s, offset %s, count %s", root.bytes/size, describe(t[0]), describe(t[1]), describe(t[2]))
	}
	if err := m.charge(4*objectBytes + int64(len(key))); err != nil {
		return nil, err
	}
	s := &storage{typ: root.typ, bytes: n * size, r: root.r, of: root, off: offset * size}
	if before := c.views[key]; before != nil {
		if before.of != root || before.off != s.off || before.bytes != s.bytes {
			return nil, m.broken("part %s of a storage is described in two ways", quoteKey(key))
		}
		return before, nil
	}
	c.views[key] = s
	return s, nil
}

// place finds where each storage lies. The list names all of them, each once.
func (c *chain) place(ctx context.Context, v value) error {
	keys, ok := v.(*list)
	if !ok || len(keys.items) != len(c.opened) {
		return tensor.Errorf(tensor.ErrFormat, c.file, c.at, "storage keys", "a list of the %d storages expected, found %s", len(c.opened), describeList(v))
	}
	placed := map[string]bool{}
	for _, k := range keys.items {
		if err := ctx.Err(); err != nil {
			return err
		}
		key, ok := k.(string)
		s := c.opened[key]
		if !ok || s == nil || placed[key] {
			return tensor.Errorf(tensor.ErrFormat, c.file, c.at, "storage keys", "%s is no storage of the checkpoint, or stands twice", describe(k))
		}
		placed[key] = true
		if err := c.locate(s, key); err != nil {
			return err
		}
	}
	for _, s := range c.views {
		s.off += s.of.off
		s.at = s.off
	}
	return nil
}

func describeList(v value) string {
	if l, ok := v.(*list); ok {
		return fmt.Sprintf("one of %d", len(l.items))
	}
	return describe(v)
}

// locate reads the number of elements before a storage and passes over it.
func (c *chain) locate(s *storage, key string) error {
	field := "storage " + quoteKey(key)
	b, err := c.bytes(8, field)
	if err != nil {
		return err
	}
	if n, want := binary.LittleEndian.Uint64(b), s.bytes/s.typ.size(); n != uint64(want) {
		return tensor.Errorf(tensor.ErrFormat, c.file, c.at-8, field, "%d elements here, but %d in the checkpoint", n, want)
	}
	if s.bytes > c.size-c.at {
		return tensor.Errorf(io.ErrUnexpectedEOF, c.file, c.at, field, "%d bytes, %d are left", s.bytes, c.size-c.at)
	}
	s.off, s.at = c.at, c.at
	c.at += s.bytes
	return nil
}

// bytes takes the next bytes.
func (c *chain) bytes(n int64, field string) ([]byte, error) {
	if left := c.size - c.at; n > left {
		return nil, tensor.Errorf(io.ErrUnexpectedEOF, c.file, c.at, field, "%d bytes claimed, %d left", n, left)
	}
	b := make([]byte, n)
	if got, err := c.r.ReadAt(b, c.at); int64(got) < n {
		return nil, tensor.Errorf(err, c.file, c.at, field, "reading %d bytes: %v", n, err)
	}
	c.at += n
	return b, nil
}
