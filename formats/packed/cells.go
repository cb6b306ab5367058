package packed

import (
	"context"
	"strings"
)

// roundingSlack is what arithmetic in float32 may do to a number, relatively, from
// the value to its code.
const roundingSlack = 0x1p-20

// ReadCells gives the cells of the values [first, first+len(lo)).
func (m *matrix) ReadCells(ctx context.Context, lo, hi []float32, first int64) error {
	if err := m.read(ctx, lo, first, m.ends(&m.book.low, &m.book.high, -1)); err != nil {
		return err
	}
	return m.read(ctx, hi, first, m.ends(&m.book.high, &m.book.low, 1))
}

// ends gives one end of each cell: the one in the direction of side where the
// scale is positive, the other where it is not.
func (m *matrix) ends(near, far *[256]float32, side float32) fill {
	return func(dst []float32, codes []uint8, n numbers) {
		scale := n.scale
		if m.post != 0 {
			scale *= m.post
		}
		t := near
		if scale < 0 {
			t = far
		}
		h, bias := max(scale, -scale), max(n.bias, -n.bias)
		for i, c := range codes {
			size := m.book.value[c] - n.zero
			size = float32(max(size, -size)*h) + bias
			slack := float32((m.slack + roundingSlack) * size)
			dst[i] = float32((t[c]-n.zero)*scale) + n.bias + side*slack
		}
	}
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
