package fingerprint

import (
	"context"
	"sync"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Streamed takes the value digest of a tensor whose values somebody reads for a
// purpose of his own, so that they need not be read again.
type Streamed struct {
	layout
	h    *hasher   // nil when all values have been there
	leaf []float32 // of the leaf that is not complete
	tree Tree
	done int64 // values
}

// NewStreamed begins a digest. It is nil for types whose values float32 may not
// hold, which only their stored bytes tell.
func NewStreamed(t *tensor.Tensor) *Streamed {
	if isWide(t.DType) || t.DType == tensor.Opaque {
		return nil
	}
	return &Streamed{layout: layoutOf(t), h: hashers.Get().(*hasher)}
}

// hashers keeps those of digests that are complete: a mixture has 140,000 tensors, and
// a hasher takes as much memory as one of them.
var hashers = sync.Pool{New: func() any { return newHasher(defaultChunk) }}

// Add takes the next values in stored order, however many.
func (s *Streamed) Add(values []float32) {
	for len(values) > 0 {
		left := min(s.size, s.total-s.done) - int64(len(s.leaf))
		if left <= 0 {
			return // there are no more in the tensor
		}
		if len(s.leaf) == 0 && int64(len(values)) >= left {
			s.close(values[:left])
			values = values[left:]
			continue
		}
		n := min(left, int64(len(values)))
		s.leaf = append(s.leaf, values[:n]...)
		values = values[n:]
		if n == left {
			s.close(s.leaf)
			s.leaf = s.leaf[:0]
		}
	}
}

// close adds a leaf.
func (s *Streamed) close(leaf []float32) {
	d, _ := s.h.plain(leaf)
	s.tree.Add(d)
	if s.done += int64(len(leaf)); s.done == s.total {
		hashers.Put(s.h)
		s.h = nil
	}
}

// Digest is what Values gives; ok is false while values are missing.
func (s *Streamed) Digest() (d Digest, ok bool) {
	return tensorDigest(s.t.Shape, s.tree.Root()), s.done == s.total
}

// RootWith is Root where the value digests of some tensors are known already.
func RootWith(ctx context.Context, m tensor.Model, known map[*tensor.Tensor]*Digest) (Digest, error) {
	all := make([]Digest, 0, len(m.Tensors()))
	var unknown []*tensor.Tensor
	for _, t := range byName(m) {
		if d, ok := known[t]; ok {
			all = append(all, *d)
		} else {
			unknown = append(unknown, t)
		}
	}
	err := newPass(&Options{}).run(ctx, unknown, func(w *whole) error {
		all = append(all, w.digest())
		return nil
	})
	if err != nil {
		return Digest{}, err
	}
	return rootOf(all, purposeBare), nil
}
