package hdf5

import (
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// Limits of this reader on chunks.
const (
	maxChunkBytes = 64 << 20
	maxChunks     = 1 << 20 // of one dataset
)

// stored says where a chunk lies, and which filters it did without.
type stored struct {
	address, size uint64
	mask          uint32
}

// chunked reads a dataset in chunks as if its elements lay one behind the
// other.
type chunked struct {
	d      *dataset
	sides  []int64 // of a chunk, in elements
	item   int64
	bytes  int // of a chunk
	chunks map[string]stored
	zero   bool // chunks that are not there are zeros

	mu sync.Mutex
}

// chunked reads where the chunks lie.
func (d *dataset) chunked(m *message, version uint8, o *object) (io.ReaderAt, error) {
	c := &chunked{d: d, item: int64(d.typ.size), chunks: map[string]stored{}}
	read := c.older
	if version > 3 {
		read = c.newer
	}
	if err := read(m); err != nil {
		return nil, err
	}
	expected := int64(1)
	for i, n := range d.shape {
		expected *= (n + c.sides[i] - 1) / c.sides[i] // within the number of elements
	}
	if int64(len(c.chunks)) < expected {
		if err := d.unwritten(o); err != nil {
			return nil, err
		}
		c.zero = true
	}
	return c, nil
}

// side takes the sides of a chunk, the last of which is an element's size.
func (c *chunked) side(m *message, rank uint64, width uint64) error {
	m.require(rank == uint64(len(c.d.shape))+1 && width >= 1 && width <= 8, "chunks of %d dimensions of a dataset of %d", rank, len(c.d.shape))
	total := uint64(1)
	for i := range rank {
		n := m.number(width)
		m.require(n > 0 && n <= maxChunkBytes/total, "chunks of more than %d bytes, or of none", maxChunkBytes)
		if m.err != nil {
			return m.err
		}
		total *= n
		if i < rank-1 {
			c.sides = append(c.sides, int64(n))
		} else {
			m.require(int64(n) == c.item, "elements of %d bytes, but of %d by their type", n, c.item)
		}
	}
	c.bytes = int(total)
	return m.err
}

// older reads layout 3: a B-tree of chunks.
func (c *chunked) older(m *message) error {
	rank := uint64(m.u8())
	tree := m.u64()
	if err := c.side(m, rank, 4); err != nil || tree == none {
		return err
	}
	return c.d.f.walk(tree, 1, 8+8*rank, func(key *fields, child uint64) error {
		s := stored{size: uint64(key.u32()), mask: key.u32(), address: child}
		at := make([]int64, rank-1)
		for i := range at {
			at[i] = int64(key.u64())
		}
		last := key.u64()
		key.require(last == 0, "a chunk that begins inside an element")
		if key.err != nil {
			return key.err
		}
		return c.add(at, s)
	})
}

// newer reads layouts 4 and 5, of which single chunks and those without an index are
// known.
func (c *chunked) newer(m *message) error {
	flags, rank, width := m.u8(), uint64(m.u8()), uint64(m.u8())
	if err := c.side(m, rank, width); err != nil {
		return err
	}
	at := make([]int64, len(c.sides))
	switch kind := m.u8(); kind {
	case 1:
		s := stored{size: uint64(c.bytes)}
		if flags&2 != 0 {
			s.size, s.mask = m.u64(), m.u32()
		}
		if s.address = m.u64(); m.err != nil || s.address == none {
			return m.err
		}
		return c.add(at, s)
	case 2:
		address := m.u64()
		if m.err != nil || address == none {
			return m.err
		}
		return c.implicit(at, address)
	default:
		return c.d.unsupported("layout", "chunks by an index of kind %d; h5repack --low=0 --high=0 writes one that is read", kind)
	}
}

// implicit adds chunks that lie one behind the other.
func (c *chunked) implicit(at []int64, address uint64) error {
	for {
		if err := c.add(slices.Clone(at), stored{address: address, size: uint64(c.bytes)}); err != nil {
			return err
		}
		address += uint64(c.bytes)
		i := len(at) - 1
		for ; i >= 0; i-- {
			if at[i] += c.sides[i]; at[i] < c.d.shape[i] {
				break
			}
			at[i] = 0
		}
		if i < 0 {
			return nil
		}
	}
}

// add takes a chunk, which begins on the grid and within the dataset and lies
// in the file.
func (c *chunked) add(at []int64, s stored) error {
	field := "dataset " + escape.Printable(c.d.name) + " chunk"
	for i, n := range at {
		if n < 0 || n%c.sides[i] != 0 {
			return c.d.fail("chunk", "a chunk at %v of chunks of %v", at, c.sides)
		}
		if n >= c.d.shape[i] {
			return nil // left over from a larger shape
		}
	}
	if _, err := c.d.f.place(s.address, s.size, field); err != nil {
		return err
	}
	if s.size > maxChunkBytes || len(c.d.pipe) == 0 && s.size != uint64(c.bytes) {
		return c.d.fail("chunk", "%d bytes stored of a chunk of %d", s.size, c.bytes)
	}
	key := fmt.Sprint(at)
	if _, twice := c.chunks[key]; twice {
		return c.d.fail("chunk", "the chunk at %v stands twice", at)
	}
	if c.chunks[key] = s; len(c.chunks) > maxChunks {
		return tensor.Errorf(tensor.ErrLimit, c.d.f.name, -1, field, "more than %d chunks", maxChunks)
	}
	return nil
}

// ReadAt fills p with the bytes from off on of the elements in row-major
// order: runs along the last dimension, one chunk at a time.
func (c *chunked) ReadAt(p []byte, off int64) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	shape, at, done := c.d.shape, make([]int64, len(c.sides)), 0
	for len(p) > 0 {
		if off >= c.d.bytes {
			return done, io.EOF
		}
		rest := off / c.item
		for i := len(shape) - 1; i >= 0; i-- {
			at[i], rest = rest%shape[i], rest/shape[i]
		}
		corner, within, run := make([]int64, len(at)), int64(0), int64(1)
		for i, n := range at {
			corner[i] = n - n%c.sides[i]
			within = within*c.sides[i] + n%c.sides[i]
		}
		if last := len(at) - 1; last >= 0 {
			run = min(shape[last], corner[last]+c.sides[last]) - at[last]
		}
		b, err := c.chunk(fmt.Sprint(corner))
		if err != nil {
			return done, err
		}
		part := off % c.item
		n := copy(p, b[within*c.item+part:][:run*c.item-part])
		p, off, done = p[n:], off+int64(n), done+n
	}
	return done, nil
}

// chunk returns the bytes of a chunk.
func (c *chunked) chunk(key string) ([]byte, error) {
	of := chunkOf{c, key}
	if b := c.d.f.kept.chunk(of); b != nil {
		return b, nil
	}
	s, ok := c.chunks[key]
	if !ok {
		return c.d.f.kept.keep(of, make([]byte, c.bytes)), nil
	}
	field := "dataset " + escape.Printable(c.d.name) + " chunk"
	at, err := c.d.f.place(s.address, s.size, field)
	if err != nil {
		return nil, err
	}
	b := make([]byte, s.size)
	if n, err := c.d.f.r.ReadAt(b, at); n < len(b) {
		if err == io.EOF || err == nil {
			err = io.ErrUnexpectedEOF
		}
		return nil, tensor.Errorf(err, c.d.f.name, at, field, "reading %d bytes: %v", len(b), err)
	}
	b, why := c.d.pipe.undo(b, s.mask, c.bytes)
	if why != "" {
		return nil, c.d.f.fail(at, field, "%s", why)
	}
	return c.d.f.kept.keep(of, b), nil
}
