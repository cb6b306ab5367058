package torch

import (
	"fmt"
	"io"

	"github.com/weightprint/weightprint/formats/tensor"
)

// tile is one chunk in its place.
type tile struct {
	s         *tensor.Stored
	at, sizes []int64
	split     int // the innermost dimension that the chunk does not fill
}

func newTile(s *tensor.Stored, at, sizes, shape []int64) tile {
	split := max(len(shape)-1, 0)
	for split > 0 && sizes[split] == shape[split] {
		split--
	}
	return tile{s, at, sizes, split}
}

// tiles is a tensor of several chunks.
type tiles struct {
	shape []int64
	item  int64 // bytes of an element
	tiles []tile
}

// gap says how the chunks fail to cover each element once, "" if they do.
func (t *tiles) gap(elements int64) string {
	sum := int64(0)
	for i, a := range t.tiles {
		n, _ := tensor.Elements(a.sizes)
		sum += n
		for _, b := range t.tiles[:i] {
			if n > 0 && a.overlaps(b) {
				return fmt.Sprintf("the chunks at %v and %v overlap", b.at, a.at)
			}
		}
	}
	if sum != elements {
		return fmt.Sprintf("the chunks hold %d of %d elements", sum, elements)
	}
	return ""
}

func (a tile) overlaps(b tile) bool {
	for i := range a.at {
		if a.at[i] >= b.at[i]+b.sizes[i] || b.at[i] >= a.at[i]+a.sizes[i] {
			return false
		}
	}
	return true
}

// ReadAt fills p with the bytes from off on of the elements in logical order:
// runs that lie in one chunk, one after the other.
func (t *tiles) ReadAt(p []byte, off int64) (int, error) {
	at, done := make([]int64, len(t.shape)), 0
	for len(p) > 0 {
		rest := off / t.item
		for i := len(t.shape) - 1; i >= 0; i-- {
			at[i], rest = rest%t.shape[i], rest/t.shape[i]
		}
		c, ok := t.find(at)
		if !ok || rest > 0 {
			return done, io.EOF
		}
		from, run := c.run(at)
		part := off % t.item
		n := min(int64(len(p)), run*t.item-part)
		if err := c.s.ReadRaw(p[:n], from*t.item+part); err != nil {
			return done, err
		}
		p, off, done = p[n:], off+n, done+int(n)
	}
	return done, nil
}

// find returns the chunk that holds an element.
func (t *tiles) find(at []int64) (tile, bool) {
	for _, c := range t.tiles {
		inside := true
		for i := range at {
			inside = inside && at[i] >= c.at[i] && at[i] < c.at[i]+c.sizes[i]
		}
		if inside {
			return c, true
		}
	}
	return tile{}, false
}

// run returns an element's number within the chunk and how many elements from
// it on lie one behind the other both there and in the whole tensor.
func (c tile) run(at []int64) (from, n int64) {
	inner := int64(0) // number of the element within the dimensions from split on
	size := int64(1)
	for i := range at {
		from = from*c.sizes[i] + at[i] - c.at[i]
		if i >= c.split {
			inner = inner*c.sizes[i] + at[i] - c.at[i]
			size *= c.sizes[i]
		}
	}
	return from, size - inner
}
