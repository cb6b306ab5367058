package faithful

import (
	"context"
	"math"

	"github.com/weightprint/weightprint/formats/tensor"
)

// bandValues bounds the cells that are held at once where the stored rows are the
// columns of the matrix.
const bandValues = 1 << 22

// across judges a matrix whose stored rows are its columns, band of columns by band.
func across(ctx context.Context, p Pair, t *Tensor, o Options) error {
	data, _ := tensor.CellsOf(p.Quantised.Tensor.Data)
	t.Mode = Cells
	outside := outsideOf(data, t)
	first := make([]int64, p.Quantised.Rows)
	least, most, stride := int64(math.MaxInt64), int64(0), int64(1)
	for r := range first {
		first[r], stride = p.Quantised.Place(r)
		least, most = min(least, first[r]), max(most, first[r])
	}
	per := int(max(cellBlock, bandValues/max(1, stride)/cellBlock*cellBlock))
	for c := 0; c < p.Source.Cols; c += per {
		n := min(per, p.Source.Cols-c)
		span := int64(n-1)*stride + most - least + 1
		b := &band{c: c, n: n, stride: stride, least: least, first: first, lo: make([]float32, span), hi: make([]float32, span)}
		if err := data.ReadCells(ctx, b.lo, b.hi, least+int64(c)*stride); err != nil {
			return err
		}
		if err := b.judge(ctx, p, t, outside, o); err != nil {
			return err
		}
	}
	t.merge(&Tensor{}, o.Named) // in the order of places
	(&cellJudge{data: data}).settle(t)
	return nil
}

// unknownScales finds no scale wrong.
func unknownScales(int, int) Grade { return Exact }

// band is the cells of some columns.
type band struct {
	c, n          int
	stride, least int64
	first         []int64 // of each row, in the tensor
	lo, hi        []float32
}

// judge holds the source's values in these columns against the cells.
func (b *band) judge(ctx context.Context, p Pair, t *Tensor, outside Grade, o Options) error {
	per := max(1, valuesAtOnce/p.Source.Cols)
	if p.Source.Transposed() {
		per = max(per, min(p.Source.Rows, 1<<24/p.Source.Cols)) // each gather reads the whole tensor
	}
	lo, hi := make([]float32, b.n), make([]float32, b.n)
	for row := 0; row < p.Source.Rows; row += per {
		rows := p.Source.All()[row:min(row+per, p.Source.Rows)]
		x := make([]float32, len(rows)*p.Source.Cols)
		if err := p.Source.Gather(ctx, x, rows); err != nil {
			return err
		}
		for i, r := range rows {
			for k := range b.n {
				at := b.first[r] - b.least + int64(k)*b.stride
				lo[k], hi[k] = b.lo[at], b.hi[at]
			}
			found := &Tensor{}
			cellRow{out: found, off: unknownScales, step: func(int, int) float64 { return 0 }, outside: outside, named: o.Named}.judge(r, x[i*p.Source.Cols+b.c:][:b.n], lo, hi)
			for k := range found.Deviations {
				found.Deviations[k].Block += b.c / cellBlock
				found.Deviations[k].Col += b.c
			}
			t.merge(found, o.Named)
		}
	}
	return nil
}
