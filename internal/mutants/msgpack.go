package mutants

import "encoding/binary"

// deepest bounds what stands in what.
const deepest = 40

// msgpackTree takes MessagePack apart. Maps and arrays are written with counts
// of four bytes, which every reader takes.
func msgpackTree(b []byte) (*part, error) {
	c := &cursor{b: b}
	p := c.msgpack(0)
	if c.bad || len(c.b) > 0 {
		return nil, errCut
	}
	return &part{kids: []*part{p}}, nil
}

func (c *cursor) big(n uint64) (v uint64) {
	for _, x := range c.take(n) {
		v = v<<8 | uint64(x)
	}
	return v
}

// msgpackFixed are the bytes behind the first byte of numbers.
var msgpackFixed = map[byte]uint64{0xca: 4, 0xcb: 8, 0xcc: 1, 0xcd: 2, 0xce: 4, 0xcf: 8, 0xd0: 1, 0xd1: 2, 0xd2: 4, 0xd3: 8}

func (c *cursor) msgpack(depth int) *part {
	head := c.take(1)
	if c.bad || depth > deepest {
		c.bad = true
		return leaf(nil)
	}
	switch k := head[0]; {
	case k < 0x80 || k >= 0xe0 || k == 0xc0 || k == 0xc2 || k == 0xc3:
		return leaf(head)
	case k < 0x90:
		return c.msgpackList(0xdf, 2*uint64(k&15), 2, depth)
	case k < 0xa0:
		return c.msgpackList(0xdd, uint64(k&15), 1, depth)
	case k < 0xc0:
		return msgpackBytes(0xdb, nil, leaf(c.take(uint64(k&31))))
	case k >= 0xc4 && k <= 0xc6:
		return msgpackBytes(0xc6, nil, leaf(c.take(c.big(1<<(k-0xc4)))))
	case k >= 0xd9 && k <= 0xdb:
		return msgpackBytes(0xdb, nil, leaf(c.take(c.big(1<<(k-0xd9)))))
	case k == 0xdc || k == 0xdd:
		return c.msgpackList(0xdd, c.big(2<<(k-0xdc)), 1, depth)
	case k == 0xde || k == 0xdf:
		return c.msgpackList(0xdf, 2*c.big(2<<(k-0xde)), 2, depth)
	case k >= 0xc7 && k <= 0xc9:
		n := c.big(1 << (k - 0xc7))
		return c.msgpackExtension(n, depth)
	case k >= 0xd4 && k <= 0xd8:
		return c.msgpackExtension(1<<(k-0xd4), depth)
	case msgpackFixed[k] > 0:
		return &part{kids: []*part{leaf(head), leaf(c.take(msgpackFixed[k]))}}
	}
	c.bad = true
	return leaf(nil)
}

func (c *cursor) msgpackList(kind byte, n uint64, each int, depth int) *part {
	p := &part{kids: []*part{}}
	for range n {
		if c.bad {
			break
		}
		p.kids = append(p.kids, c.msgpack(depth+1))
	}
	p.wrap = func(kids [][]byte, lie int64) []byte {
		head := binary.BigEndian.AppendUint32([]byte{kind}, uint32(int64(len(kids)/each)+lie))
		return append(head, concat(kids)...)
	}
	return p
}

// msgpackExtension is an array of Flax where it reads as MessagePack inside.
func (c *cursor) msgpackExtension(n uint64, depth int) *part {
	kind := c.take(1)
	body := c.take(n)
	inside := &cursor{b: body}
	if p := inside.msgpack(depth + 1); !inside.bad && len(inside.b) == 0 {
		return msgpackBytes(0xc9, kind, p)
	}
	return msgpackBytes(0xc9, kind, leaf(body))
}

func msgpackBytes(kind byte, behind []byte, inside *part) *part {
	return &part{kids: []*part{inside}, wrap: func(kids [][]byte, lie int64) []byte {
		body := concat(kids)
		head := binary.BigEndian.AppendUint32([]byte{kind}, uint32(int64(len(body))+lie))
		return append(append(head, behind...), body...)
	}}
}
