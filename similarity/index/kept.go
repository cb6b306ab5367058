package index

import (
	"slices"
	"sync/atomic"
)

// keptBlocks holds keys and records of whole blocks in memory, for who searches often.
// Nothing is kept by nil.
type keptBlocks struct {
	room  atomic.Int64 // bytes that may still be taken
	keys  []atomic.Pointer[block]
	bytes []atomic.Pointer[[]byte] // of records
}

// Keep lets the index hold in memory what searches read, up to so many bytes: the keys,
// then records. It also remembers which records were whole: a service reads and verifies
// them once. It is called before the first search.
func (x *Index) Keep(bytes int64) {
	n := x.count / blockSize
	x.kept = &keptBlocks{keys: make([]atomic.Pointer[block], n), bytes: make([]atomic.Pointer[[]byte], n)}
	x.kept.room.Store(bytes)
	x.seen = make([]atomic.Uint32, x.count)
}

// take tells whether there is room, and takes it.
func (s *keptBlocks) take(bytes int64) bool {
	if s.room.Add(-bytes) >= 0 {
		return true
	}
	s.room.Add(bytes)
	return false
}

// block gives the keys of a block, nil where they are not kept.
func (s *keptBlocks) block(k int64) *block {
	if s == nil || k >= int64(len(s.keys)) {
		return nil
	}
	return s.keys[k].Load()
}

// put keeps a copy of the keys of a block, if there is room.
func (s *keptBlocks) put(k int64, b *block) {
	const size = blockSize * keyBytes
	if s == nil || k >= int64(len(s.keys)) || !s.take(size) {
		return
	}
	own := &block{n: b.n}
	if b.side != nil {
		side := *b.side
		own.side = &side
	} else {
		own.rows = slices.Clone(b.rows)
	}
	if !s.keys[k].CompareAndSwap(nil, own) {
		s.room.Add(size)
	}
}

const recordsBytes = blockSize * recordBytes

// records gives those of a block, nil where they are not kept.
func (s *keptBlocks) records(k int64) []byte {
	if s == nil || k >= int64(len(s.bytes)) {
		return nil
	}
	if b := s.bytes[k].Load(); b != nil {
		return *b
	}
	return nil
}

// roomForRecords takes room for the records of a block, nil if there is none.
func (s *keptBlocks) roomForRecords(k int64) []byte {
	if s == nil || k >= int64(len(s.bytes)) || !s.take(recordsBytes) {
		return nil
	}
	return make([]byte, recordsBytes)
}

func (s *keptBlocks) putRecords(k int64, b []byte) {
	if !s.bytes[k].CompareAndSwap(nil, &b) {
		s.room.Add(recordsBytes)
	}
}
