package packed

import (
	"context"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

// roundingSlack is what arithmetic in float32 may do to a number, relatively, from
// the value to its code.
const roundingSlack = 0x1p-20

// ReadCells gives the cells of the values [first, first+len(lo)). Where the scales
// are quantised themselves, after the codes were chosen, a cell reaches as far as
// it would under any scale that rounds to the stored one.
func (m *matrix) ReadCells(ctx context.Context, lo, hi []float32, first int64) error {
	n, ok := m.scale.(*nested)
	if !ok {
		return m.cells(ctx, lo, hi, first)
	}
	moreLo, moreHi := make([]float32, len(lo)), make([]float32, len(hi))
	for k, to := range [2][2][]float32{{lo, hi}, {moreLo, moreHi}} {
		x := *m
		x.scale = n.shifted(k)
		if err := x.cells(ctx, to[0], to[1], first); err != nil {
			return err
		}
	}
	for i := range lo {
		lo[i], hi[i] = min(lo[i], moreLo[i]), max(hi[i], moreHi[i])
	}
	return nil
}

// shifted is the grid of the least (0) or largest (1) scales that round to the
// stored ones.
func (x *nested) shifted(side int) *nested {
	y, b := *x, newBook(x.table[:])
	for c := range y.table {
		end, sign := [2]*[256]float32{&b.low, &b.high}[side][c], float32(2*side-1)
		if end-end != 0 {
			end = sign // the largest of all scales became one
		}
		y.table[c] = end + sign*nestedRoom
	}
	return &y
}

func (m *matrix) cells(ctx context.Context, lo, hi []float32, first int64) error {
	if err := m.read(ctx, lo, first, m.ends(&m.book.low, &m.book.high, -1)); err != nil {
		return err
	}
	return m.read(ctx, hi, first, m.ends(&m.book.high, &m.book.low, 1))
}

// ends gives one end of each cell: the one in the direction of side where the
// scale is positive, the other where it is not.
func (m *matrix) ends(near, far *[256]float32, side float32) fill {
	unit, least := lostOf(m.scale)
	lostZero, _ := lostOf(m.zero)
	lost := max(m.slack, unit)
	return func(dst []float32, codes []uint8, n numbers) {
		scale := n.scale
		if m.post != 0 {
			scale *= m.post
		}
		if scale == 0 {
			for i := range codes {
				dst[i] = n.bias // whatever the code
			}
			return
		}
		t := near
		if scale < 0 {
			t = far
		}
		h, bias := max(scale, -scale), max(n.bias, -n.bias)
		zero := max(n.zero, -n.zero) * h
		for i, c := range codes {
			code, size := m.book.value[c], m.book.value[c]-n.zero
			code, size = max(code, -code), max(size, -size)
			// What the scale lost, and what quotient and sum lose where they are taken in
			// its type.
			slack := float32(unit*float32(h*(code+size))) + float32(least*size)
			slack += float32((lost+roundingSlack)*(float32(size*h)+bias)) + float32(lostZero*zero)
			dst[i] = float32((t[c]-n.zero)*scale) + n.bias + side*slack
		}
	}
}

// lostOf is what storing numbers in 16 bits may have lost of each: half a unit of the
// last place, relatively, and the least that this is. Quantisers round values by what
// they had before.
func lostOf(g grid) (unit, least float32) {
	x, ok := g.(*table)
	if t, turn := g.(*turned); turn {
		x, ok = &table{t: t.t}, true
	}
	switch {
	case ok && x.t.DType == tensor.F16:
		return 0x1p-11, 0x1p-25
	case ok && x.t.DType == tensor.BF16:
		return 0x1p-8, 0
	}
	return 0, 0
}

// compensated are the layouts, by how their description begins, whose quantisers
// make up for errors, or choose among several ways unknown to the file.
var compensated = []string{"GPTQ", "AWQ", "HQQ", "compressed-tensors", "INT8 scaled"}

// Compensated tells whether codes of this layout are usually more than rounded.
func (m *matrix) Compensated() bool {
	for _, c := range compensated {
		if strings.HasPrefix(m.what, c) {
			return true
		}
	}
	return false
}
