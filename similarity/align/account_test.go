package align

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
)

// counted is data that counts the values that are decoded.
type counted struct {
	tensor.Values
	values int64
}

func (c *counted) ReadValues(ctx context.Context, dst []float32, first int64) error {
	c.values += int64(len(dst))
	return c.Values.ReadValues(ctx, dst, first)
}

func countedModel(n int, types ...tensor.DType) (tensor.Tensors, []*counted) {
	var m tensor.Tensors
	var all []*counted
	for i, d := range types {
		v := make(tensor.Values, n)
		for k := range v {
			v[k] = float32(i*n + k)
			if r := d.Rounding(); r != nil {
				v[k] = r(v[k])
			}
		}
		c := &counted{Values: v}
		all = append(all, c)
		m = append(m, &tensor.Tensor{Name: string(rune('a' + i)), DType: d, Shape: []int64{int64(n / 10), 10}, Data: c})
	}
	return m, all
}

// Whatever ranges are asked for, the values are the model's, each is decoded once,
// and the account says how many bytes that took.
func TestAccountDecodesOnce(t *testing.T) {
	const n = 1000
	m, real := countedModel(n, tensor.F32, tensor.BF16)
	a := NewAccount(m)
	r := rand.New(rand.NewPCG(1, 2))
	seen := map[[2]int]bool{}
	for range 400 {
		i := r.IntN(2)
		first := r.IntN(n)
		dst := make([]float32, r.IntN(n-first)+1)
		require.NoError(t, a.Tensors()[i].Data.ReadValues(t.Context(), dst, int64(first)))
		require.Equal(t, []float32(real[i].Values[first:first+len(dst)]), dst)
		for k := range dst {
			seen[[2]int{i, first + k}] = true
		}
		require.Equal(t, int64(len(seen)), real[0].values+real[1].values)
		require.Equal(t, 4*int64(len(seen)), a.Spent())
	}
	require.Equal(t, int64(mostKept)-4*real[0].values-2*real[1].values, a.room, "bfloat16 is kept in halves")
}

// What does not fit is decoded again and what was kept stays.
func TestAccountWithoutRoom(t *testing.T) {
	m, real := countedModel(100, tensor.F32)
	a := NewAccount(m)
	a.room = 200
	read := func(first, n int64) {
		require.NoError(t, a.Tensors()[0].Data.ReadValues(t.Context(), make([]float32, n), first))
	}
	for range 3 {
		read(0, 50) // kept
		read(50, 50)
	}
	require.Equal(t, int64(50+3*50), real[0].values)
	require.Equal(t, 4*real[0].values, a.Spent())
}

// budgeted is a pair of models of one layer's matrices under a budget.
func budgeted(t *testing.T, budget int64) *Pair {
	t.Helper()
	a, _ := countedModel(1000, tensor.F32, tensor.F32)
	b, _ := countedModel(1000, tensor.F32, tensor.F32)
	p := NewPair(NewSubject("a", a, nil), NewSubject("b", b, nil), nil, budget)
	if left := p.Left(); budget != NoLimit {
		require.Equal(t, budget-budget/valuesAside, left)
	}
	p.Release()
	for _, s := range []*Subject{p.A, p.B} {
		s.Rows.room = 0
	}
	return p
}

func read(t *testing.T, s *Subject, first, n int64) {
	t.Helper()
	require.NoError(t, s.Rows.Tensors()[0].Data.ReadValues(t.Context(), make([]float32, n), first))
}

// What is promised is not promised twice; what was read counts for the dearer side;
// what was promised and not read is given back when accounts are settled.
func TestReserve(t *testing.T) {
	p := budgeted(t, 1000)
	require.Equal(t, 4, p.Reserve(100, 4))
	require.Equal(t, int64(600), p.Left())
	read(t, p.A, 0, 50) // 200 bytes of what is held
	require.Equal(t, int64(600), p.Left())
	require.Equal(t, 6, p.Reserve(100, 9), "no more than is left")
	require.Equal(t, 0, p.Reserve(1, 1))
	require.False(t, p.Fits(1, 100))
	p.Settle()
	require.Equal(t, int64(800), p.Left())
	require.True(t, p.Fits(400, 50))
	require.False(t, p.Fits(401, 50))
	read(t, p.B, 0, 200) // nobody asked, but it is booked
	require.Equal(t, int64(200), p.Left())
	require.True(t, p.Bounded())
}

func TestNothingIsHeldWithoutALimit(t *testing.T) {
	p := budgeted(t, NoLimit)
	require.Equal(t, 1<<30, p.Reserve(1<<40, 1<<30))
	require.True(t, p.Fits(1<<60, 1))
	require.False(t, p.Bounded())
	require.Zero(t, p.A.Rows.booked())
}

func TestABudgetNeedsAccounts(t *testing.T) {
	m, _ := countedModel(10, tensor.F32)
	bare := &Subject{Net: roles.Map(m)}
	require.Panics(t, func() { NewPair(bare, bare, nil, 1) })
	NewPair(bare, bare, nil, NoLimit)
}

// Rows of all matrices are compared alike, and where one of each is too much some
// matrices are dropped.
func TestRowsWithin(t *testing.T) {
	cost := func(x MatrixPair, rows int) int64 { return x.A.Cost(rows) } // 40 bytes a row
	for _, c := range []struct {
		budget        int64
		rows, dropped int
	}{{NoLimit, 16, 0}, {10_000, 16, 0}, {800, 9, 0}, {100, 1, 0}, {88, 1, 1}, {40, 1, 2}} {
		p := budgeted(t, c.budget)
		m := p.Match()
		require.Len(t, m.Matrices, 2)
		rows, dropped := p.RowsWithin(m, cost)
		require.Equal(t, c.rows, rows, c.budget)
		require.Equal(t, c.dropped, dropped, c.budget)
		require.Len(t, m.Matrices, 2-dropped)
		if p.Bounded() {
			require.Equal(t, c.budget-int64(rows*(2-dropped))*40, p.Left(), "what will be read is held")
		}
	}
}
