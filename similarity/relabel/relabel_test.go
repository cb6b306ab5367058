package relabel

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/similarity/align"
)

// chain is a convolution stack with a dense end: 4 channels in, the last one flattened.
type chain struct{ conv1, conv2, flat, out []float32 }

const (
	in, one, two, window, places, classes = 4, 32, 48, 9, 6, 10
)

func drawn(r *rand.Rand) *chain {
	x := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(r.NormFloat64())
		}
		return v
	}
	return &chain{x(one * in * window), x(two * one * window), x(64 * two * places), x(classes * 64)}
}

// permuted is the same function with hidden units in other places.
func (c *chain) permuted(r *rand.Rand) *chain {
	p, q, s := r.Perm(one), r.Perm(two), r.Perm(64)
	out := &chain{make([]float32, len(c.conv1)), make([]float32, len(c.conv2)), make([]float32, len(c.flat)), make([]float32, len(c.out))}
	for i := range one {
		copy(out.conv1[i*in*window:(i+1)*in*window], c.conv1[p[i]*in*window:])
	}
	for i := range two {
		for j := range one {
			copy(out.conv2[(i*one+j)*window:(i*one+j+1)*window], c.conv2[(q[i]*one+p[j])*window:])
		}
	}
	for i := range 64 {
		for j := range two {
			copy(out.flat[(i*two+j)*places:(i*two+j+1)*places], c.flat[(s[i]*two+q[j])*places:])
		}
		for k := range classes {
			out.out[k*64+i] = c.out[k*64+s[i]]
		}
	}
	return out
}

// moved is the same with noise, and with units scaled.
func (c *chain) moved(r *rand.Rand, noise float64) *chain {
	out := c.permuted(r)
	for _, x := range [][]float32{out.conv1, out.conv2, out.flat, out.out} {
		spread := noise * dense.Norm(x) / math.Sqrt(float64(len(x)))
		for i := range x {
			x[i] += float32(spread * r.NormFloat64())
		}
	}
	out.scale(r)
	return out
}

// scale multiplies hidden units and divides what reads them.
func (c *chain) scale(r *rand.Rand) {
	for _, x := range []struct {
		makes, reads []float32
		units, each  int // values of a unit where it is read
	}{{c.conv1, c.conv2, one, window}, {c.conv2, c.flat, two, places}, {c.flat, c.out, 64, 1}} {
		for u := range x.units {
			by := float32(math.Exp(r.NormFloat64()))
			n := len(x.makes) / x.units
			for i := u * n; i < (u+1)*n; i++ {
				x.makes[i] *= by
			}
			for i := range x.reads {
				if i/x.each%x.units == u {
					x.reads[i] /= by
				}
			}
		}
	}
}

// scaled is the same function with hidden units scaled.
func (c *chain) scaled(r *rand.Rand) *chain {
	out := &chain{slices.Clone(c.conv1), slices.Clone(c.conv2), slices.Clone(c.flat), slices.Clone(c.out)}
	out.scale(r)
	return out
}

func (c *chain) subject(name string) *align.Subject {
	return align.NewSubject(name, c.tensors(name), nil)
}

func (c *chain) tensors(name string) (all tensor.Tensors) {
	for i, x := range []struct {
		v     []float32
		shape []int64
	}{{c.conv1, []int64{one, in, window}}, {c.conv2, []int64{two, one, window}}, {c.flat, []int64{64, two * places}}, {c.out, []int64{classes, 64}}} {
		all = append(all, &tensor.Tensor{Name: fmt.Sprintf("%s.%d.weight", name, i), DType: tensor.F32, Shape: x.shape, Data: tensor.Values(x.v)})
	}
	return all
}

// meanCosine is that of rows at the same place, over all matrices but the last.
func meanCosine(t *testing.T, q *align.Pair) float64 {
	t.Helper()
	sum, n := 0.0, 0
	for _, g := range q.GenericPairs()[:3] {
		a, b := unit(g.A.Tensor.Data.(tensor.Values), g.A.Cols), unit(g.B.Tensor.Data.(tensor.Values), g.B.Cols)
		for i := range a {
			sum += float64(a[i]) * float64(b[i])
		}
		n += g.A.Rows
	}
	return sum / float64(n)
}

func TestPermutedUnitsAreFound(t *testing.T) {
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 0x4e1))
		a := drawn(r)
		for _, c := range []struct {
			noise float64
			least float64
		}{{0, 0.9999}, {0.1, 0.98}, {0.5, 0.75}} {
			q, _, err := Pair(context.Background(), align.NewPair(a.subject("a"), a.moved(r, c.noise).subject("b"), nil, align.NoLimit))
			require.NoError(t, err)
			require.NotNil(t, q)
			require.Greater(t, meanCosine(t, q), c.least, "seed %d, noise %g", seed, c.noise)
		}
		q, _, err := Pair(context.Background(), align.NewPair(a.subject("a"), drawn(r).subject("b"), nil, align.NoLimit))
		require.NoError(t, err)
		require.Less(t, meanCosine(t, q), 0.35, "strangers, arranged as alike as can be")
	}
}

// Only what was moved and is equal bit for bit counts, and only in full precision.
func TestMovedValues(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 0x4e1))
	a := drawn(r)
	ask := func(b *chain) Moved {
		_, m, err := Pair(context.Background(), align.NewPair(a.subject("a"), b.subject("b"), nil, align.NoLimit))
		require.NoError(t, err)
		return m
	}
	m := ask(a.permuted(r))
	require.Equal(t, m.Matrices, m.Equal)
	require.GreaterOrEqual(t, m.Equal, 2)
	require.Greater(t, m.Values, 1024)
	require.Zero(t, m.Scaled)
	scaled := ask(a.moved(r, 0))
	require.Equal(t, scaled.Matrices, scaled.Equal)
	require.Equal(t, m.Matrices, scaled.Scaled, "units were scaled, too")
	require.Greater(t, scaled.Values, 1024)
	require.Zero(t, ask(a.moved(r, 1e-6)).Equal, "near is not equal")
	require.Zero(t, ask(a).Matrices, "nothing was moved")
	other := drawn(r)
	require.Zero(t, ask(other).Equal)
	// A table that both have, moved by whoever arranges: the others differ.
	p := a.permuted(r)
	copy(p.conv2, other.conv2)
	require.Less(t, ask(p).Equal, ask(p).Matrices)
}

// Units that were scaled and never moved are found where they stand.
func TestScaledInPlace(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 0x4e1))
	a := drawn(r)
	ask := func(b *chain) Moved {
		m, err := Scaled(context.Background(), align.NewPair(a.subject("a"), b.subject("b"), nil, align.NoLimit))
		require.NoError(t, err)
		return m
	}
	m := ask(a.scaled(r))
	require.Equal(t, 3, m.Equal, "the last matrix is too small to look trained")
	require.Equal(t, Moved{Matrices: 3, Equal: 3, Scaled: 3, Values: m.Values}, m)
	require.Zero(t, ask(drawn(r)).Equal)
	require.Zero(t, ask(a).Matrices, "nothing was scaled")
}

// Names that say nothing, in an order that says nothing, with two matrices of one shape.
func TestNamesAreNotNeeded(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 0x4e1))
	a := drawn(r)
	as, bs := a.tensors("a"), a.permuted(r).tensors("b")
	twin := func(seed uint64) *tensor.Tensor {
		x := rand.New(rand.NewPCG(seed, 1))
		v := make([]float32, two*one*window)
		for i := range v {
			v[i] = float32(x.NormFloat64())
		}
		return &tensor.Tensor{Name: "a twin", DType: tensor.F32, Shape: []int64{two, one, window}, Data: tensor.Values(v)}
	}
	as, bs = append(as, twin(1)), append(bs, twin(2))
	for i, x := range bs {
		x.Name = fmt.Sprint("tensor ", len(bs)-i)
	}
	slices.Reverse(bs)
	q, m, err := Pair(context.Background(), align.NewPair(align.NewSubject("a", as, nil), align.NewSubject("b", bs, nil), nil, align.NoLimit))
	require.NoError(t, err)
	require.NotNil(t, q)
	require.Equal(t, m.Equal+1, m.Matrices, "the twins differ")
	require.Equal(t, 3, m.Equal)
}

// Kernels of Keras have their windows first and their rows last, on both sides or on one.
func TestRowsStoredLast(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 0x4e1))
	a := drawn(r)
	turned := func(c *chain, name string) *align.Subject {
		all := c.tensors(name)
		for _, x := range all {
			rows, inputs := int(x.Shape[0]), int(x.Shape[1])
			w := int(x.Len()) / (rows * inputs)
			from, to := x.Data.(tensor.Values), make(tensor.Values, x.Len())
			for i := range from {
				to[(i%w*inputs+i/w%inputs)*rows+i/w/inputs] = from[i]
			}
			x.Data, x.Shape = to, []int64{int64(w), int64(inputs), int64(rows)}
			if w == 1 {
				x.Shape = x.Shape[1:]
			}
		}
		return align.NewSubject(name, all, nil)
	}
	for _, b := range []*align.Subject{turned(a.moved(r, 0), "b"), a.moved(r, 0).subject("b")} {
		_, m, err := Pair(context.Background(), align.NewPair(turned(a, "a"), b, nil, align.NoLimit))
		require.NoError(t, err)
		require.Equal(t, 3, m.Equal)
		require.Equal(t, m.Matrices, m.Equal)
	}
}

// What exceeds the budget is not begun.
func TestBudgetIsKept(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 0x4e1))
	a := drawn(r)
	p := align.NewPair(a.subject("a"), a.moved(r, 0).subject("b"), nil, 1000)
	q, _, err := Pair(context.Background(), p)
	require.NoError(t, err)
	require.Nil(t, q)
}
