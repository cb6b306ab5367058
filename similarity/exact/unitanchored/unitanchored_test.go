package unitanchored_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/basis"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/similarity/exact/evalue"
	"github.com/weightprint/weightprint/similarity/exact/unitanchored"
	"github.com/weightprint/weightprint/similarity/mlp"
)

func normal(r *rand.Rand, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(r.NormFloat64())
	}
	return out
}

func random(r *rand.Rand, layers, units, hidden int) (out []mlp.Block) {
	for range layers {
		n := units * hidden
		out = append(out, mlp.Gated(normal(r, n), normal(r, n), normal(r, n), units, hidden))
	}
	return out
}

// changed flips units, turns the residual stream into another width and adds
// noise, keeping the order of units; orders, where given, permutes them too.
func changed(r *rand.Rand, net []mlp.Block, noise float64, wide int, orders [][]int) (out []mlp.Block) {
	h := net[0].Hidden
	turn := basis.Transpose(basis.Orthonormal(normal(r, h*wide), h, wide), h, wide) // wide × h
	for l, b := range net {
		signs := make([]float32, b.Units)
		for i := range signs {
			signs[i] = float32(1 - 2*r.IntN(2))
		}
		var rows [3][]float32
		for v, view := range b.Views() {
			x := make([]float32, len(view.Rows))
			for i := range b.Units {
				from := i
				if orders != nil {
					from = orders[l][i]
				}
				for k := range h {
					y := view.Rows[from*h+k] + float32(noise*r.NormFloat64())
					if view.Equivariant {
						y *= signs[i]
					}
					x[i*h+k] = y
				}
			}
			rows[v] = make([]float32, b.Units*wide)
			dense.MulNT(rows[v], x, turn, b.Units, wide, h)
		}
		out = append(out, mlp.Gated(rows[0], rows[1], rows[2], b.Units, wide))
	}
	return out
}

func TestOrderShowsThroughRotations(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	a := random(r, 4, 80, 32)
	for _, wide := range []int{32, 40} {
		layers := unitanchored.Layers(a, changed(r, a, 0.3, wide, nil), nil)
		require.Len(t, layers, 3, "the first layer has nothing to look back to")
		for _, l := range layers {
			require.GreaterOrEqual(t, l.Fixed(nil), 76, "layer %d", l.At)
		}
	}
}

// TestFixedPointsOfRelabelledNetworks permutes the units of copies at random,
// which is the null given the worst of data. Over 40 copies of three layers
// 120 fixed points are expected, deviation 11; 3.3 deviations are allowed. The
// e-value of at most one copy in 20 may exceed 20: more than 6 of 40 has
// probability .003.
func TestFixedPointsOfRelabelledNetworks(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	a := random(r, 4, 40, 24)
	total, beyond := 0, 0
	for range 40 {
		orders := [][]int{r.Perm(40), r.Perm(40), r.Perm(40), r.Perm(40)}
		var tables []evalue.Table
		for _, l := range unitanchored.Layers(a, changed(r, a, 0, 24, orders), nil) {
			total += l.Fixed(nil)
			tables = append(tables, evalue.Table{Likeness: l.Likeness, N: len(l.Labels)})
		}
		if evalue.Blocks(tables, nil) > math.Log(20) {
			beyond++
		}
	}
	require.InDelta(t, 120, total, 36)
	require.LessOrEqual(t, beyond, 6)
}

// TestLayersLookBackOnly: relabelling a layer leaves all layers before it as
// they are.
func TestLayersLookBackOnly(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	a := random(r, 3, 40, 24)
	same := []int{}
	for i := range 40 {
		same = append(same, i)
	}
	before := unitanchored.Layers(a, changed(rand.New(rand.NewPCG(1, 9)), a, 0.2, 24, [][]int{same, same, same}), nil)
	after := unitanchored.Layers(a, changed(rand.New(rand.NewPCG(1, 9)), a, 0.2, 24, [][]int{same, same, r.Perm(40)}), nil)
	require.Equal(t, before[0], after[0])
	require.NotEqual(t, before[1].Likeness, after[1].Likeness)
}

func TestOtherWidthsAreLeftOut(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	require.Empty(t, unitanchored.Layers(random(r, 3, 40, 24), random(r, 3, 41, 24), nil))
	require.Empty(t, unitanchored.Layers(nil, nil, nil))
}

// A layer of which no unit may be compared, as in one of equal values, shows nothing.
func TestLayersWithoutUsableUnits(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	a := random(r, 3, 40, 24)
	layers := unitanchored.Layers(a, a, &unitanchored.Options{Usable: func(at, _ int) bool { return at != 1 }})
	require.Len(t, layers, 2)
	require.Empty(t, layers[0].Likeness)
	require.Zero(t, layers[0].Fixed(nil))
	require.Equal(t, 40, layers[1].Fixed(nil))
}
