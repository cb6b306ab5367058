package mlp_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/similarity/mlp"
)

const hidden = 40

func normal(r *rand.Rand, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(r.NormFloat64())
	}
	return out
}

// split divides every unit into two with the same gate, up to noise, whose
// outputs add up to the unit's, and shuffles.
func split(r *rand.Rand, b mlp.Block, size, noise float64) mlp.Block {
	n := b.Units
	order := r.Perm(2 * n)
	rows := [3][]float32{make([]float32, 2*n*hidden), make([]float32, 2*n*hidden), make([]float32, 2*n*hidden)}
	for i := range n {
		delta := normal(r, hidden)
		for half, to := range order[2*i : 2*i+2] {
			for k := range hidden {
				g, u, d := b.First[0].Rows[i*hidden+k], b.Second[0].Rows[i*hidden+k], b.Second[1].Rows[i*hidden+k]
				rows[0][to*hidden+k] = g + float32(noise*r.NormFloat64())
				rows[1][to*hidden+k] = u/2 + float32(1-2*half)*float32(size)*delta[k]
				rows[2][to*hidden+k] = d
			}
		}
	}
	return mlp.Gated(rows[0], rows[1], rows[2], 2*n, hidden)
}

func block(r *rand.Rand, n int) mlp.Block {
	return mlp.Gated(normal(r, n*hidden), normal(r, n*hidden), normal(r, n*hidden), n, hidden)
}

// output is what the block writes for an input.
func output(b mlp.Block, x []float32) []float64 {
	out := make([]float64, hidden)
	for i := range b.Units {
		var g, u float64
		for k, v := range x {
			g += float64(b.First[0].Rows[i*hidden+k] * v)
			if len(b.Second) == 2 {
				u += float64(b.Second[0].Rows[i*hidden+k] * v)
			}
		}
		a := g / (1 + math.Exp(-g))
		down := b.Second[len(b.Second)-1].Rows
		if len(b.Second) == 2 {
			a *= u
		}
		for k := range out {
			out[k] += a * float64(down[i*hidden+k])
		}
	}
	return out
}

func TestSplitUnitsAreRejoined(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	b := block(r, 50)
	for _, noise := range []float64{0, 0.005, 0.02} {
		got, joined := mlp.Rejoined(split(r, b, 3, noise))
		require.Equal(t, 50, joined, "noise %v", noise)
		require.Equal(t, 50, got.Units)
		if noise == 0 {
			x := normal(r, hidden)
			require.InDeltaSlice(t, output(b, x), output(got, x), 0.05)
		}
	}
}

func TestUnitsThatShareNoGateAreKept(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	b := block(r, 50)
	got, joined := mlp.Rejoined(b)
	require.Zero(t, joined)
	require.Equal(t, b.Views(), got.Views())
}

// TestGroupsOfHigherRankKeepTheirPairs: two units with one gate and unlike
// views are still two.
func TestGroupsOfHigherRankKeepTheirPairs(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	b := block(r, 50)
	copy(b.First[0].Rows[hidden:2*hidden], b.First[0].Rows[:hidden])
	got, joined := mlp.Rejoined(b)
	require.Zero(t, joined)
	x := normal(r, hidden)
	require.InDeltaSlice(t, output(b, x), output(got, x), 0.01)
}

func TestGroupsThatCancelDisappear(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	b := block(r, 50)
	copy(b.First[0].Rows[hidden:2*hidden], b.First[0].Rows[:hidden])
	copy(b.Second[0].Rows[hidden:2*hidden], b.Second[0].Rows[:hidden])
	for k := range hidden {
		b.Second[1].Rows[hidden+k] = -b.Second[1].Rows[k]
	}
	got, joined := mlp.Rejoined(b)
	require.Equal(t, 2, joined)
	require.Equal(t, 48, got.Units)
}

func TestUngatedUnitsAddTheirOutputs(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	b := mlp.Ungated(normal(r, 20*hidden), normal(r, 20*hidden), 20, hidden)
	copy(b.First[0].Rows[hidden:2*hidden], b.First[0].Rows[:hidden])
	got, joined := mlp.Rejoined(b)
	require.Equal(t, 1, joined)
	x := normal(r, hidden)
	require.InDeltaSlice(t, output(b, x), output(got, x), 0.01)
}

func TestZeroRowsAreLeftAlone(t *testing.T) {
	b := mlp.Gated(make([]float32, 8*hidden), make([]float32, 8*hidden), make([]float32, 8*hidden), 8, hidden)
	_, joined := mlp.Rejoined(b)
	require.Zero(t, joined)
}

// stacked puts blocks together.
func stacked(all ...mlp.Block) mlp.Block {
	var rows [3][]float32
	n := 0
	for _, b := range all {
		for v, x := range b.Views() {
			rows[v] = append(rows[v], x.Rows...)
		}
		n += b.Units
	}
	return mlp.Gated(rows[0], rows[1], rows[2], n, hidden)
}

func times(x []float32, by float32) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = by * v
	}
	return out
}

// TestTurnedUnitsAreOne: a unit and its mirror image, in whatever proportion, are one
// unit and a quadratic form, and a product that is taken off again is nothing.
func TestTurnedUnitsAreOne(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	b, pad := block(r, 30), block(r, 40)
	g, u, d := b.First[0].Rows, b.Second[0].Rows, b.Second[1].Rows
	x, y, z := pad.First[0].Rows, pad.Second[0].Rows, pad.Second[1].Rows
	gated := func(g, u, d []float32) mlp.Block { return mlp.Gated(g, u, d, len(g)/hidden, hidden) }
	made := stacked(
		gated(g, u, times(d, 0.75)), gated(times(g, -1), u, times(d, 0.25)), // leaves ¼(g·x)(u·x)d to be added
		gated(u, g, times(d, 0.25)), gated(times(u, -1), g, times(d, -0.25)),
		gated(x, y, z), gated(times(x, -1), y, times(z, -1)), gated(y, x, times(z, -1)), gated(times(y, -1), x, z))
	in := normal(r, hidden)
	require.InDeltaSlice(t, output(b, in), output(made, in), 0.02, "the function is kept")
	got, joined := mlp.Rejoined(made)
	require.Equal(t, 3*30+4*40, joined)
	require.True(t, got.Turned)
	for i := range 30 * hidden {
		require.InDelta(t, g[i], got.First[0].Rows[i], 1e-4, "most of a unit says which way its gate points")
	}
	honest, _ := mlp.Rejoined(b)
	require.False(t, honest.Turned)
	for k, v := range honest.Compass {
		require.InDelta(t, v, got.Compass[k], 1e-2*math.Abs(float64(v))+1, "what the layer computes points the compass")
	}
}

// TestGatesOfAnyLengthCancelUnderReLU: units whose gates differ in length only undo
// each other where the function is homogeneous.
func TestGatesOfAnyLengthCancelUnderReLU(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	b, pad := block(r, 30), block(r, 20)
	made := stacked(b, pad, mlp.Gated(times(pad.First[0].Rows, 2), pad.Second[0].Rows, times(pad.Second[1].Rows, -0.5), 20, hidden))
	got, joined := mlp.Rejoined(made)
	require.Equal(t, 40, joined)
	require.Equal(t, b.First[0].Rows, got.First[0].Rows)
	other := stacked(b, mlp.Gated(times(b.First[0].Rows[:20*hidden], 2), pad.Second[0].Rows, pad.Second[1].Rows, 20, hidden))
	_, joined = mlp.Rejoined(other)
	require.Zero(t, joined, "gates of one direction that do not work against each other")
}

// TestManyUnitsOfOneGate: a line of very many units is no trap for time.
func TestManyUnitsOfOneGate(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 1))
	b := block(r, 1500)
	for i := range 1500 {
		copy(b.First[0].Rows[i*hidden:(i+1)*hidden], b.First[0].Rows[:hidden])
	}
	got, _ := mlp.Rejoined(b)
	require.LessOrEqual(t, got.Units, 16)
}
