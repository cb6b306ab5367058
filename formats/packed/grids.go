package packed

import (
	"context"
)

// table is a grid stored row by row, one row of numbers for each blockRows
// rows.
type table struct {
	t         part
	groups    int64
	blockRows int64
}

func (x *table) load(ctx context.Context, dst []float32, b box, g0, g1 int64) error {
	per := g1 - g0
	last := int64(-1)
	for i := int64(0); i < b.n; i++ {
		r := (b.r + i) / x.blockRows
		row := dst[i*per : (i+1)*per]
		if r == last {
			copy(row, dst[(i-1)*per:])
			continue
		}
		if last = r; x.blockRows == 1 && per == x.groups {
			return x.t.Data.ReadValues(ctx, dst, r*x.groups) // all rows lie together
		}
		if err := x.t.Data.ReadValues(ctx, row, r*x.groups+g0); err != nil {
			return err
		}
	}
	return nil
}

// turned is a grid stored group by group, one number for each row.
type turned struct {
	t    part
	rows int64
}

func (x *turned) load(ctx context.Context, dst []float32, b box, g0, g1 int64) error {
	line := make([]float32, b.n)
	for g := g0; g < g1; g++ {
		if err := x.t.Data.ReadValues(ctx, line, g*x.rows+b.r); err != nil {
			return err
		}
		spread(dst, line, g-g0, g1-g0)
	}
	return nil
}

// spread writes a group's numbers into a grid of per groups.
func spread(dst, line []float32, g, per int64) {
	for i, v := range line {
		dst[int64(i)*per+g] = v
	}
}

// changed applies a function to every number of a grid.
type changed struct {
	grid
	f func(float32) float32
}

func (x *changed) load(ctx context.Context, dst []float32, b box, g0, g1 int64) error {
	if err := x.grid.load(ctx, dst, b, g0, g1); err != nil {
		return err
	}
	for i, v := range dst {
		dst[i] = x.f(v)
	}
	return nil
}

// packedTurned holds zero-points group by group, each a stream of bits along
// the rows (GPTQ); plus is added, modulo the code's size.
type packedTurned struct {
	t    part
	row  int64 // bytes of a group
	bits int64
	plus uint8
}

func (x *packedTurned) load(_ context.Context, dst []float32, b box, g0, g1 int64) error {
	lo, hi := b.r*x.bits/8, ((b.r+b.n)*x.bits+7)/8
	raw, line := make([]byte, hi-lo), make([]uint8, b.n)
	mask := uint8(1<<x.bits - 1)
	for g := g0; g < g1; g++ {
		if err := x.t.s.ReadRaw(raw, g*x.row+lo); err != nil {
			return err
		}
		unpackBits(line, raw, int(b.r*x.bits-8*lo), int(x.bits))
		for i, c := range line {
			dst[int64(i)*(g1-g0)+g-g0] = float32((c + x.plus) & mask)
		}
	}
	return nil
}

// eightTurned holds zero-points group by group in words of eight rows (AWQ).
type eightTurned struct {
	t     part
	words int64 // of a group
}

func (x *eightTurned) load(_ context.Context, dst []float32, b box, g0, g1 int64) error {
	w0, w1 := b.r/8, (b.r+b.n-1)/8+1
	raw := make([]byte, 4*(w1-w0))
	for g := g0; g < g1; g++ {
		if err := x.t.s.ReadRaw(raw, 4*(g*x.words+w0)); err != nil {
			return err
		}
		for i := range b.n {
			r := b.r + i
			dst[i*(g1-g0)+g-g0] = float32(word(raw, int(r/8-w0)) >> (4 * awqNibble[r%8]) & 15)
		}
	}
	return nil
}

// packedRows holds zero-points as a table of words of which each column is a
// stream of codes along the rows (compressed-tensors): dense, or perWord
// codes in a word.
type packedRows struct {
	t       part
	groups  int64
	bits    int64
	perWord int64 // 0 = dense
	offset  float32
}

func (x *packedRows) load(ctx context.Context, dst []float32, b box, g0, g1 int64) error {
	per := g1 - g0
	j0, j1 := b.r*x.bits/32, ((b.r+b.n)*x.bits+31)/32
	if x.perWord > 0 {
		j0, j1 = b.r/x.perWord, (b.r+b.n-1)/x.perWord+1
	}
	raw := make([]byte, 4*(j1-j0)*per)
	if err := x.t.columns(ctx, raw, x.groups, j0, j1, g0, g1); err != nil {
		return err
	}
	for g := range per {
		if x.perWord > 0 {
			x.words(dst, raw, b, j0, g, per)
			continue
		}
		st := stream{raw: raw, at: int(g), step: int(per)}
		st.start(int(b.r * x.bits % 32))
		for i := range b.n {
			dst[i*per+g] = float32(st.next(int(x.bits))) - x.offset
		}
	}
	return nil
}

// words unpacks one group of whole codes in each word.
func (x *packedRows) words(dst []float32, raw []byte, b box, j0, g, per int64) {
	mask := uint32(1)<<x.bits - 1
	for i := range b.n {
		r := b.r + i
		w := word(raw, int((r/x.perWord-j0)*per+g))
		dst[i*per+g] = float32(w>>(x.bits*(r%x.perWord))&mask) - x.offset
	}
}

// nested is a line of scales that are themselves quantised (bitsandbytes):
// table[code]·absmax[block] + offset.
type nested struct {
	t      part
	table  [256]float32
	absmax part
	block  int64
	offset float32
}

func (x *nested) load(ctx context.Context, dst []float32, _ box, g0, g1 int64) error {
	raw := make([]byte, g1-g0)
	if err := x.t.s.ReadRaw(raw, g0); err != nil {
		return err
	}
	b0 := g0 / x.block
	absmax := make([]float32, (g1-1)/x.block+1-b0)
	if err := x.absmax.Data.ReadValues(ctx, absmax, b0); err != nil {
		return err
	}
	for i, c := range raw {
		dst[i] = float32(x.table[c]*absmax[(g0+int64(i))/x.block-b0]) + x.offset
	}
	return nil
}
