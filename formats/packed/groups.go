package packed

import (
	"context"
	"sync"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// groups says which columns share a scale: runs of size columns, or as an
// index tensor says (act-order of GPTQ).
type groups struct {
	size  int64
	count int64
	index *index // nil where runs are in order
}

// index is the group of each column. It is read when first needed.
type index struct {
	t     part
	count int64 // groups

	mu sync.Mutex
	of []int32
}

// read reads the index and requires that every group exists.
func (x *index) read(ctx context.Context) ([]int32, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.of != nil {
		return x.of, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	raw := make([]byte, x.t.s.Bytes)
	if err := x.t.s.ReadLittle(raw, 0); err != nil {
		return nil, err
	}
	of := make([]int32, len(raw)/4)
	for c := range of {
		of[c] = int32(word(raw, c))
		if of[c] < 0 || int64(of[c]) >= x.count {
			return nil, tensor.Errorf(tensor.ErrFormat, x.t.s.File, x.t.s.Offset+4*int64(c), "tensor "+escape.Printable(x.t.Name),
				"column %d is in group %d, but there are scales for %d groups", c, of[c], x.count)
		}
	}
	x.of = of
	return of, nil
}

// span is the groups that a box needs.
type span struct {
	g0, g1 int64
	size   int64
	index  []int32
}

// within finds the groups of a box's columns.
func (g groups) within(ctx context.Context, b box) (span, error) {
	if g.index == nil {
		return span{b.c0 / g.size, (b.c1-1)/g.size + 1, g.size, nil}, nil
	}
	of, err := g.index.read(ctx)
	if err != nil {
		return span{}, err
	}
	s := span{int64(of[b.c0]), int64(of[b.c0]) + 1, 0, of}
	for _, x := range of[b.c0:b.c1] {
		s.g0, s.g1 = min(s.g0, int64(x)), max(s.g1, int64(x)+1)
	}
	return s, nil
}

// run returns the group of column c and where the columns beside it in the
// same group end, at most end.
func (s span) run(c, end int64) (group, to int64) {
	if s.index == nil {
		group = c / s.size
		return group, min(end, (group+1)*s.size)
	}
	x := s.index[c]
	for to = c + 1; to < end && s.index[to] == x; to++ {
	}
	return int64(x), to
}
