package mlp

import (
	"context"
	"math"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/basis"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
)

// A hidden state may have directions that nobody writes, or next to nothing: whatever gate
// and up rows hold there multiplies nothing. Or directions that nobody reads, where down
// columns may hold what they like, as far as the norm lets them. In a basis that was turned
// neither is seen in any row, and rows that agree in all that works look unlike. What
// tokens put into the state, and what the units of several layers write and read, together
// tell such directions.

const (
	// idle is the share of the mean variance of a direction up to which it counts as
	// not written, or not read. Over all layers of trained networks it was never below
	// 0.1; over few layers of one, one direction was.
	idle = 0.02
	// notable is the share of the squares of rows that must lie in idle directions: what
	// is less makes no rows unlike.
	notable = 0.05
	// enough is how many units there are for each direction before any is called idle:
	// fewer would leave some unwritten by chance.
	enough = 2
	// asked is how many units, and tokens, are asked for each direction.
	asked = 4
	// idleSweeps is how often the idle directions are refined.
	idleSweeps = 6
	// streamShare is the percentage of what a budget leaves that tokens may take.
	streamShare = 10
)

// Stream is how much tokens put into each direction of a tower's residual stream: the Gram
// matrix of some of their rows, hidden × hidden, none of which counts as longer than half
// of them are. It is nil where there are none, or where
// the budget does not allow to read them.
func Stream(ctx context.Context, p *align.Pair, t *roles.Tower) ([]float32, error) {
	e := t.Embedding
	if e == nil || e.Cols != t.Hidden {
		return nil, nil
	}
	n := min(e.Rows, asked*t.Hidden)
	if !p.Fits(e.Cost(n), streamShare) || p.Reserve(e.Cost(n), 1) == 0 {
		return nil, nil
	}
	rows, err := axis.ReadRows(ctx, e, rng.New(p.Seed, "tokens of the residual stream").Sample(e.Rows, n), true)
	if err != nil {
		return nil, err
	}
	lengths := dense.Norms(rows.Raw, n, e.Cols)
	usual := slices.Sorted(slices.Values(lengths))[n/2]
	for i, x := range lengths {
		lengths[i] = 0
		if x > 0 && usual > 0 {
			lengths[i] = min(1, x/usual)
		}
	}
	return basis.ColumnGram(weighed(rows.Raw, lengths, e.Cols), n, e.Cols), nil
}

// WithoutIdle returns the blocks of one network without what they read in directions that
// none of them writes and write in directions that none of them then reads, and how many
// such directions there are. Where there are none it returns the blocks themselves. Rows
// are free to read what they like where nothing is written; what they write where nothing
// is read the norms feel, so that it is small beside the rest, and is asked about second.
// Units count by what they may do with the given stream, nil for one that is even.
func WithoutIdle(blocks []Block, stream []float32, seed []byte) (out []Block, directions int) {
	out, unwritten := stripped(blocks, stream, seed, (*Block).writers, (*Block).readers)
	out, unread := stripped(out, stream, seed, (*Block).readers, (*Block).writers)
	return out, max(unwritten, unread) // what is not written is read no more
}

// stripped takes from some views what lies in directions that others leave out.
func stripped(blocks []Block, stream []float32, seed []byte, by, from func(*Block) []*View) (out []Block, directions int) {
	none := rest(blocks, stream, seed, by)
	if len(none) == 0 {
		return blocks, 0
	}
	taken, rows := 0.0, 0
	for _, b := range blocks {
		b.First, b.Second = slices.Clone(b.First), slices.Clone(b.Second)
		for _, v := range from(&b) {
			before := dense.Norms(v.Rows, b.Units, b.Hidden)
			v.Rows = without(v.Rows, none, b.Units, b.Hidden)
			for u, left := range dense.Norms(v.Rows, b.Units, b.Hidden) {
				if before[u] > 0 {
					left /= before[u]
					taken += 1 - float64(left*left)
					rows++
				}
			}
		}
		out = append(out, b)
	}
	if taken < notable*float64(rows) {
		return blocks, 0
	}
	return out, len(none) / blocks[0].Hidden
}

// readers are the views through which units read the hidden state, writers the one
// through which they write it.
func (b *Block) readers() (out []*View) {
	out = append(out, &b.First[0])
	if b.gated() {
		out = append(out, &b.Second[0])
	}
	return out
}

func (b *Block) writers() []*View { return []*View{&b.Second[len(b.Second)-1]} }

// rest are the directions (rows of length one) that are as good as absent from these
// views of all blocks.
func rest(blocks []Block, stream []float32, seed []byte, views func(*Block) []*View) []float32 {
	units, h := 0, blocks[0].Hidden
	for _, b := range blocks {
		units += b.Units
	}
	if units < enough*h {
		return nil
	}
	sum := make([]float64, h*h)
	for i := range blocks {
		b := blocks[i].every(max(1, units/(asked*h)))
		by := b.weights(stream)
		for _, v := range views(&b) {
			for k, x := range basis.ColumnGram(weighed(v.Rows, by, h), b.Units, h) {
				sum[k] += float64(x)
			}
		}
	}
	trace := 0.0
	for i := range h {
		trace += sum[i*h+i]
	}
	if !(trace > 0) || math.IsInf(trace, 0) {
		return nil
	}
	for k := range sum {
		sum[k] *= float64(h) / trace
	}
	return basis.Trailing(sum, h, idle, idleSweeps, rng.New(seed, "start of idle directions"))
}

// every is a block of every n-th unit.
func (b *Block) every(n int) Block {
	if n == 1 {
		return *b
	}
	some := func(views []View) (out []View) {
		for _, v := range views {
			var rows []float32
			for u := 0; u < b.Units; u += n {
				rows = append(rows, b.row(&v, u)...)
			}
			out = append(out, View{rows, v.Equivariant})
		}
		return out
	}
	return Block{Units: (b.Units + n - 1) / n, Hidden: b.Hidden, First: some(b.First), Second: some(b.Second)}
}

// weights are how much each unit may do with what the stream holds, at most what one in
// ten may do: a unit that does nothing does not make a direction count, and one that does
// very much counts as one.
func (b *Block) weights(stream []float32) []float64 {
	even := slices.Repeat([]float64{1}, b.Units)
	out := slices.Clone(even)
	for _, v := range b.Views() {
		for u, length := range dense.Norms(v.Rows, b.Units, b.Hidden) {
			out[u] *= length
		}
	}
	for _, v := range b.readers() {
		if stream == nil {
			break
		}
		rows := weighed(v.Rows, even, b.Hidden)
		seen := make([]float32, len(rows))
		dense.MulNT(seen, rows, stream, b.Units, b.Hidden, b.Hidden) // the stream is symmetric
		for u := range out {
			at, to := u*b.Hidden, (u+1)*b.Hidden
			out[u] *= math.Sqrt(max(0, float64(dense.Dot(rows[at:to], seen[at:to]))))
		}
	}
	much := slices.Sorted(slices.Values(out))[b.Units*9/10]
	for u, x := range out {
		out[u] = 0
		if x > 0 && much > 0 {
			out[u] = min(1, x/much)
		}
	}
	return out
}

// weighed are rows brought to these lengths.
func weighed(rows []float32, to []float64, h int) []float32 {
	out := slices.Clone(rows)
	for u, length := range dense.Norms(out, len(to), h) {
		by := 0.0
		if length > 0 {
			by = to[u] / length
		}
		for k := range h {
			out[u*h+k] = float32(float64(out[u*h+k]) * by)
		}
	}
	return out
}

// without takes from rows what they have of the given orthonormal directions.
func without(rows, directions []float32, n, h int) []float32 {
	k := len(directions) / h
	along := make([]float32, n*k)
	dense.MulNT(along, rows, directions, n, k, h)
	out := basis.Mul(along, directions, n, k, h)
	for i, x := range rows {
		out[i] = x - out[i]
	}
	return out
}
