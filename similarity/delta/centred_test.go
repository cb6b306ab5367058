package delta

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// What is added to all values of a row that reads what a LayerNorm gives, or of a column that
// writes to it, is left out; elsewhere it counts.
func TestCentred(t *testing.T) {
	const rows, cols = 24, 40
	r := rand.New(rand.NewPCG(4, 4))
	a := make([]float32, rows*cols)
	for i := range a {
		a[i] = float32(r.NormFloat64())
	}
	byRow, byColumn := make([]float32, rows*cols), make([]float32, rows*cols)
	for i := range a {
		byRow[i] = a[i] + float32(i/cols)
		byColumn[i] = a[i] + float32(i%cols)
	}
	apart := func(b []float32, reads, writes bool, gains [2][]float32) (float64, int64) {
		m := typed(rows, cols, tensor.F32)
		m.ReadsCentred, m.WritesCentred = reads, writes
		c := newCentred(m, m, gains)
		c.add(a[:5*cols], b[:5*cols]) // in pieces, as they are read
		c.add(a[5*cols:], b[5*cols:])
		f := c.result(true)
		return f.Apart(), f.N
	}
	near := func(want bool, b []float32, reads, writes bool) {
		t.Helper()
		got, n := apart(b, reads, writes, [2][]float32{})
		require.EqualValues(t, rows*cols, n)
		require.Equal(t, want, got < 1e-3, got)
	}
	near(true, byRow, true, false)
	near(false, byColumn, true, false)
	near(true, byColumn, false, true)
	near(false, byRow, false, true)
	_, n := apart(byRow, false, false, [2][]float32{})
	require.Zero(t, n, "no norm takes anything away")

	gain, scaled := make([]float32, cols), make([]float32, rows*cols) // b: a with the gains of one side folded in, and a number on each row
	for k := range gain {
		gain[k] = 0.5 + float32(k)/cols
	}
	ones := make([]float32, cols)
	for i := range scaled {
		ones[i%cols] = 1
		scaled[i] = a[i]*gain[i%cols] + float32(i/cols)
	}
	got, _ := apart(scaled, true, false, [2][]float32{gain, ones})
	require.Less(t, got, 1e-3)

	m := typed(rows, cols, tensor.F32)
	m.WritesCentred = true
	c := newCentred(m, m, [2][]float32{})
	c.add(a[:5*cols], byColumn[:5*cols])
	require.Zero(t, c.result(false).N, "columns that were not read whole")
}
