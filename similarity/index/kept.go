package index

import (
	"slices"
	"sync/atomic"
)

// keptKeys holds the keys of whole blocks in memory, for who searches often.
type keptKeys struct {
	room   atomic.Int64 // bytes that may still be taken
	blocks []atomic.Pointer[block]
}

// Keep lets the index hold keys in memory that searches read, up to so many bytes, and
// remember which records were whole: a service reads and verifies them once. It is
// called before the first search.
func (x *Index) Keep(bytes int64) {
	x.kept = &keptKeys{blocks: make([]atomic.Pointer[block], x.count/blockSize)}
	x.kept.room.Store(bytes)
	x.seen = make([]atomic.Uint32, x.count)
}

func (s *keptKeys) get(k int64) *block {
	if k >= int64(len(s.blocks)) {
		return nil
	}
	return s.blocks[k].Load()
}

// put keeps a copy of a block, if there is room.
func (s *keptKeys) put(k int64, b *block) {
	const size = blockSize * keyBytes
	if s.room.Add(-size) < 0 {
		s.room.Add(size)
		return
	}
	own := &block{n: b.n}
	if b.side != nil {
		side := *b.side
		own.side = &side
	} else {
		own.rows = slices.Clone(b.rows)
	}
	if !s.blocks[k].CompareAndSwap(nil, own) {
		s.room.Add(size)
	}
}
