package source

import (
	"cmp"
	"container/list"
	"slices"
	"sync"

	"github.com/weightprint/weightprint/formats/tensor"
)

// cache keeps what was fetched of the files of one checkpoint, up to a number
// of bytes; what was not used for the longest time goes first. It keeps the
// runs of bytes that were asked for, not blocks of a fixed size: tests read
// single rows far apart, and whole blocks around them would multiply what is
// transferred.
type cache struct {
	mu   sync.Mutex
	most int64
	held int64
	used *list.List // of *segment, most recently used first

	spare int64 // bytes that may still be fetched because they lie in small files
}

// spareBytes is how much may be fetched of all small files of a checkpoint because the
// second request takes them whole, so that a budget is exceeded by no more.
const spareBytes = 1 << 20

func newCache(most int64) *cache { return &cache{most: most, used: list.New(), spare: spareBytes} }

// segment is a run of bytes of a file that lies in the cache.
type segment struct {
	of   *segments
	lo   int64
	data []byte
	elem *list.Element
}

func (s *segment) hi() int64 { return s.lo + int64(len(s.data)) }

// segments are the cached runs of one file, ascending and disjoint. The cache's
// lock guards them.
type segments struct {
	cache *cache
	list  []*segment
}

// from is the first segment that ends behind a place.
func (s *segments) from(lo int64) int {
	i, _ := slices.BinarySearchFunc(s.list, lo+1, func(x *segment, at int64) int { return cmp.Compare(x.hi(), at) })
	return i
}

// lookup returns what the cache holds of a run, and the gaps. The caller holds
// the lock.
func (s *segments) lookup(want tensor.Span) (have []part, gaps []tensor.Span) {
	at := want.Lo
	for i := s.from(want.Lo); i < len(s.list) && s.list[i].lo < want.Hi; i++ {
		x := s.list[i]
		if x.lo > at {
			gaps = append(gaps, tensor.Span{Lo: at, Hi: x.lo})
		}
		have = append(have, part{x.lo, x.data})
		s.cache.used.MoveToFront(x.elem)
		at = x.hi()
	}
	if at < want.Hi {
		gaps = append(gaps, tensor.Span{Lo: at, Hi: want.Hi})
	}
	return have, gaps
}

// insert adds the bytes of a run that the cache does not hold yet. The caller
// holds the lock.
func (s *segments) insert(lo int64, data []byte) {
	_, gaps := s.lookup(tensor.Span{Lo: lo, Hi: lo + int64(len(data))})
	for _, g := range gaps {
		x := &segment{of: s, lo: g.Lo, data: data[g.Lo-lo : g.Hi-lo]}
		x.elem = s.cache.used.PushFront(x)
		s.list = slices.Insert(s.list, s.from(g.Lo), x)
		s.cache.held += int64(len(x.data))
	}
	s.cache.shrink()
}

// shrink drops segments until the rest fits.
func (c *cache) shrink() {
	for c.held > c.most {
		x := c.used.Back().Value.(*segment)
		x.drop()
	}
}

func (x *segment) drop() {
	x.of.cache.used.Remove(x.elem)
	x.of.cache.held -= int64(len(x.data))
	i := x.of.from(x.lo)
	x.of.list = slices.Delete(x.of.list, i, i+1)
}

// clear drops everything of one file.
func (s *segments) clear() {
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	for len(s.list) > 0 {
		s.list[len(s.list)-1].drop()
	}
}

// part is a piece of a file in memory. Its bytes do not change.
type part struct {
	lo   int64
	data []byte
}

// copyTo fills what p, which begins at off, has in common with the part.
func (x part) copyTo(p []byte, off int64) {
	if from := off - x.lo; from >= 0 && from < int64(len(x.data)) {
		copy(p, x.data[from:])
	} else if from < 0 && -from < int64(len(p)) {
		copy(p[-from:], x.data)
	}
}
