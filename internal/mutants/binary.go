package mutants

import (
	"encoding/binary"
	"errors"
)

var le = binary.LittleEndian

// errCut is what taking apart ends with where a file is not of its format.
var errCut = errors.New("the file is not of its format")

// cursor reads fields one behind the other.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) take(n uint64) []byte {
	if n > uint64(len(c.b)) {
		c.bad = true
		return nil
	}
	out := c.b[:n:n]
	c.b = c.b[n:]
	return out
}

func (c *cursor) u32() uint64 {
	if b := c.take(4); b != nil {
		return uint64(le.Uint32(b))
	}
	return 0
}

func (c *cursor) u64() uint64 {
	if b := c.take(8); b != nil {
		return le.Uint64(b)
	}
	return 0
}

// counted puts the length of what it joins before it, 8 bytes.
func counted(kids [][]byte, lie int64) []byte {
	body := concat(kids)
	return append(le.AppendUint64(nil, uint64(int64(len(body))+lie)), body...)
}

// listed puts the number of kids before them, 8 bytes.
func listed(kids [][]byte, lie int64) []byte {
	return append(le.AppendUint64(nil, uint64(int64(len(kids))+lie)), concat(kids)...)
}

// safetensorsTree is the header as JSON and the data.
func safetensorsTree(b []byte) (*part, error) {
	c := &cursor{b: b}
	header := c.take(c.u64())
	if c.bad {
		return nil, errCut
	}
	return &part{kids: []*part{{kids: []*part{jsonTree(header)}, wrap: counted}, leaf(c.b)}}, nil
}

// words cuts a file into words of some bytes, those that may be offsets first
// of all: mutants of flat tables move offsets.
func words(b []byte, size int) *part {
	p := &part{kids: []*part{}}
	from := 0
	for at := 0; at+size <= len(b); at += size {
		v := uint64(le.Uint32(b[at:]))
		if size == 8 {
			v = le.Uint64(b[at:])
		}
		if v == 0 || v >= uint64(len(b)) {
			continue
		}
		if at > from {
			p.kids = append(p.kids, leaf(b[from:at]))
		}
		p.kids = append(p.kids, leaf(b[at:at+size]))
		from = at + size
	}
	if from < len(b) {
		p.kids = append(p.kids, leaf(b[from:]))
	}
	return p
}
