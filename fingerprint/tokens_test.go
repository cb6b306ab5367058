package fingerprint

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// embedded is a network whose embedding is drawn at random, rows of rising
// length in a random order.
func embedded(seed uint64, hidden, vocabulary int64) (*shaped, values) {
	m := gated("llama", 4, hidden, 2*hidden, hidden, vocabulary, false)
	r := rand.New(rand.NewPCG(seed, 8))
	for _, x := range m.tensors {
		n, _ := tensor.Elements(x.Shape)
		v := make(values, n)
		for i := range v {
			v[i] = float32(r.NormFloat64())
		}
		x.Data, x.DType = v, tensor.F32
	}
	v := m.tensors[0].Data.(values)
	for row, place := range r.Perm(int(vocabulary)) {
		for k := range hidden {
			v[int64(row)*hidden+k] *= 1 + float32(place)/float32(vocabulary)
		}
	}
	return m, v
}

func tokensOf(t *testing.T, m *shaped) *Fingerprint {
	t.Helper()
	f, err := Compute(context.Background(), m, &Options{Workers: 3, ChunkBytes: 4 << 10})
	require.NoError(t, err)
	return f
}

// The signs are those of the products among the shortest rows, multiplied out.
func TestTokensAreSignsOfProducts(t *testing.T) {
	const hidden, vocabulary = 96, 1024
	m, v := embedded(1, hidden, vocabulary)
	got := tokensOf(t, m).Tokens
	require.NotNil(t, got)
	order := make([]int, vocabulary)
	for i := range order {
		order[i] = i
	}
	product := func(i, j int) (sum float64) {
		for k := range hidden {
			sum += float64(v[i*hidden+k]) * float64(v[j*hidden+k])
		}
		return sum
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(product(i, i), product(j, j)) })
	want := order[:96]
	slices.Sort(want)
	require.Equal(t, want, got.Rows)
	require.Equal(t, vocabulary, got.Vocabulary)
	n, table := 0, got.Table()
	for j, b := range want {
		for i, a := range want[:j] {
			sign := table[j*96+i]
			if (a+b)%3 != 0 {
				require.Zero(t, sign)
				continue
			}
			n++
			require.Equal(t, product(a, b) > 0, sign == 1)
			require.NotZero(t, sign)
		}
	}
	require.LessOrEqual(t, n, tokenPairs)
	require.Greater(t, n, tokenPairs*9/10)
}

// A turned residual stream leaves the signs, but for products next to nothing.
func TestTokensOutlastRotation(t *testing.T) {
	const hidden = 96
	m, v := embedded(2, hidden, 1024)
	before := tokensOf(t, m).Tokens
	r := rand.New(rand.NewPCG(3, 3))
	for range 4 * hidden { // turns in random planes
		p, q, angle := r.IntN(hidden), r.IntN(hidden-1), r.Float64()*2*math.Pi
		if q >= p {
			q++
		}
		sin, cos := math.Sincos(angle)
		for row := range 1024 {
			x := v[row*hidden : (row+1)*hidden]
			x[p], x[q] = float32(cos*float64(x[p])-sin*float64(x[q])), float32(sin*float64(x[p])+cos*float64(x[q]))
		}
	}
	after := tokensOf(t, m).Tokens
	require.NotNil(t, after)
	require.Equal(t, before.Rows, after.Rows)
	a, b, changed := before.Table(), after.Table(), 0
	for i := range a {
		if a[i] != b[i] {
			changed++
		}
	}
	require.LessOrEqual(t, changed, 2)
}

// Rows that training moved, or that stand more than once, are not published.
func TestTokensAreOfUntouchedRows(t *testing.T) {
	const hidden = 96
	m, v := embedded(4, hidden, 1024)
	f := tokensOf(t, m)
	require.NotNil(t, f.Tokens)
	old, err := Compute(context.Background(), m, &Options{Version: 1})
	require.NoError(t, err)
	require.Nil(t, old.Tokens)

	first := f.Tokens.Rows[0]
	copy(v[:hidden], v[first*hidden:(first+1)*hidden])
	copy(v[500*hidden:501*hidden], v[first*hidden:(first+1)*hidden])
	require.NotContains(t, tokensOf(t, m).Tokens.Rows, first)

	for i := range v {
		v[i] += float32(i%hidden%2) * 2 // a common direction
	}
	require.Nil(t, tokensOf(t, m).Tokens)
	for _, vocabulary := range []int64{190, 4096} {
		m, _ := embedded(5, 384, vocabulary)
		require.Equal(t, vocabulary < 192, tokensOf(t, m).Tokens == nil)
	}
}

// Which rows are kept does not depend on the order in which they come.
func TestShortRowsInAnyOrder(t *testing.T) {
	const n, d = 600, 24
	r := rand.New(rand.NewPCG(7, 7))
	x := make([]float32, n*d)
	for i := range x {
		x[i] = float32(r.IntN(5) - 2) // equal lengths and equal rows abound
	}
	for row := 0; row < n; row += 9 {
		copy(x[row*d:(row+1)*d], x[(row/2)*d:(row/2+1)*d])
	}
	kept := func(order []int) string {
		s := &shortRows{rows: n, d: d}
		s.limit.Store(math.Float64bits(math.Inf(1)))
		for _, row := range order {
			s.take(int64(row*d), x[row*d:(row+1)*d])
		}
		out := ""
		for _, b := range s.best {
			out += fmt.Sprint(b.square, b.values, b.repeated, ";")
		}
		return out
	}
	want := kept(r.Perm(n))
	for range 20 {
		require.True(t, want == kept(r.Perm(n)))
	}
}
