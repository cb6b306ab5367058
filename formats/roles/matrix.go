package roles

import (
	"context"
	"fmt"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Matrix is a 2-D view of a stored tensor or of a part of it. Rows are
// outputs and columns inputs, as in y = W·x, whatever the stored order.
type Matrix struct {
	Role   string         // such as "layers.3.mlp.gate"
	Tensor *tensor.Tensor // what is read
	Rows   int
	Cols   int
	Gain   *Vector // gain of the norm whose output this matrix reads; nil if none
	Bias   *Vector // bias added to the outputs; nil if none

	// ReadsCentred and WritesCentred tell that the vectors that it reads, and those that it
	// writes, lie in a residual stream of which every norm takes the mean away (LayerNorm).
	// What is added to all values of a row, or of a column, changes nothing that is computed.
	ReadsCentred, WritesCentred bool

	layout *layout // how the view lies in the tensor; nil where row r is its r-th run of Cols values
}

// newMatrix views the whole tensor: the first dimension as rows, all others
// as columns.
func newMatrix(role string, t *tensor.Tensor) *Matrix {
	rows, cols := firstDim(t)
	return &Matrix{Role: role, Tensor: t, Rows: rows, Cols: cols}
}

// firstDim splits the shape after the first dimension.
func firstDim(t *tensor.Tensor) (rows, cols int) {
	if len(t.Shape) == 0 || t.Shape[0] == 0 {
		return 0, 0
	}
	return int(t.Shape[0]), int(t.Len() / t.Shape[0])
}

// slice views rows [first, first+n) of m.
func (m *Matrix) slice(role string, first, n int) *Matrix {
	s := m.viewed(func(l *layout) { l.start += int64(first) })
	s.Role, s.Rows = role, n
	return s
}

// runs views rows that lie in runs of length run, stride rows apart, the
// first run beginning at row first.
func (m *Matrix) runs(role string, first, run, stride, rows int) *Matrix {
	s := m.viewed(func(l *layout) { l.start, l.runLen, l.runStride = l.start+int64(first), int64(run), int64(stride) })
	s.Role, s.Rows = role, rows
	return s
}

// transpose swaps rows and columns of a whole 2-D tensor's view.
func (m *Matrix) transpose() *Matrix {
	t := m.viewed(func(l *layout) { l.transposed = !l.transposed })
	t.Rows, t.Cols = m.Cols, m.Rows
	return t
}

// blocks views n stored blocks of inputs × outputs as one matrix whose rows
// are the outputs of the first block, then those of the next.
func (m *Matrix) blocks(role string, n, inputs, outputs int) *Matrix {
	return &Matrix{Role: role, Tensor: m.Tensor, Rows: n * outputs, Cols: inputs, layout: &layout{stride: int64(outputs), transposed: true, block: outputs}}
}

// Reordered returns the view whose row r is row order[r] of m.
func (m *Matrix) Reordered(order []int) *Matrix {
	return m.viewed(func(l *layout) { l.order = composed(l.order, order) })
}

// composed is an order of what stands in another order already.
func composed(first, then []int) []int {
	if first == nil {
		return then
	}
	out := make([]int, len(then))
	for r, p := range then {
		out[r] = first[p]
	}
	return out
}

// Turned is the view of the same values with rows and columns exchanged, for a
// matrix of unknown role that may be stored the other way round; nil where that
// is no matrix stored in one piece, or has a bias as long as its rows. Reading rows of one of the two views costs reading the
// whole.
func (m *Matrix) Turned() *Matrix {
	if len(m.Tensor.Shape) != 2 || m.Bias != nil && m.Rows != m.Cols || !m.lies().inOnePiece() || m.lies().transposed && !m.lies().supposed {
		return nil
	}
	return m.transpose()
}

// InMemory is a matrix of other values and another shape, under the same role and name.
func (m *Matrix) InMemory(values []float32, shape []int64) *Matrix {
	return newMatrix(m.Role, &tensor.Tensor{Name: m.Tensor.Name, DType: tensor.F32, Shape: shape, Data: tensor.Values(values)})
}

// Flat tells whether the matrix is a run of values cut into rows, without units.
func (m *Matrix) Flat() bool { return m.lies().flat }

// Transposed tells whether a row does not lie in the file as it is viewed: reading it may
// cost reading the whole tensor.
func (m *Matrix) Transposed() bool { return m.lies().transposed || m.lies().inputs > 1 }

// stored returns the stored row (or column, when transposed) of view row r.
func (m *Matrix) stored(r int) int64 { return m.lies().stored(r) }

// Cost is how many stored bytes gathering n rows reads.
func (m *Matrix) Cost(n int) int64 {
	total := m.Tensor.StoredBytes()
	values := m.Tensor.Len()
	if values == 0 {
		return 0
	}
	if m.lies().transposed {
		return int64(float64(total) * float64(m.Rows) / float64(values) * float64(m.Cols))
	}
	return int64(float64(total) / float64(values) * float64(n) * float64(m.Cols))
}

// Gather decodes the given rows, in that order, into dst of
// len(rows)·Cols values. Neighbouring stored rows are read together.
func (m *Matrix) Gather(ctx context.Context, dst []float32, rows []int) error {
	if len(dst) != len(rows)*m.Cols {
		return fmt.Errorf("roles: gathering %d rows of %d into %d values", len(rows), m.Cols, len(dst))
	}
	lies := m.lies()
	switch {
	case lies.inputs > 0:
		stored := m.viewed(func(l *layout) { l.inputs = 0 })
		if err := stored.Gather(ctx, dst, rows); err != nil {
			return err
		}
		m.inputsFirst(dst)
		return nil
	case lies.block > 0:
		return m.gatherBlocks(ctx, dst, rows)
	case lies.transposed:
		return m.gatherColumns(ctx, dst, rows)
	}
	together := int(max(1, tensor.FetchBytes/max(1, m.Cost(1))))
	for i := 0; i < len(rows); i += together {
		n := min(together, len(rows)-i)
		if err := m.gatherRows(ctx, dst[i*m.Cols:(i+n)*m.Cols], rows[i:i+n]); err != nil {
			return err
		}
	}
	return nil
}

// Want is what gathering rows will read; nothing for transposed views, whose
// rows lie everywhere.
func (m *Matrix) Want(rows []int) tensor.Want {
	w := tensor.Want{Data: m.Tensor.Data}
	if m.lies().transposed {
		return w
	}
	for _, r := range rows {
		at := m.StoredAt(r)
		w.Values = append(w.Values, tensor.Span{Lo: at, Hi: at + int64(m.Cols)})
	}
	return w
}

// Want is what reading the vector will read.
func (v *Vector) Want() tensor.Want {
	lo, n := v.span()
	return tensor.Want{Data: v.Tensor.Data, Values: []tensor.Span{{Lo: lo, Hi: lo + n}}}
}

// gatherRows announces all the rows, so that a remote reader can ask for them
// at once, and reads them.
func (m *Matrix) gatherRows(ctx context.Context, dst []float32, rows []int) error {
	spans := m.Want(rows).Values
	if err := tensor.Fetch(ctx, m.Tensor.Data, spans); err != nil {
		return err
	}
	for i := 0; i < len(rows); {
		n := 1
		for i+n < len(rows) && m.stored(rows[i+n]) == m.stored(rows[i])+int64(n) {
			n++
		}
		if err := m.Tensor.Data.ReadValues(ctx, dst[i*m.Cols:(i+n)*m.Cols], spans[i].Lo); err != nil {
			return err
		}
		i += n
	}
	return nil
}

// gatherBlocks serves a view of transposed blocks, block by block.
func (m *Matrix) gatherBlocks(ctx context.Context, dst []float32, rows []int) error {
	l := m.lies()
	for i := 0; i < len(rows); {
		block := m.stored(rows[i]) / int64(l.block)
		n := 1
		for i+n < len(rows) && m.stored(rows[i+n])/int64(l.block) == block {
			n++
		}
		one := &Matrix{Tensor: m.Tensor, Rows: l.block, Cols: m.Cols, layout: &layout{stride: l.stride, base: l.base + block*l.stride*int64(m.Cols), transposed: true}}
		within := make([]int, n)
		for k := range within {
			within[k] = int(m.stored(rows[i+k]) % int64(l.block))
		}
		if err := one.gatherColumns(ctx, dst[i*m.Cols:(i+n)*m.Cols], within); err != nil {
			return err
		}
		i += n
	}
	return nil
}

// gatherColumns serves a transposed view: it streams the tensor once and
// picks the wanted columns out of each stored row.
func (m *Matrix) gatherColumns(ctx context.Context, dst []float32, rows []int) error {
	base, stride := m.lies().base, m.stride()
	const chunkValues = 1 << 16
	per := min(int(max(1, chunkValues/max(1, stride))), max(1, m.Cols)) // no more, so that ahead fits 32 bits
	buf := make([]float32, int64(min(per, m.Cols))*stride)
	ahead := max(1, tensor.FetchBytes/4/max(1, len(buf))) * per
	for c := 0; c < m.Cols; c += per {
		n := min(per, m.Cols-c)
		part := buf[:int64(n)*stride]
		if c%ahead == 0 {
			next := tensor.Span{Lo: base + int64(c)*stride, Hi: base + int64(min(c+ahead, m.Cols))*stride}
			if err := tensor.Fetch(ctx, m.Tensor.Data, []tensor.Span{next}); err != nil {
				return err
			}
		}
		if err := m.Tensor.Data.ReadValues(ctx, part, base+int64(c)*stride); err != nil {
			return err
		}
		for i, r := range rows {
			at := m.stored(r)
			for k := range n {
				dst[i*m.Cols+c+k] = part[int64(k)*stride+at]
			}
		}
	}
	return nil
}

// All returns the row numbers 0 … Rows-1.
func (m *Matrix) All() []int {
	rows := make([]int, m.Rows)
	for r := range rows {
		rows[r] = r
	}
	return rows
}

// StoredAt is the number of the tensor's value at which row r begins. It has
// no meaning for transposed views.
func (m *Matrix) StoredAt(r int) int64 { return m.lies().base + m.stored(r)*m.stride() }

// Place is where row r lies: the number of the tensor's value at which it
// begins, and how far apart its values are.
func (m *Matrix) Place(r int) (first, step int64) {
	if l := m.lies(); l.transposed {
		return l.base + l.stored(r), l.stride
	}
	return m.StoredAt(r), 1
}
