package packed

import (
	"context"
	"math"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/quant"
)

// blockRows is how many rows share scales.
func blockRows(g grid) int64 {
	switch x := g.(type) {
	case *table:
		return x.blockRows
	case *changed:
		return blockRows(x.grid)
	}
	return 1
}

// ReadGroups gives the group of each of the values [first, first+len(dst)): groups
// are counted along the columns, then down the blocks of rows.
func (m *matrix) ReadGroups(ctx context.Context, dst []int32, first int64) error {
	rows := blockRows(m.scale)
	for len(dst) > 0 {
		b := m.box(first, int64(len(dst)))
		g, err := m.groups.within(ctx, b)
		if err != nil {
			return err
		}
		for i := range b.n {
			at := (b.r + i) / rows * m.groups.count
			for c := b.c0; c < b.c1; {
				group, end := g.run(c, b.c1)
				for k := range dst[:end-c] {
					dst[k] = int32(at + group)
				}
				dst, c = dst[end-c:], end
			}
		}
		first += b.n * (b.c1 - b.c0)
	}
	return nil
}

// Groups gives what is stored of every group, in the order of ReadGroups.
func (m *matrix) Groups(ctx context.Context) ([]quant.Group, error) {
	rows, count := blockRows(m.scale), m.groups.count
	sizes, err := m.groupColumns(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]quant.Group, (m.rows+rows-1)/rows*count)
	numbers := make([]float32, count)
	for at := int64(0); at*count < int64(len(out)); at++ {
		b := box{at * rows, 1, 0, m.cols}
		part := out[at*count:][:count]
		for g, n := range sizes {
			part[g].Size = n * min(rows, m.rows-b.r)
		}
		for _, x := range m.numbersOf() {
			if x.grid == nil {
				continue
			}
			if err := x.grid.load(ctx, numbers, b, 0, count); err != nil {
				return nil, err
			}
			for g, v := range numbers {
				x.put(&part[g], v)
			}
		}
	}
	return out, nil
}

// groupColumns counts the columns of each group of a row.
func (m *matrix) groupColumns(ctx context.Context) ([]int64, error) {
	s, err := m.groups.within(ctx, box{0, 1, 0, m.cols})
	if err != nil {
		return nil, err
	}
	out := make([]int64, m.groups.count)
	for c := int64(0); c < m.cols; {
		g, end := s.run(c, m.cols)
		out[g] += end - c
		c = end
	}
	return out, nil
}

// stored is a grid and where its numbers go.
type stored struct {
	grid grid
	put  func(*quant.Group, float32)
}

func (m *matrix) numbersOf() []stored {
	post := m.post
	if post == 0 {
		post = 1
	}
	return []stored{
		{m.scale, func(g *quant.Group, v float32) { g.Scale = v * post }},
		{endOf(m.scale, 0), func(g *quant.Group, v float32) { g.Low = v * post }},
		{endOf(m.scale, 1), func(g *quant.Group, v float32) { g.High = v * post }},
		{m.zero, func(g *quant.Group, v float32) { g.Zero = v }},
		{m.bias, func(g *quant.Group, v float32) { g.Bias = v }},
	}
}

// endOf is the grid of the least (0) or largest (1) numbers that are stored as
// those of a grid.
func endOf(g grid, side int) grid {
	switch x := g.(type) {
	case *nested:
		return x.shifted(side)
	case *changed:
		return &changed{endOf(x.grid, side), x.f}
	case *table:
		return &changed{x, numberEnd(x.t.DType, side)}
	case *turned:
		return &changed{x, numberEnd(x.t.DType, side)}
	}
	return g
}

// nestedRoom is how far from the middle between two numbers of its table bitsandbytes
// decides which of them a scale is stored as: it looks them up by 16 bits.
const nestedRoom = 0x1p-15

// fractions are the bits of a number behind its leading one, and its least exponent.
var fractions = map[tensor.DType][2]int{tensor.F16: {10, -14}, tensor.BF16: {7, -126}, tensor.F32: {23, -126}, tensor.F8E4M3: {3, -6}, tensor.F8E5M2: {2, -14}}

// numberEnd gives one end of what a type stores as a number: half a unit of its last
// place away. What is no power of two is no exponent alone.
func numberEnd(t tensor.DType, side int) func(float32) float32 {
	f, ok := fractions[t]
	sign := float64(2*side - 1)
	return func(v float32) float32 {
		if !ok || v-v != 0 {
			return v
		}
		_, e := math.Frexp(float64(v))
		return float32(float64(v) + sign*math.Ldexp(0.5, max(e-1, f[1])-f[0]))
	}
}

// FittedZero tells whether zero-points are fitted to all values: HQQ's are.
func (m *matrix) FittedZero() bool { return strings.HasPrefix(m.what, "HQQ") }

// Levels gives the largest number that a code stands for, and the steps between the
// least and the largest of a lattice of whole numbers.
func (m *matrix) Levels() (top float32, steps int) {
	least := float32(0)
	whole := true
	for _, v := range m.book.value {
		if v-v != 0 {
			continue
		}
		top, least = max(top, v), min(least, v)
		whole = whole && v == float32(math.Trunc(float64(v)))
	}
	if whole && top < 256 && top-least < 256 {
		steps = int(top - least)
	}
	return top, steps
}
