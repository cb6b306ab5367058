package faithful

import (
	"context"
	"math"

	"github.com/weightprint/weightprint/formats/tensor"
)

// cellBlock is how many values of a row are counted as one block where scales lie
// apart from the codes.
const cellBlock = 32

// newCells serves packed tensors: each value of the source must lie in the cell of
// the code that is stored. Where a layout's usual quantiser moves values to make
// up for the error of others, values outside their cell are left open.
func newCells(p Pair, t *Tensor) *walk {
	data, _ := tensor.CellsOf(p.Quantised.Tensor.Data)
	outside := outsideOf(data, t)
	return &walk{p, t, func(ctx context.Context, out *Tensor, first int, x []float32, o Options) error {
		cols := p.Source.Cols
		return p.runs(first, len(x)/cols, func(row, n int) error {
			lo, hi := make([]float32, n*cols), make([]float32, n*cols)
			if err := data.ReadCells(ctx, lo, hi, p.Quantised.StoredAt(row)); err != nil {
				return err
			}
			for i := range n {
				at := i * cols
				cellRow(out, row+i, x[(row-first+i)*cols:][:cols], lo[at:at+cols], hi[at:at+cols], outside, o.Named)
			}
			return nil
		})
	}}
}

// outsideOf is what a value outside its cell is found to be.
func outsideOf(data tensor.Cells, t *Tensor) Grade {
	if t.Mode = Cells; data.Compensated() {
		t.Why = "the usual quantiser of this layout moves codes to make up for the error of others, so rounding does not determine them"
		return Open
	}
	return Deviates
}

// cellRow judges the values of a row.
func cellRow(out *Tensor, row int, x, lo, hi []float32, outside Grade, named int) {
	for at := 0; at < len(x); at += cellBlock {
		f := fault{}
		for i := at; i < min(len(x), at+cellBlock); i++ {
			if off := beyond(x[i], lo[i], hi[i]); off > 0 {
				f.worse(i, off, "the value lies outside the cell of its code")
			}
		}
		switch {
		case !f.found():
			out.Blocks[Reachable]++
		case outside == Open:
			out.Blocks[Open]++
			out.Largest = max(out.Largest, f.steps)
		default:
			out.Blocks[Deviates]++
			out.keep(Deviation{row, at / cellBlock, f.col, f.count, f.steps, f.what}, named)
		}
	}
}

// beyond is how far a value lies outside a cell, in widths of the cell; cells at
// the ends of a code have no far side.
func beyond(x, lo, hi float32) float64 {
	if x >= lo && x <= hi || x != x {
		return 0
	}
	width := float64(hi) - float64(lo)
	off := max(float64(lo)-float64(x), float64(x)-float64(hi))
	if math.IsInf(width, 0) || width == 0 {
		return 1
	}
	return max(off/width, 1e-3)
}
