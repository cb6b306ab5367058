package mutants

// ggufSizes are the bytes of the types of metadata; 0 for texts and arrays.
var ggufSizes = []uint64{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8}

const (
	ggufText  = 8
	ggufArray = 9
)

// ggufTree takes a little-endian file of version 2 or 3 apart: metadata and
// descriptions of tensors field by field.
func ggufTree(b []byte) (*part, error) {
	c := &cursor{b: b}
	head := c.take(8)
	tensors, pairs := c.u64(), c.u64()
	if c.bad || head[4] < 2 || head[7] != 0 || tensors > 1<<12 || pairs > 1<<12 {
		return nil, errCut
	}
	kvs := &part{kids: []*part{}, wrap: listed}
	for range pairs {
		kvs.kids = append(kvs.kids, c.ggufPair())
	}
	infos := &part{kids: []*part{}, wrap: listed}
	for range tensors {
		infos.kids = append(infos.kids, c.ggufInfo())
	}
	if c.bad {
		return nil, errCut
	}
	// The data begins at a multiple of 32 here; where a mutant changes what is
	// before it, padding is put in anew.
	return &part{kids: []*part{leaf(head), kvs, infos, leaf(trimZeros(c.b, len(b)))}, wrap: func(kids [][]byte, _ int64) []byte {
		if len(kids) != 4 || len(kids[1]) < 8 || len(kids[2]) < 8 {
			return concat(kids)
		}
		out := concat([][]byte{kids[0], kids[2][:8], kids[1][:8], kids[1][8:], kids[2][8:]})
		for len(out)%32 != 0 {
			out = append(out, 0)
		}
		return append(out, kids[3]...)
	}}, nil
}

// trimZeros takes the padding off: up to 31 bytes, to where a multiple of 32 is.
func trimZeros(b []byte, size int) []byte {
	return b[min(len(b), (32-(size-len(b))%32)%32):]
}

func (c *cursor) ggufString() *part {
	n := c.u64()
	return &part{kids: []*part{leaf(c.take(n))}, wrap: counted}
}

func (c *cursor) ggufPair() *part {
	key := c.ggufString()
	kind := c.take(4)
	if c.bad {
		return leaf(nil)
	}
	return &part{kids: []*part{key, leaf(kind), c.ggufValue(uint64(le.Uint32(kind)), 0)}}
}

func (c *cursor) ggufValue(kind uint64, depth int) *part {
	switch {
	case kind == ggufText:
		return c.ggufString()
	case kind == ggufArray && depth < 8:
		of := c.take(4)
		n := c.u64()
		if c.bad || n > 1<<12 {
			c.bad = true
			return leaf(nil)
		}
		items := &part{kids: []*part{}, wrap: listed}
		for range n {
			items.kids = append(items.kids, c.ggufValue(uint64(le.Uint32(of)), depth+1))
		}
		return &part{kids: []*part{leaf(of), items}}
	case kind < uint64(len(ggufSizes)):
		return leaf(c.take(ggufSizes[kind]))
	}
	c.bad = true
	return leaf(nil)
}

func (c *cursor) ggufInfo() *part {
	name := c.ggufString()
	n := c.u32()
	dims := &part{kids: []*part{}, wrap: func(kids [][]byte, lie int64) []byte {
		return append(le.AppendUint32(nil, uint32(int64(len(kids))+lie)), concat(kids)...)
	}}
	for range min(n, 8) {
		dims.kids = append(dims.kids, leaf(c.take(8)))
	}
	return &part{kids: []*part{name, dims, leaf(c.take(4)), leaf(c.take(8))}}
}
