package source

import (
	"io"
	"slices"
	"sync"
)

// Blob is one readable object of known size. ReadAt is safe for concurrent
// use and returns tensor.ErrChanged when the object is no longer what was
// opened.
type Blob interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// Counted is a Blob that counts the bytes given out.
type Counted struct {
	Blob
	mu    sync.Mutex
	spans []span // disjoint, ascending
	bytes int64
}

// Spans lists the ranges read at least once, each as its first byte and the
// one behind its last, ascending and apart.
func (c *Counted) Spans() [][2]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([][2]int64, len(c.spans))
	for i, s := range c.spans {
		out[i] = [2]int64{s.lo, s.hi}
	}
	return out
}

type span struct{ lo, hi int64 }

// Count wraps a Blob.
func Count(b Blob) *Counted { return &Counted{Blob: b} }

// ReadAt reads and counts.
func (c *Counted) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.Blob.ReadAt(p, off)
	if n > 0 {
		c.add(off, off+int64(n))
	}
	return n, err
}

// BytesRead is how many bytes were read at least once.
func (c *Counted) BytesRead() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

// add merges a range into the spans.
func (c *Counted) add(lo, hi int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// The first span that ends at or behind lo, and the first that begins behind hi.
	i, _ := slices.BinarySearchFunc(c.spans, lo, func(s span, v int64) int { return order(s.hi, v) })
	j := i
	for j < len(c.spans) && c.spans[j].lo <= hi {
		lo, hi = min(lo, c.spans[j].lo), max(hi, c.spans[j].hi)
		c.bytes -= c.spans[j].hi - c.spans[j].lo
		j++
	}
	c.bytes += hi - lo
	c.spans = slices.Replace(c.spans, i, j, span{lo, hi})
}

func order(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
