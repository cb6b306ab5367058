package mlp_test

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/similarity/mlp"
)

// What is put together when it is asked for is what is put together at once.
func TestJoin(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 0))
	plain, ungated := block(r, 48), mlp.Ungated(normal(r, 30*hidden), normal(r, 30*hidden), 30, hidden)
	divided := split(r, plain, 0.5, 0)
	scaled := split(r, block(r, 20), 0.5, 0)
	for k := range hidden { // of another length: only the second grouping finds it
		scaled.First[0].Rows[k] *= 3
	}
	twice := ungated
	copy(twice.First[0].Rows[hidden:2*hidden], twice.First[0].Rows[:hidden])
	for name, b := range map[string]mlp.Block{"nothing to join": plain, "all": divided, "some": scaled, "no gate": twice, "no units": mlp.Gated(nil, nil, nil, 0, hidden)} {
		want, joined := mlp.Rejoined(b)
		got := mlp.Join(b)
		require.Equal(t, want, got.Block(), name)
		require.Equal(t, want.Units, got.Head().Units, name)
		require.Equal(t, want.Compass, got.Head().Compass, name)
		require.Equal(t, name == "nothing to join" || name == "no units", joined == 0, name)
		require.Equal(t, b, mlp.Whole(b).Block())
	}
}

// Where all gates are one there are as many pairs as the square of units: none is kept.
func TestRejoinedKeepsNoPairs(t *testing.T) {
	const n, h = 4000, 4
	row := []float32{1, 2, 3, 4}
	rows := make([]float32, 0, n*h)
	for range n {
		rows = append(rows, row...)
	}
	b := mlp.Gated(rows, rows, rows, n, h)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	out, joined := mlp.Rejoined(b)
	runtime.ReadMemStats(&after)
	require.Equal(t, 1, out.Units)
	require.Equal(t, n-1, joined)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(n*n), "a byte for every two gates")
}
