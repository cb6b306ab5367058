package equality_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/equality"
)

// memory is a model whose values lie in memory.
type memory []*tensor.Tensor

func (m memory) Tensors() []*tensor.Tensor { return m }

func (m memory) Tensor(name string) (*tensor.Tensor, bool) {
	i := slices.IndexFunc(m, func(t *tensor.Tensor) bool { return t.Name == name })
	if i < 0 {
		return nil, false
	}
	return m[i], true
}

func (m memory) Metadata() tensor.Metadata { return nil }

type values []float32

func (v values) ReadValues(_ context.Context, dst []float32, first int64) error {
	copy(dst, v[first:])
	return nil
}

func (v values) StoredBytes() int64 { return int64(4 * len(v)) }

func drawn(name string, d tensor.DType, seed int, shape ...int64) *tensor.Tensor {
	n, _ := tensor.Elements(shape)
	s := rng.New([]byte{byte(seed)}, name)
	v := make(values, n)
	for i := range v {
		v[i] = float32(int64(s.Uint64()>>40)-1<<23) / (1 << 20)
		if r := d.Rounding(); r != nil {
			v[i] = r(v[i])
		}
	}
	return &tensor.Tensor{Name: name, DType: d, Shape: shape, Data: v}
}

// with is a tensor of other values under the same or another shape.
func with(t *tensor.Tensor, name string, d tensor.DType, shape []int64, f func(values) values) *tensor.Tensor {
	return &tensor.Tensor{Name: name, DType: d, Shape: shape, Data: f(slices.Clone(t.Data.(values)))}
}

func same(v values) values { return v }

func transposed(rows, cols int) func(values) values {
	return func(v values) values {
		out := make(values, len(v))
		for r := range rows {
			for c := range cols {
				out[c*rows+r] = v[r*cols+c]
			}
		}
		return out
	}
}

func rounded(d tensor.DType) func(values) values {
	return func(v values) values {
		for i := range v {
			v[i] = d.Rounding()(v[i])
		}
		return v
	}
}

func TestMatch(t *testing.T) {
	w := drawn("w", tensor.F32, 1, 12, 7)
	square := drawn("q", tensor.F32, 2, 8, 8)
	kernel := drawn("k", tensor.F32, 3, 5, 4, 3, 2) // out, in, height, width
	for name, c := range map[string]struct {
		a, b    *tensor.Tensor
		paired  bool
		rounded string
		moved   bool
	}{
		"equal":              {w, with(w, "w", tensor.F32, w.Shape, same), true, "", false},
		"renamed":            {w, with(w, "x.y", tensor.F32, w.Shape, same), true, "", false},
		"axes of length one": {w, with(w, "x", tensor.F32, []int64{12, 7, 1, 1}, same), true, "", false},
		"transposed":         {w, with(w, "x", tensor.F32, []int64{7, 12}, transposed(12, 7)), true, "", true},
		"square transposed":  {square, with(square, "x", tensor.F32, square.Shape, transposed(8, 8)), true, "", true},
		"cast":               {w, with(w, "x", tensor.BF16, w.Shape, rounded(tensor.BF16)), true, "B", false},
		"cast and transposed": {with(w, "x", tensor.F16, []int64{7, 12}, func(v values) values { return rounded(tensor.F16)(transposed(12, 7)(v)) }),
			w, true, "A", true},
		"one value other":  {w, with(w, "w", tensor.F32, w.Shape, func(v values) values { v[40]++; return v }), false, "", false},
		"values exchanged": {w, with(w, "w", tensor.F32, w.Shape, func(v values) values { v[0], v[1] = v[1], v[0]; return v }), false, "", false},
		"kernel's axes": {kernel, with(kernel, "x", tensor.F32, []int64{3, 2, 4, 5}, func(v values) values {
			out := values{}
			for h := range 3 {
				for wd := range 2 {
					for i := range 4 {
						for o := range 5 {
							out = append(out, v[((o*4+i)*3+h)*2+wd])
						}
					}
				}
			}
			return out
		}), true, "", true},
		"sign of zero": {with(w, "w", tensor.F32, w.Shape, func(v values) values { v[3] = 0; return v }),
			with(w, "w", tensor.F32, w.Shape, func(v values) values { v[3] = float32(-1) * 0; return v }), true, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := equality.Match(t.Context(), memory{c.a}, memory{c.b}, nil)
			require.NoError(t, err)
			require.Equal(t, c.paired, got.Whole())
			if !c.paired {
				require.Empty(t, got.Pairs)
				require.Len(t, got.OnlyA, 1)
				require.Len(t, got.OnlyB, 1)
				return
			}
			require.Equal(t, c.rounded, got.Pairs[0].Rounded)
			require.Equal(t, c.moved, got.Pairs[0].Moved != nil)
		})
	}
}

// Names settle which of several equal tensors belong together; constants and
// position ids that one side lacks cost nothing, learned values do.
func TestMatchWhole(t *testing.T) {
	layer := func(i int) *tensor.Tensor { return drawn(fmt.Sprint("l", i), tensor.F32, i, 6, 6) }
	a := memory{layer(1), layer(2), layer(3)}
	twice := with(layer(2), "l4", tensor.F32, []int64{6, 6}, same)
	ones := &tensor.Tensor{Name: "ones", DType: tensor.F32, Shape: []int64{64}, Data: values(slices.Repeat([]float32{1}, 64))}
	ids := &tensor.Tensor{Name: "ids", DType: tensor.I64, Shape: []int64{4}, Data: values{0, 1, 2, 3}}

	c, err := equality.Match(t.Context(), a, append(slices.Clone(a), ones, ids), nil)
	require.NoError(t, err)
	require.True(t, c.Whole())
	require.Len(t, c.Pairs, 3)
	for _, p := range c.Pairs {
		require.Equal(t, p.A.Name, p.B.Name)
	}

	c, err = equality.Match(t.Context(), a, append(slices.Clone(a), twice), nil)
	require.NoError(t, err)
	require.False(t, c.Whole(), "a layer that stands twice has one counterpart only")
	require.Equal(t, "l4", c.OnlyB[0].Name)

	unread := &tensor.Tensor{Name: "codes", DType: tensor.Opaque, Shape: []int64{4}}
	c, err = equality.Match(t.Context(), append(slices.Clone(a), unread), append(slices.Clone(a), unread), nil)
	require.NoError(t, err)
	require.False(t, c.Whole(), "values that cannot be read are not known to be equal")

	c, err = equality.Match(t.Context(), memory{ones}, memory{ones}, nil)
	require.NoError(t, err)
	require.False(t, c.Whole(), "constants alone make no model")
}
