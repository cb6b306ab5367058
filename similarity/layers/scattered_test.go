package layers

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity/align"
)

// unitsAlike draws a network with traits that training leaves.
func unitsAlike(r *rand.Rand) *zoo.Model {
	s := zoo.Shape{Layers: 6, Hidden: 48, Width: 128, Heads: 4, KVHeads: 2, HeadDim: 12, Vocab: 100, Untied: true}
	m := zoo.Random(r, s, zoo.Quirks{})
	zoo.LikeTrained(r, m)
	return m
}

// renamed stores the tensors in any order under numbers, and tells what they were.
func renamed(r *rand.Rand, m *zoo.Model) (*zoo.Model, map[string]string) {
	out, was := zoo.New(), map[string]string{}
	for i, at := range r.Perm(len(m.Tensors())) {
		t := m.Tensors()[at]
		name := fmt.Sprintf("%x", i+7919)
		out.Add(name, m.Values(t.Name), t.Shape...)
		was[name] = t.Name
	}
	return out, was
}

func assembled(t *testing.T, m *zoo.Model, budget int64) []*roles.Network {
	t.Helper()
	s := align.NewSubject("m", m, nil)
	p := align.NewPair(s, s, []byte("seed"), budget)
	nets, err := Assemble(context.Background(), p, roles.ScatteredOf(m))
	require.NoError(t, err)
	return nets
}

// Of tensors under any names in any order those of one layer find each other by their
// units, gates are told from ups, and drawn gains from others, also where signs, scales,
// units, gains and the residual stream were changed.
func TestAssemble(t *testing.T) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 0xa55e))
		m := unitsAlike(r)
		if seed%2 > 0 {
			zoo.DisguiseAll(r, m)
		}
		hidden, was := renamed(r, m)
		for stray := range seed / 2 * (1 - seed%2) { // belongs to no layer
			x := make([]float32, 128*48)
			for i := range x {
				x[i] = float32(r.NormFloat64())
			}
			hidden.Add(fmt.Sprintf("stray%d", stray), x, 128, 48)
		}
		nets := assembled(t, hidden, align.NoLimit)
		require.NotEmpty(t, nets)
		layers := nets[0].Towers[0].Layers
		require.Len(t, layers, 6)
		for _, l := range layers {
			mlp := l.Experts[0]
			at := strings.TrimSuffix(was[mlp.Down.Tensor.Name], "mlp.down_proj.weight")
			require.Equal(t, at+"mlp.gate_proj.weight", was[mlp.Gate.Tensor.Name], "seed %d", seed)
			require.Equal(t, at+"mlp.up_proj.weight", was[mlp.Up.Tensor.Name], "seed %d", seed)
			if seed%2 > 0 {
				require.NotNil(t, l.MLPNorm)
				require.Equal(t, at+"post_attention_layernorm.weight", was[l.MLPNorm.Tensor.Name], "seed %d", seed)
			}
		}
	}
}

// Values that are not numbers are read as nothing, and no budget is overdrawn.
func TestAssembleWithin(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	m, _ := renamed(r, unitsAlike(r))
	require.Empty(t, assembled(t, m, 1000))
	for _, x := range m.Tensors() {
		values := m.Values(x.Name)
		for i := range values {
			values[i] = float32(math.NaN())
		}
	}
	nets := assembled(t, m, align.NoLimit)
	require.NotEmpty(t, nets)
	var all []string
	for _, l := range nets[0].Towers[0].Layers {
		all = append(all, l.Experts[0].Gate.Tensor.Name, l.Experts[0].Up.Tensor.Name, l.Experts[0].Down.Tensor.Name)
	}
	slices.Sort(all)
	require.Len(t, slices.Compact(all), 18, "each matrix once")
}
