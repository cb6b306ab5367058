package faithful

import (
	"context"
	"math"
)

// castBlock is how many values of a row are counted as one block where values are
// stored one by one.
const castBlock = 256

// newCast serves types that round each value by itself.
func newCast(ctx context.Context, p Pair, t *Tensor) (*walk, error) {
	t.Mode = Cast
	c := cast{p.Quantised.Tensor.DType.Rounding(), p.Source.Tensor.DType.Rounding()}
	through, err := c.passage(ctx, p)
	if err != nil {
		return nil, err
	}
	t.Through = through.name
	return &walk{p: p, out: t, end: (*Tensor).settle, rows: func(ctx context.Context, out *Tensor, first int, x []float32, o Options) error {
		cols := p.Source.Cols
		b, rows := make([]float32, len(x)), make([]int, len(x)/max(1, cols))
		for i := range rows {
			rows[i] = first + i
		}
		if err := p.Quantised.Gather(ctx, b, rows); err != nil {
			return err
		}
		for i, row := range rows {
			c.row(out, row, through.all(x[i*cols:][:cols]), b[i*cols:][:cols], o.Named)
		}
		return nil
	}}, nil
}

// passage is the one after which most sampled values are what they round to, the
// first of equals.
func (c cast) passage(ctx context.Context, p Pair) (passage, error) {
	all := passages(p.Source.Tensor.DType)
	at := p.sampled()
	x, b := make([]float32, len(at)*p.Source.Cols), make([]float32, len(at)*p.Source.Cols)
	if err := p.Source.Gather(ctx, x, at); err != nil {
		return all[0], err
	}
	if err := p.Quantised.Gather(ctx, b, at); err != nil {
		return all[0], err
	}
	most, best := -1, 0
	for k, through := range all {
		n := 0
		for i, v := range x {
			if c.value(through.of(v), b[i]) == Exact {
				n++
			}
		}
		if n > most {
			most, best = n, k
		}
	}
	return all[best], nil
}

// sampled are evenly spaced rows that tell how a tensor was made.
func (p Pair) sampled() []int {
	at := make([]int, max(1, min(sampledRows, p.Source.Rows, valuesAtOnce/max(1, p.Source.Cols))))
	for i := range at {
		at[i] = i * p.Source.Rows / len(at)
	}
	return at
}

// Vector judges a gain or a bias as one row; quantised and source are its values.
func Vector(name string, quantised, source []float32, own, of func(float32) float32, o Options) *Tensor {
	t := &Tensor{Type: name, Mode: Cast, Rows: 1, Cols: len(source)}
	if len(quantised) != len(source) {
		return t.open(1, "the source has another length")
	}
	if o.Named == 0 {
		o.Named = 20
	}
	cast{own, of}.row(t, 0, source, quantised, o.Named)
	return t
}

// cast holds how the two types round; nil loses nothing.
type cast struct{ own, source func(float32) float32 }

// row judges the values of a row.
func (c cast) row(out *Tensor, row int, x, b []float32, named int) {
	for at := 0; at < len(x); at += castBlock {
		g, f := Exact, fault{}
		for i := at; i < min(len(x), at+castBlock); i++ {
			grade := c.value(x[i], b[i])
			if g = max(g, grade); grade == Deviates {
				f.worse(i, apart(x[i], b[i]), "the value is not what the source's rounds to")
			}
		}
		if out.Blocks[g]++; g == Deviates {
			out.keep(Deviation{row, at / castBlock, f.col, f.count, f.steps, f.what}, named)
		}
	}
}

// smallestHalf is the least normal number in half precision; some casts make
// what is smaller zero.
const smallestHalf = 0x1p-14

// value judges one value: what the source's rounds to, or one that rounds to the
// source's where the source is the coarser of the two, or what casts make that
// keep to the numbers of the type.
func (c cast) value(x, b float32) Grade {
	want := x
	if c.own != nil {
		want = c.own(x)
	}
	switch {
	case want == b || want != want && b != b:
		return Exact
	case c.source != nil && c.source(b) == x:
		return Reachable
	case c.own == nil:
		return Deviates
	case !finite(want) && c.largest(b) && b*x > 0:
		return Reachable
	case b == 0 && float32(math.Abs(float64(x))) < smallestHalf:
		return Reachable
	}
	return Deviates
}

// largest tells whether b is the largest number of its type: a little more is none.
func (c cast) largest(b float32) bool { return finite(b) && !finite(c.own(1.1*b)) }

func finite(x float32) bool { return x-x == 0 }

// apart is how far two values lie apart, in parts of the first.
func apart(x, b float32) float64 {
	d := math.Abs(float64(x) - float64(b))
	if x == 0 || d != d || math.IsInf(d, 0) {
		return 1
	}
	return d / math.Abs(float64(x))
}
