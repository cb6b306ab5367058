package faithful

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/quant"
)

// valuesAtOnce bounds the values of each side that a worker holds.
const valuesAtOnce = 1 << 17

// sampledRows are the rows that tell which rule a tensor was made by.
const sampledRows = 24

// majority is the share of the sampled blocks that a rule must give byte for byte
// for the tensor to be held against it: a tensor is quantised in one call, with
// one importance or none.
const majority = 0.5

// Judge judges a pair.
func Judge(ctx context.Context, p Pair, o Options) (*Tensor, error) {
	if o.Named == 0 {
		o.Named = 20
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	q := p.Quantised
	t := &Tensor{Type: q.Tensor.DType.String(), Rows: q.Rows, Cols: q.Cols, Mode: None}
	if p.Source.Rows != q.Rows || p.Source.Cols != q.Cols {
		return t.open(1, fmt.Sprintf("the source has %d × %d values", p.Source.Rows, p.Source.Cols)), nil
	}
	if _, cells := tensor.CellsOf(q.Tensor.Data); cells && q.Transposed() {
		return t, across(ctx, p, t, o)
	}
	w, err := newWalk(ctx, p, t)
	if err != nil || w == nil {
		return t, err
	}
	err = w.all(ctx, o)
	if err == nil && w.again != nil && w.again(t) {
		err = w.all(ctx, o)
	}
	w.end(t)
	return t, err
}

// open leaves n blocks open.
func (t *Tensor) open(n int64, why string) *Tensor {
	t.Blocks[Open] += n
	t.Why = why
	return t
}

// walk reads a pair row by row.
type walk struct {
	p    Pair
	out  *Tensor
	rows func(ctx context.Context, t *Tensor, first int, x []float32, o Options) error
	// again tells whether all rows contradict what a sample of them said, and the walk
	// has to be taken once more; nil where no sample decides.
	again func(t *Tensor) bool
	end   func(t *Tensor) // settles what all rows decide together
}

// newWalk chooses how the rows of a pair are judged; nil leaves the pair as it is.
func newWalk(ctx context.Context, p Pair, t *Tensor) (*walk, error) {
	dt := p.Quantised.Tensor.DType
	_, plain := tensor.StoredOf(p.Quantised.Tensor.Data)
	_, cells := tensor.CellsOf(p.Quantised.Tensor.Data)
	switch _, known := rules[t.Type]; {
	case cells:
		return newCells(ctx, p, t)
	case dt.Kind() == tensor.KindFloat && dt != tensor.F8E8M0:
		return newCast(ctx, p, t)
	case plain && known && !p.Quantised.Transposed():
		return newBlocks(ctx, p, t)
	case known:
		t.open(1, "the blocks run across the rows of the source")
	default:
		t.open(1, "no rule is known for the type "+t.Type)
	}
	return nil, nil
}

// all judges every row. Batches of rows are judged side by side and added up in
// whatever order: what is kept depends on places alone.
func (w *walk) all(ctx context.Context, o Options) error {
	per := max(1, valuesAtOnce/max(1, w.p.Source.Cols))
	if w.p.Source.Transposed() {
		per = max(per, min(w.p.Source.Rows, 1<<24/max(1, w.p.Source.Cols))) // each gather reads the whole tensor
	}
	batches := (w.p.Source.Rows + per - 1) / per
	var mu sync.Mutex
	var wg sync.WaitGroup
	var failed error
	next := 0
	for range min(o.Workers, batches) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				mu.Lock()
				first := next * per
				if next++; first >= w.p.Source.Rows || failed != nil {
					mu.Unlock()
					return
				}
				mu.Unlock()
				found, err := w.batch(ctx, first, min(per, w.p.Source.Rows-first), o)
				mu.Lock()
				if err != nil && failed == nil {
					failed = err
				}
				w.out.merge(found, o.Named)
				mu.Unlock()
			}
		}()
	}
	wg.Wait()
	return failed
}

// batch judges some rows.
func (w *walk) batch(ctx context.Context, first, n int, o Options) (*Tensor, error) {
	found := &Tensor{}
	x := make([]float32, n*w.p.Source.Cols)
	rows := make([]int, n)
	for i := range rows {
		rows[i] = first + i
	}
	if err := w.p.Source.Gather(ctx, x, rows); err != nil {
		return found, err
	}
	return found, w.rows(ctx, found, first, x, o)
}

// newBlocks serves block types that one tensor holds.
func newBlocks(ctx context.Context, p Pair, t *Tensor) (*walk, error) {
	codec, _ := p.Quantised.Tensor.DType.Codec()
	if p.Quantised.Cols%codec.BlockValues != 0 {
		t.open(1, "the rows are no whole blocks")
		return nil, nil
	}
	j := &judge{name: t.Type, codec: codec, write: quant.Requantisers[t.Type], rule: rules[t.Type], importance: p.importance}
	if err := j.choose(ctx, p, t); err != nil {
		return nil, err
	}
	if err := j.shareImportance(ctx, p, t); err != nil {
		return nil, err
	}
	t.Mode = j.mode
	return &walk{p: p, out: t, again: j.unsampled, end: (*Tensor).settle, rows: func(_ context.Context, out *Tensor, first int, x []float32, o Options) error {
		cols, size := p.Source.Cols, j.bytesOf(p.Source.Cols)
		return p.runs(first, len(x)/cols, func(row, n int) error {
			raw := make([]byte, n*size)
			if err := p.raw(raw, row, codec); err != nil {
				return err
			}
			for i := range n {
				j.row(row+i, raw[i*size:][:size], x[(row-first+i)*cols:][:cols], func(block int, g Grade, f fault) {
					out.count(block, g, f, j.mode == Alone)
					if g == Deviates || f.lost {
						out.keep(Deviation{row + i, block, f.col, f.count, f.steps, f.what}, o.Named)
					}
				})
			}
			return nil
		})
	}}, nil
}

// count takes a block into account; hidden tells whether importance that nobody shows
// may have entered.
func (t *Tensor) count(block int, g Grade, f fault, hidden bool) {
	t.Blocks[g]++
	if !f.idle {
		t.asked++
	}
	if g == Exact && !f.idle {
		t.plain++
	}
	if f.kept {
		t.kept++
	}
	if !f.soft || g != Deviates {
		return
	}
	t.soft++
	if hidden {
		if t.softAt == nil {
			t.softAt = map[int]int64{}
		}
		t.softAt[block]++
	}
}

// unsampled tells whether most blocks follow from the values alone although those of
// the sampled rows did not: whoever alters just these rows must not choose the rule. The
// tensor is then judged by that rule.
func (j *judge) unsampled(t *Tensor) bool {
	if j.mode != Searched || float64(t.plain) <= majority*float64(t.asked) {
		return false
	}
	j.mode = Alone
	*t = Tensor{Type: t.Type, Mode: Alone, Through: t.Through, Rows: t.Rows, Cols: t.Cols}
	return true
}

// runs walks through rows of the quantised matrix, those together that lie
// together.
func (p Pair) runs(first, rows int, each func(row, n int) error) error {
	q := p.Quantised
	for row := first; row < first+rows; {
		n := 1
		for row+n < first+rows && q.StoredAt(row+n) == q.StoredAt(row)+int64(n*q.Cols) {
			n++
		}
		if err := each(row, n); err != nil {
			return err
		}
		row += n
	}
	return nil
}

// raw reads the blocks of rows that lie together, from one on.
func (p Pair) raw(dst []byte, row int, codec *tensor.Codec) error {
	s, _ := tensor.StoredOf(p.Quantised.Tensor.Data)
	return s.ReadLittle(dst, p.Quantised.StoredAt(row)/int64(codec.BlockValues)*int64(codec.BlockBytes))
}

// importance is that of the columns of a row; stacked matrices have lists of
// their own.
func (p Pair) importance(row int) []float32 {
	cols := p.Quantised.Cols
	lists := len(p.Importance) / cols
	shape := p.Quantised.Tensor.Shape
	if lists < 2 || len(shape) < 3 {
		return p.Importance[:cols]
	}
	at := int(p.Quantised.StoredAt(row) / int64(cols) / shape[len(shape)-2])
	return p.Importance[at%lists*cols:][:cols]
}
