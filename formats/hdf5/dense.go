package hdf5

import (
	"math/bits"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Groups of many links keep them in a fractal heap, and a B-tree of version 2
// says where in it each link lies.

// dense lists the links that a link info message leads to.
func (f *file) dense(m *message) ([]link, error) {
	m.version(0)
	flags := m.u8()
	if flags&1 != 0 {
		m.skip(8)
	}
	address, tree := m.u64(), m.u64()
	if m.err != nil || address == none {
		return nil, m.err
	}
	h, err := f.fractal(address)
	if err != nil {
		return nil, err
	}
	ids, err := f.records(tree, 5)
	if err != nil {
		return nil, err
	}
	var out []link
	for _, r := range ids {
		r.skip(4) // hash of the name
		b, err := h.managed(r)
		if err != nil {
			return nil, err
		}
		l, err := f.link(b)
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

// fractal is a fractal heap: a table of blocks, each row twice as large as the
// one before from the second on.
type fractal struct {
	f             *file
	offsetBytes   uint64 // of an offset within the heap
	lengthBytes   uint64
	width         uint64 // blocks a row
	first, direct uint64 // sizes of the smallest and largest block of data
	root          uint64
	rows          uint64 // of the root table, 0 if the root is a block of data
	blocks        map[uint64]*fields
}

func (f *file) fractal(address uint64) (*fractal, error) {
	x, err := f.at(address, 146, "fractal heap")
	if err != nil {
		return nil, err
	}
	h := &fractal{f: f, blocks: map[uint64]*fields{}}
	x.magic("FRHP")
	x.version(0)
	idBytes, filters := x.u16(), x.u16()
	x.skip(1)
	maxObject := uint64(x.u32())
	x.skip(8 * 12) // free space, counts of objects
	h.width, h.first, h.direct = uint64(x.u16()), x.u64(), x.u64()
	maxBits := x.u16()
	x.skip(2)
	h.root, h.rows = x.u64(), uint64(x.u16())
	x.require(idBytes == 7 && maxBits >= 8 && maxBits <= 64, "identifiers of %d bytes, offsets of %d bits", idBytes, maxBits)
	x.require(filters == 0, "a heap of links with filters")
	power := func(n uint64) bool { return n > 0 && n&(n-1) == 0 }
	x.require(power(h.width) && h.width <= 256 && power(h.first) && power(h.direct) && h.first <= h.direct && h.direct <= maxMetadata, "blocks of %d to %d bytes, %d a row", h.first, h.direct, h.width)
	x.require(h.rows <= 64, "%d rows", h.rows)
	x.sum()
	h.offsetBytes = (uint64(maxBits) + 7) / 8
	h.lengthBytes = min(uint64(bits.Len64(h.direct)+7)/8, uint64(bits.Len64(maxObject)+7)/8)
	return h, x.err
}

// managed finds an object by its identifier: version and kind, offset, length.
func (h *fractal) managed(id *fields) (*fields, error) {
	kind := id.u8()
	offset, n := id.number(h.offsetBytes), id.number(h.lengthBytes)
	id.require(kind == 0, "a link outside the heap's blocks (kind 0x%02x)", kind)
	if id.err != nil {
		return nil, id.err
	}
	block, at, err := h.block(offset)
	if err != nil {
		return nil, err
	}
	if offset < at || offset-at > uint64(len(block.b)) || n > uint64(len(block.b))-(offset-at) {
		return nil, h.f.fail(block.start, "fractal heap", "%d bytes at %d of a block of %d at %d", n, offset, len(block.b), at)
	}
	return &fields{f: h.f, b: block.b[offset-at:][:n], start: block.start + int64(offset-at), field: "link"}, nil
}

// size is that of the blocks of a row.
func (h *fractal) size(row uint64) uint64 {
	if row < 2 {
		return h.first
	}
	return h.first << (row - 1)
}

// block returns the block of data that holds an offset, and where it begins in
// the heap. Tables within the table are not followed: they begin beyond what
// the links of a group take.
func (h *fractal) block(offset uint64) (*fields, uint64, error) {
	if h.rows == 0 {
		b, err := h.read(h.root, h.first, 0)
		return b, 0, err
	}
	start := uint64(0)
	for row := uint64(0); row < h.rows; row++ {
		size := h.size(row)
		if size > h.direct {
			break
		}
		if offset < start+size*h.width {
			column := (offset - start) / size
			const head = 4 + 1 + 8 // signature, version, address of the heap's header
			x, err := h.f.at(h.root, head+h.offsetBytes+8*(row*h.width+column+1), "fractal heap table")
			if err != nil {
				return nil, 0, err
			}
			x.magic("FHIB")
			x.skip(uint64(len(x.b)-x.pos) - 8)
			at := start + column*size
			address := x.u64()
			if x.err != nil {
				return nil, 0, x.err
			}
			b, err := h.read(address, size, at)
			return b, at, err
		}
		start += size * h.width
	}
	return nil, 0, h.f.unsupported(-1, "fractal heap", "a link at %d, beyond the blocks of the first table", offset)
}

// read reads one block of data; offsets count its header too.
func (h *fractal) read(address, size, at uint64) (*fields, error) {
	if b := h.blocks[address]; b != nil {
		return b, nil
	}
	if len(h.blocks) >= maxNodes {
		return nil, tensor.Errorf(tensor.ErrLimit, h.f.name, -1, "fractal heap", "more than %d blocks", maxNodes)
	}
	x, err := h.f.at(address, size, "fractal heap block")
	if err != nil {
		return nil, err
	}
	x.magic("FHDB")
	x.version(0)
	x.skip(8)
	got := x.number(h.offsetBytes)
	x.require(got == at, "the block begins at %d of the heap, not at %d", got, at)
	h.blocks[address] = x
	return x, x.err
}

// records lists the records of a B-tree of version 2.
func (f *file) records(address uint64, kind uint8) ([]*fields, error) {
	const field = "B-tree header"
	x, err := f.at(address, 38, field)
	if err != nil {
		return nil, err
	}
	x.magic("BTHD")
	x.version(0)
	got := x.u8()
	t := &tree2{f: f, kind: kind, node: uint64(x.u32()), record: uint64(x.u16()), seen: map[uint64]bool{}}
	depth := x.u16()
	x.skip(2)
	root, n := x.u64(), uint64(x.u16())
	x.skip(8)
	x.sum()
	x.require(got == kind && t.record > 0 && t.node >= 16+t.record && t.node <= maxMetadata && depth <= maxLevel, "a tree of kind %d, depth %d, records of %d and nodes of %d bytes", got, depth, t.record, t.node)
	if x.err != nil || n == 0 {
		return nil, x.err
	}
	t.limits(int(depth))
	err = t.read(root, n, int(depth))
	return t.out, err
}

// tree2 is such a tree under way.
type tree2 struct {
	f            *file
	kind         uint8
	node, record uint64   // bytes
	most         []uint64 // records of a node at each level
	sums         []uint64 // records of a whole tree below each level
	seen         map[uint64]bool
	out          []*fields
}

// limits finds how many records a node of each level holds, on which the width
// of the counts depends.
func (t *tree2) limits(depth int) {
	t.most = []uint64{(t.node - 10) / t.record}
	t.sums = []uint64{t.most[0]}
	for l := 1; l <= depth; l++ {
		pointer := 8 + width(t.most[l-1])
		if l > 1 {
			pointer += width(t.sums[l-1])
		}
		n := uint64(0)
		if t.node > 10+pointer {
			n = (t.node - 10 - pointer) / (t.record + pointer)
		}
		t.most = append(t.most, n)
		t.sums = append(t.sums, (n+1)*min(t.sums[l-1], 1<<40)+n)
	}
}

// width is how many bytes hold a number.
func width(n uint64) uint64 { return max(1, uint64(bits.Len64(n)+7)/8) }

// read reads a node and those below it.
func (t *tree2) read(address, n uint64, level int) error {
	x, err := t.f.at(address, t.node, "B-tree node")
	if err != nil {
		return err
	}
	if level == 0 {
		x.magic("BTLF")
	} else {
		x.magic("BTIN")
	}
	x.version(0)
	kind := x.u8()
	x.require(kind == t.kind && n <= t.most[level], "a node of kind %d with %d records, at most %d", kind, n, t.most[level])
	x.require(!t.seen[address], "the node stands in its own tree twice")
	if t.seen[address] = true; len(t.seen) > maxNodes || uint64(len(t.out))+n > maxLinks {
		return tensor.Errorf(tensor.ErrLimit, t.f.name, x.start, x.field, "more than %d nodes or %d records", maxNodes, maxLinks)
	}
	for range n {
		t.out = append(t.out, x.part(t.record, "B-tree record"))
	}
	type child struct{ address, n uint64 }
	var below []child
	if level > 0 {
		for range n + 1 {
			c := child{x.u64(), x.number(width(t.most[level-1]))}
			if level > 1 {
				x.skip(width(t.sums[level-1]))
			}
			below = append(below, c)
		}
	}
	x.sum()
	if x.err != nil {
		return x.err
	}
	for _, c := range below {
		if err := t.read(c.address, c.n, level-1); err != nil {
			return err
		}
	}
	return nil
}
