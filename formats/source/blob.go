package source

import (
	"context"
	"io"
	"maps"
	"slices"
	"sync"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Blob is one readable object of known size. ReadAt is safe for concurrent
// use and returns tensor.ErrChanged when the object is no longer what was
// opened.
type Blob interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// Identity is how a store or server names the content of a file. It is
// declared, not computed.
type Identity struct {
	ETag   string // the server's, as sent
	SHA256 string // of the whole file, in hexadecimal digits
	Commit string // revision of the repository that the server names
	Listed bool   // SHA256 stands in the listing of the hub that the user asks, which nobody else can write
}

// Identified is a Blob whose content has a declared name.
type Identified interface{ Identity() Identity }

// Counted is a Blob that counts the bytes given out.
type Counted struct {
	Blob
	mu    sync.Mutex
	pages map[int64][]span // by page: disjoint, ascending
	bytes int64
}

// pageBytes divides a blob into pages, each with spans of its own. Packed
// matrices are read a few bytes here and there, a million times over; in one
// list of spans every such read would move half the list.
const pageBytes = 1 << 18

// Spans lists the ranges read at least once, each as its first byte and the
// one behind its last, ascending and apart.
func (c *Counted) Spans() [][2]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := [][2]int64{}
	for _, page := range slices.Sorted(maps.Keys(c.pages)) {
		for _, s := range c.pages[page] {
			if n := len(out); n > 0 && out[n-1][1] == s.lo {
				out[n-1][1] = s.hi // goes on across the end of a page
			} else {
				out = append(out, [2]int64{s.lo, s.hi})
			}
		}
	}
	return out
}

type span struct{ lo, hi int64 }

// Count wraps a Blob.
func Count(b Blob) *Counted { return &Counted{Blob: b, pages: map[int64][]span{}} }

// ReadAt reads and counts.
func (c *Counted) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.Blob.ReadAt(p, off)
	if n > 0 {
		c.add(off, off+int64(n))
	}
	return n, err
}

// Fetches tells whether Fetch does anything.
func (c *Counted) Fetches() bool {
	_, ok := c.Blob.(tensor.Fetcher)
	return ok
}

// Fetch passes on what will be read next, where that helps.
func (c *Counted) Fetch(ctx context.Context, spans []tensor.Span) error {
	if f, ok := c.Blob.(tensor.Fetcher); ok {
		return f.Fetch(ctx, spans)
	}
	return nil
}

// BytesRead is how many bytes were read at least once.
func (c *Counted) BytesRead() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

// add counts a range, page by page.
func (c *Counted) add(lo, hi int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for lo < hi {
		page := lo / pageBytes
		end := min(hi, (page+1)*pageBytes)
		c.pages[page] = c.merge(c.pages[page], lo, end)
		lo = end
	}
}

// merge puts a range into the spans of its page.
func (c *Counted) merge(spans []span, lo, hi int64) []span {
	// The first span that ends at or behind lo, and the first that begins behind hi.
	i, _ := slices.BinarySearchFunc(spans, lo, func(s span, v int64) int { return order(s.hi, v) })
	j := i
	for j < len(spans) && spans[j].lo <= hi {
		lo, hi = min(lo, spans[j].lo), max(hi, spans[j].hi)
		c.bytes -= spans[j].hi - spans[j].lo
		j++
	}
	c.bytes += hi - lo
	return slices.Replace(spans, i, j, span{lo, hi})
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
