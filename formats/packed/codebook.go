package packed

import (
	"context"
	"slices"
	"sync"

	"github.com/weightprint/weightprint/formats/tensor"
)

// maxBook bounds the numbers of a module's codebooks: the largest published ones, of
// 65,536 entries of 8 numbers for each of two books, have 2²⁰.
const maxBook = 1 << 22

// shelved bounds the numbers of all codebooks that a model keeps in memory.
const shelved = 1 << 23

// shelf keeps the codebooks that were used last, so that reading row by row does not
// read them again for each row, and reading a whole model does not keep them all.
type shelf struct {
	mu    sync.Mutex
	kept  []bound // last used last
	total int
}

// bound is a codebook as numbers.
type bound struct {
	of     *tensor.Tensor
	values []float32
}

// read returns the numbers of a codebook, which callers do not change.
func (s *shelf) read(ctx context.Context, p part) ([]float32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := slices.IndexFunc(s.kept, func(b bound) bool { return b.of == p.Tensor }); at >= 0 {
		b := s.kept[at]
		s.kept = append(slices.Delete(s.kept, at, at+1), b)
		return b.values, nil
	}
	values := make([]float32, p.Len())
	if err := p.Data.ReadValues(ctx, values, 0); err != nil {
		return nil, err
	}
	s.kept = append(s.kept, bound{p.Tensor, values})
	for s.total += len(values); s.total > shelved; s.kept = s.kept[1:] {
		s.total -= len(s.kept[0].values)
	}
	return values, nil
}

// codebook fetches a part that is one.
func (m *module) codebook(ending string, rank int) part {
	p := m.part(ending, rank, scaleTypes...)
	m.require(p.Len() <= maxBook, ending, "%d numbers in a codebook, at most %d", p.Len(), maxBook)
	return p
}

// coded is a matrix whose codes stand for several values each, entries of codebooks,
// so that its values lie on no lattice.
type coded struct {
	what       string
	rows, cols int64
	band       int64 // rows that share codes
	stored     int64
	bands
}

// bands decodes boxes that lie within a band, or are a part of one row.
type bands interface {
	decode(ctx context.Context, dst []float32, b box) error
}

// codedColumns bounds the columns of a box, and so the memory of decoding it.
const codedColumns = 1 << 16

// String describes the packing.
func (x *coded) String() string { return x.what }

// StoredBytes counts all tensors that the matrix is made of.
func (x *coded) StoredBytes() int64 { return x.stored }

// OutputsFirst says that rows are outputs, whatever the name stands for elsewhere.
func (x *coded) OutputsFirst() bool { return true }

// ReadValues decodes the values [first, first+len(dst)).
func (x *coded) ReadValues(ctx context.Context, dst []float32, first int64) error {
	for len(dst) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := x.box(first, int64(len(dst)))
		n := b.n * (b.c1 - b.c0)
		if err := x.decode(ctx, dst[:n], b); err != nil {
			return err
		}
		dst, first = dst[n:], first+n
	}
	return nil
}

// box is the next part of a range.
func (x *coded) box(first, n int64) box {
	r, c := first/x.cols, first%x.cols
	if c == 0 && n >= x.cols && x.cols <= codedColumns {
		return box{r, min(n/x.cols, x.band-r%x.band), 0, x.cols}
	}
	return box{r, 1, c, min(x.cols, c+min(n, codedColumns))}
}

// coded makes the logical tensor of a module, counting the bytes of all its parts.
func (m *module) coded(x *coded) *tensor.Tensor {
	if m.err != nil {
		return nil
	}
	x.stored = m.bytes()
	return &tensor.Tensor{Name: m.stem + ".weight", DType: tensor.Named("VQ"), Shape: []int64{x.rows, x.cols}, Data: x}
}

// bytes is what the parts in use take.
func (m *module) bytes() (n int64) {
	for e := range m.used {
		if p := m.parts[e]; p != nil {
			n += p.StoredBytes()
		}
	}
	return n
}
