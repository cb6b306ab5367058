package mlp

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/basis"
	"github.com/weightprint/weightprint/internal/dense"
)

func gaussian(r *rand.Rand, n int, size float64) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(size * r.NormFloat64())
	}
	return out
}

// widened gives each row more columns and turns all of them.
func widened(r *rand.Rand, rows, turn []float32, n, from, to int, size float64) []float32 {
	wide := make([]float32, 0, n*to)
	for i := range n {
		wide = append(append(wide, rows[i*from:(i+1)*from]...), gaussian(r, to-from, size)...)
	}
	return basis.Mul(wide, turn, n, to, to)
}

// What stands in directions that come to nothing is taken out in any basis, and nothing
// else: products of rows are those of the network without such directions.
func TestWithoutIdle(t *testing.T) {
	const units, hidden, wide = 80, 24, 36
	for _, gated := range []bool{true, false} {
		for _, c := range []struct {
			name        string
			read, write float64 // what stands there
			want        int
		}{{"read, not written", 5, 0, wide - hidden}, {"written, not read", 0, 5, wide - hidden}, {"neither", 0, 0, 0}} {
			r := rand.New(rand.NewPCG(5, 1))
			turn := basis.Orthonormal(gaussian(r, wide*wide, 1), wide, wide)
			var plain, grown []Block
			for range 3 {
				g, u, d := gaussian(r, units*hidden, 1), gaussian(r, units*hidden, 1), gaussian(r, units*hidden, 1)
				wg, wu := widened(r, g, turn, units, hidden, wide, c.read), widened(r, u, turn, units, hidden, wide, c.read)
				wd := widened(r, d, turn, units, hidden, wide, c.write)
				if gated {
					plain, grown = append(plain, Gated(g, u, d, units, hidden)), append(grown, Gated(wg, wu, wd, units, wide))
				} else {
					plain, grown = append(plain, Ungated(g, d, units, hidden)), append(grown, Ungated(wg, wd, units, wide))
				}
			}
			same, none := WithoutIdle(plain, nil, nil)
			require.Zero(t, none, c.name)
			require.Equal(t, plain, same)
			before := append([]float32(nil), grown[0].First[0].Rows...)
			got, n := WithoutIdle(grown, nil, nil) // directions where nothing stands hide nothing
			require.Equal(t, c.want, n, c.name)
			require.Equal(t, before, grown[0].First[0].Rows, "the blocks given stay as they are")
			for i := range got {
				for v, x := range got[i].Views() {
					want := make([]float32, units*units)
					dense.Gram(want, plain[i].Views()[v].Rows, units, hidden)
					have := make([]float32, units*units)
					dense.Gram(have, x.Rows, units, wide)
					require.InDeltaSlice(t, want, have, 0.02, "%s, view %d", c.name, v)
				}
			}
		}
	}
}

// Units that do next to nothing do not make a direction count, and few units say nothing.
func TestWithoutIdleWeighsUnits(t *testing.T) {
	const units, hidden, wide = 80, 24, 36
	r := rand.New(rand.NewPCG(6, 1))
	turn := basis.Orthonormal(gaussian(r, wide*wide, 1), wide, wide)
	var blocks []Block
	for range 3 {
		g, u := gaussian(r, units*wide, 1), gaussian(r, units*wide, 1)
		d := widened(r, gaussian(r, units*hidden, 1), turn, units, hidden, wide, 0)
		idle := gaussian(r, units*wide, 1)
		blocks = append(blocks, Gated(append(g, gaussian(r, units*wide, 1e-3)...), append(u, gaussian(r, units*wide, 1)...), append(d, idle...), 2*units, wide))
	}
	_, n := WithoutIdle(blocks, nil, nil)
	require.Equal(t, wide-hidden, n)
	few := Gated(gaussian(r, 40*wide, 1), gaussian(r, 40*wide, 1), gaussian(r, 40*wide, 1), 40, wide)
	_, n = WithoutIdle([]Block{few}, nil, nil)
	require.Zero(t, n)
	// What reads strongly where tokens put little does little.
	stream := basis.ColumnGram(widened(r, gaussian(r, 200*hidden, 1), turn, 200, hidden, wide, 0.005), 200, wide)
	for i := range blocks {
		lively := widened(r, make([]float32, units*hidden), turn, units, hidden, wide, 30)
		copy(blocks[i].First[0].Rows[units*wide:], lively)
		copy(blocks[i].Second[0].Rows[units*wide:], lively)
	}
	_, n = WithoutIdle(blocks, nil, nil)
	require.NotEqual(t, wide-hidden, n)
	_, n = WithoutIdle(blocks, stream, nil)
	require.Equal(t, wide-hidden, n)
}
