package faithful

import (
	"context"
	"math"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
)

// cellBlock is how many values of a row are counted as one block where scales lie
// apart from the codes.
const cellBlock = 32

// cellJudge holds values of the source against the cells of codes, and the scales of
// their groups against the rule that gives most of them.
type cellJudge struct {
	p       Pair
	data    tensor.Cells
	grouped grouped // nil where nothing is known of groups
	through passage
	also    []passage    // others that the sample does not tell from it
	scales  *ruledScales // nil where no rule gives them
	outside Grade        // of a block with values outside their cells
}

// newCells serves packed tensors: each value of the source must lie in the cell of
// the code that is stored, and where a rule gives most scales, each scale must be
// what it gives. Where a layout's usual quantiser moves values to make up for the
// error of others, values outside their cell are left open, unless scales and nearly
// all other blocks are those of rounding.
func newCells(ctx context.Context, p Pair, t *Tensor) (*walk, error) {
	data, _ := tensor.CellsOf(p.Quantised.Tensor.Data)
	j := &cellJudge{p: p, data: data, outside: Deviates}
	j.grouped = groupedOf(p.Quantised.Tensor.Data)
	t.Mode = Cells
	if err := j.choose(ctx); err != nil {
		return nil, err
	}
	if j.scales != nil {
		t.Mode, t.Scales = Ruled, j.scales.rule
	}
	t.Through = j.through.name
	if data.Compensated() && j.scales == nil {
		j.outside = outsideOf(data, t)
	}
	return &walk{p: p, out: t, rows: j.rows, end: j.settle}, nil
}

// choose finds the passage that leaves the fewest sampled values outside, and the rule
// of the scales.
func (j *cellJudge) choose(ctx context.Context) error {
	all := passages(j.p.Source.Tensor.DType)
	best, err := j.passage(ctx, all)
	if err != nil {
		return err
	}
	if best > 0 {
		all[0], all[best] = all[best], all[0]
	}
	j.through = all[0]
	if j.grouped == nil {
		return nil
	}
	groups, err := j.grouped.Groups(ctx)
	if err != nil {
		return err
	}
	r, err := readRanges(ctx, j.p, j.grouped, len(groups))
	if err != nil {
		return err
	}
	if j.scales = r.ruleOf(groups, j.grouped, all); j.scales != nil {
		j.through, j.also = j.scales.through, j.scales.also
	}
	return nil
}

// passage is the one that leaves the fewest values of sampled rows outside.
func (j *cellJudge) passage(ctx context.Context, all []passage) (best int, err error) {
	cols := j.p.Source.Cols
	at := j.p.sampled()
	n := len(at)
	x, lo, hi := make([]float32, n*cols), make([]float32, n*cols), make([]float32, n*cols)
	if err := j.p.Source.Gather(ctx, x, at); err != nil {
		return 0, err
	}
	for i, row := range at {
		if err := j.data.ReadCells(ctx, lo[i*cols:][:cols], hi[i*cols:][:cols], j.p.Quantised.StoredAt(row)); err != nil {
			return 0, err
		}
	}
	least := -1
	for k, through := range all {
		outside := 0
		for i, v := range x {
			if beyond(through.of(v), lo[i], hi[i], 0) > 0 {
				outside++
			}
		}
		switch {
		case least < 0 || outside < least:
			least, best, j.also = outside, k, nil
		case outside == least:
			j.also = append(j.also, through)
		}
	}
	return best, nil
}

// rows judges rows that were read.
func (j *cellJudge) rows(ctx context.Context, out *Tensor, first int, x []float32, o Options) error {
	cols := j.p.Source.Cols
	others := make([][]float32, len(j.also))
	for k, a := range j.also {
		others[k] = a.all(slices.Clone(x))
	}
	x = j.through.all(x)
	return j.p.runs(first, len(x)/cols, func(row, n int) error {
		lo, hi := make([]float32, n*cols), make([]float32, n*cols)
		at := j.p.Quantised.StoredAt(row)
		if err := j.data.ReadCells(ctx, lo, hi, at); err != nil {
			return err
		}
		var of []int32
		if j.scales != nil {
			of = make([]int32, n*cols)
			if err := j.grouped.ReadGroups(ctx, of, at); err != nil {
				return err
			}
		}
		for i := range n {
			from, to := i*cols, (i+1)*cols
			off := unknownScales
			if of != nil {
				off = func(a, b int) (worst Grade) {
					for _, g := range of[from+a : from+b] {
						worst = max(worst, j.scales.of[g])
					}
					return worst
				}
			}
			step := func(a, b int) float64 { return widestStep(ctx, j.data, at+int64(from+a), b-a) }
			r := cellRow{out, off, step, nil, j.scales != nil, j.outside, o.Named}
			for _, y := range others {
				r.others = append(r.others, y[(row-first+i)*cols:][:cols])
			}
			r.judge(row+i, x[(row-first+i)*cols:][:cols], lo[from:to], hi[from:to])
		}
		return nil
	})
}

// mostOutside is the share of blocks with values outside their cells from which codes
// of a layout that makes up for errors count as made up for, although the scales are
// those of rounding.
const mostOutside = 0.02

// settle leaves open what such a layout's quantiser may have moved. Values just outside
// their cells are rounding in 16 bits where they are many, and open where they are few.
func (j *cellJudge) settle(t *Tensor) {
	drop := func(what string) {
		t.Deviations = slices.DeleteFunc(t.Deviations, func(d Deviation) bool { return d.What == what })
	}
	if t.near > few(t.Total()) {
		t.Blocks[Rounding] += t.near
	} else {
		t.Blocks[Open] += t.near
		for _, d := range t.nearly {
			t.keep(d, len(t.Deviations)+1)
		}
		slices.SortFunc(t.Deviations, before)
	}
	t.Blocks[Deviates] -= t.near
	if !j.data.Compensated() || j.scales == nil || float64(t.moved) <= mostOutside*float64(t.Total()-t.void) {
		return
	}
	// Codes were moved, and with them the values that later groups took their scales of.
	t.Blocks[Deviates], t.Blocks[Open] = t.Blocks[Deviates]-t.soft-t.scaled, t.Blocks[Open]+t.soft+t.scaled
	drop(outsideCell)
	drop(otherScale)
	outsideOf(j.data, t)
}

// outsideOf is what a value outside its cell is found to be.
func outsideOf(data tensor.Cells, t *Tensor) Grade {
	if data.Compensated() {
		t.Why = "the usual quantiser of this layout moves codes to make up for the error of others, so rounding does not determine them"
		return Open
	}
	return Deviates
}

// What is wrong with a block of codes.
const (
	outsideCell = "the value lies outside the cell of its code"
	nearlyCell  = "the value lies just outside the cell of its code"
	otherScale  = "the scale or zero-point is not the one that the rule gives"
	besideScale = "some scales are a unit of their type beside what the rule gives, as another order of roundings leaves them"
)

// widestStep is the largest distance of neighbouring codes among some values, 0 where
// codes are no lattice. It serves codes of which each is the last on its side.
func widestStep(ctx context.Context, d tensor.Cells, first int64, n int) (most float64) {
	l, ok := d.(tensor.Lattice)
	if !ok {
		return 0
	}
	steps := make([]float32, n)
	if l.ReadSteps(ctx, steps, first) != nil {
		return 0
	}
	return float64(slices.Max(steps))
}

// cellRow judges the values of a row.
type cellRow struct {
	out     *Tensor
	off     func(from, to int) Grade   // what the scales of some columns are found to be
	step    func(from, to int) float64 // distance of codes where no cell has two ends
	others  [][]float32                // the values after other roundings that nothing tells apart
	ruled   bool                       // a rule gives the scales
	outside Grade                      // of a block with values outside their cells
	named   int
}

func (r cellRow) judge(row int, x, lo, hi []float32) {
	out, named := r.out, r.named
	for at := 0; at < len(x); at += cellBlock {
		f, end, void := fault{}, min(len(x), at+cellBlock), 0
		widest := widestOf(lo[at:end], hi[at:end])
		if widest == 0 {
			widest = r.step(at, end)
		}
		for i := at; i < end; i++ {
			if r.ruled && lo[i] == hi[i] {
				void++
				continue // the rule gives a scale of zero: all codes mean the same
			}
			far := beyond(x[i], lo[i], hi[i], widest)
			for _, y := range r.others {
				far = min(far, beyond(y[i], lo[i], hi[i], widest))
			}
			if far > 0 {
				f.worse(i, far, outsideCell)
			}
		}
		if void == end-at {
			out.void++
		}
		scale := r.off(at, end)
		if f.found() && f.steps > nearCell {
			out.moved++
		}
		switch {
		case scale == Deviates:
			out.scaled++
			out.Blocks[Deviates]++
			out.keep(Deviation{row, at / cellBlock, at, 0, 1, otherScale}, named)
		case f.found() && f.steps > tieCell && r.outside == Open:
			out.Blocks[Open]++
			out.Largest = max(out.Largest, f.steps)
		case f.found() && f.steps > nearCell:
			out.soft++
			out.Blocks[Deviates]++
			out.keep(Deviation{row, at / cellBlock, f.col, f.count, f.steps, f.what}, named)
		case f.found() && f.steps > tieCell:
			f.what = nearlyCell
			out.near++
			out.Blocks[Deviates]++
			if len(out.nearly) < named {
				out.nearly = append(out.nearly, Deviation{row, at / cellBlock, f.col, f.count, f.steps, f.what})
			}
		case scale == Open:
			out.Blocks[Open]++
			out.Why = besideScale
		case f.found():
			out.Blocks[Rounding]++
		default:
			out.Blocks[Reachable]++
		}
	}
}

// How far from its cell, in widths of the cell, a value may lie for arithmetic to
// explain it: in float32, and in 16 bits with codes up to fifteen.
const tieCell, nearCell = 1.0 / 128, 1.0 / 16

// widestOf is the width of the widest cell that has two ends.
func widestOf(lo, hi []float32) (most float64) {
	for i := range lo {
		if w := float64(hi[i]) - float64(lo[i]); !math.IsInf(w, 0) {
			most = max(most, w)
		}
	}
	return most
}

// beyond is how far a value lies outside a cell, in widths of the cell. Cells at the
// ends of a code have no far side, and the width of the widest beside them. What is no
// number, or holds every value, is no cell.
func beyond(x, lo, hi float32, widest float64) float64 {
	if lo != lo || hi != hi || math.IsInf(float64(lo), -1) && math.IsInf(float64(hi), 1) {
		return 1
	}
	if x >= lo && x <= hi || x != x {
		return 0
	}
	width := float64(hi) - float64(lo)
	if math.IsInf(width, 0) {
		width = widest
	}
	off := max(float64(lo)-float64(x), float64(x)-float64(hi))
	if width == 0 {
		return 1
	}
	return max(off/width, 1e-3)
}
