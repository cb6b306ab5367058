package packed

import (
	"context"
	"sync"

	"github.com/weightprint/weightprint/formats/tensor"
)

// matrix reads logical values out of codes, scales and zero-points. Rows and
// columns are those of the packing; the tensor's shape may divide the same
// values otherwise.
type matrix struct {
	what       string // the packing in words
	rows, cols int64
	codes      codes
	book       *book
	scale      grid
	zero       grid // value = (code − zero)·scale; nil if none
	bias       grid // value = code·scale + bias; nil if none
	groups     groups
	post       float32 // a last factor: value = (code·scale)·post; 0 for none
	slack      float32 // relative error that storing the scales may have made
	stored     int64
}

// box is a part of a matrix: rows [r, r+n) and columns [c0, c1).
type box struct{ r, n, c0, c1 int64 }

// codes unpacks the stored codes.
type codes interface {
	// load reads what the box needs into s.raw.
	load(ctx context.Context, s *scratch, b box) error
	// row unpacks row i of the loaded box.
	row(dst []uint8, s *scratch, b box, i int64)
}

// grid gives one number for each row and group of columns.
type grid interface {
	// load fills dst, row by row, with the numbers of the box's rows and of
	// groups [g0, g1).
	load(ctx context.Context, dst []float32, b box, g0, g1 int64) error
}

// atOnce bounds the values that one step decodes, and so its memory.
const atOnce = 1 << 18

// scratch is the memory of one reading.
type scratch struct {
	raw     []byte
	codes   []uint8
	numbers [3][]float32 // scales, zero-points, biases
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// grown returns s with length n, its contents undefined.
func grown[T any](s []T, n int64) []T {
	if int64(cap(s)) < n {
		return make([]T, n)
	}
	return s[:n]
}

// String describes the packing.
func (m *matrix) String() string { return m.what }

// StoredBytes counts all tensors that the matrix is made of.
func (m *matrix) StoredBytes() int64 { return m.stored }

// OutputsFirst says that rows are outputs, also where the same name stands
// for a transposed tensor when it is not packed.
func (m *matrix) OutputsFirst() bool { return true }

// ReadValues decodes the values [first, first+len(dst)).
func (m *matrix) ReadValues(ctx context.Context, dst []float32, first int64) error {
	return m.read(ctx, dst, first, m.values)
}

// ReadSteps gives the lattice step at the values [first, first+len(dst)).
func (m *matrix) ReadSteps(ctx context.Context, dst []float32, first int64) error {
	return m.read(ctx, dst, first, m.steps)
}

// numbers are those of one group.
type numbers struct{ scale, zero, bias float32 }

// fill writes what is asked of a run of values of one group.
type fill func(dst []float32, codes []uint8, n numbers)

// read walks through a range of values, box by box.
func (m *matrix) read(ctx context.Context, dst []float32, first int64, f fill) error {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	for len(dst) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := m.box(first, int64(len(dst)))
		n := b.n * (b.c1 - b.c0)
		if err := m.decode(ctx, s, dst[:n], b, f); err != nil {
			return err
		}
		dst, first = dst[n:], first+n
	}
	return nil
}

// box is the next part of a range: whole rows where they fit, else a part of
// one row.
func (m *matrix) box(first, n int64) box {
	r, c := first/m.cols, first%m.cols
	n = min(n, atOnce)
	if c == 0 && n >= m.cols {
		return box{r, n / m.cols, 0, m.cols}
	}
	return box{r, 1, c, min(m.cols, c+n)}
}

// decode fills dst with the box.
func (m *matrix) decode(ctx context.Context, s *scratch, dst []float32, b box, f fill) error {
	if err := m.codes.load(ctx, s, b); err != nil {
		return err
	}
	g, err := m.groups.within(ctx, b)
	if err != nil {
		return err
	}
	per := g.g1 - g.g0
	for i, x := range []grid{m.scale, m.zero, m.bias} {
		if x == nil {
			continue
		}
		s.numbers[i] = grown(s.numbers[i], b.n*per)
		if err := x.load(ctx, s.numbers[i], b, g.g0, g.g1); err != nil {
			return err
		}
	}
	w := b.c1 - b.c0
	s.codes = grown(s.codes, w)
	for i := range b.n {
		m.codes.row(s.codes, s, b, i)
		m.row(dst[i*w:(i+1)*w], s, b, g, i*per, f)
	}
	return nil
}

// row fills one row, run by run of columns in one group; at is where the
// row's numbers begin.
func (m *matrix) row(dst []float32, s *scratch, b box, g span, at int64, f fill) {
	for c := b.c0; c < b.c1; {
		group, end := g.run(c, b.c1)
		i := at + group - g.g0
		n := numbers{scale: s.numbers[0][i]}
		if m.zero != nil {
			n.zero = s.numbers[1][i]
		}
		if m.bias != nil {
			n.bias = s.numbers[2][i]
		}
		f(dst[c-b.c0:end-b.c0], s.codes[c-b.c0:end-b.c0], n)
		c = end
	}
}

// values decodes. Each product is rounded before it is added, so no processor
// fuses the two.
func (m *matrix) values(dst []float32, codes []uint8, n numbers) {
	t := &m.book.value
	switch {
	case m.zero != nil:
		for i, c := range codes {
			dst[i] = (t[c] - n.zero) * n.scale
		}
	case m.bias != nil:
		for i, c := range codes {
			dst[i] = float32(t[c]*n.scale) + n.bias
		}
	case m.post != 0:
		for i, c := range codes {
			dst[i] = float32(t[c]*n.scale) * m.post
		}
	default:
		for i, c := range codes {
			dst[i] = t[c] * n.scale
		}
	}
}

// steps gives the lattice steps.
func (m *matrix) steps(dst []float32, codes []uint8, n numbers) {
	h := n.scale
	if m.post != 0 {
		h *= m.post
	}
	h = max(h, -h)
	bias := max(n.bias, -n.bias)
	for i, c := range codes {
		size := m.book.value[c] - n.zero
		size = float32(max(size, -size)*h) + bias
		dst[i] = float32(m.book.gap[c]*h) + float32(2*m.slack*size)
	}
}

// logical makes a tensor of the matrix.
func (m *matrix) logical(name string, t tensor.DType, shape ...int64) *tensor.Tensor {
	return &tensor.Tensor{Name: name, DType: t, Shape: shape, Data: m}
}
