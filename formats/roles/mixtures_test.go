package roles_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
)

// counting is a matrix whose values tell their place.
func counting(first float32, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = first + float32(i)
	}
	return out
}

// Stacked experts are cut one by one under every name in use, also where their
// sides are equal and shapes tell nothing.
func TestMixtureNames(t *testing.T) {
	const experts = 3
	for _, names := range [][4]string{
		{"model.layers.0.mlp.switch_mlp.", "gate_proj.weight", "up_proj.weight", "down_proj.weight"},
		{"model.layers.0.block_sparse_moe.switch_mlp.", "gate_proj.weight", "up_proj.weight", "down_proj.weight"},
		{"layers.0.moe.experts.", "w1", "w3", "w2"},
		{"layers.0.feed_forward.experts.", "w1", "w3", "w2"},
		{"layers.0.ffn.experts.", "w1", "w3", "w2"},
	} {
		for _, size := range [][2]int64{{6, 4}, {4, 4}} {
			width, hidden := size[0], size[1]
			n := int(experts * width * hidden)
			m := zoo.New()
			m.Add("model.embed_tokens.weight", make([]float32, 20*hidden), 20, hidden)
			m.Add(names[0]+names[1], counting(0, n), experts, width, hidden)
			m.Add(names[0]+names[2], counting(1000, n), experts, width, hidden)
			m.Add(names[0]+names[3], counting(2000, n), experts, hidden, width)
			l := roles.Map(m).Towers[0].Layers[0]
			require.Len(t, l.Experts, experts, names[0])
			per := int(width * hidden)
			for e, x := range l.Experts {
				require.Equal(t, counting(float32(e*per), per), gathered(t, x.Gate), names[0])
				require.Equal(t, counting(float32(1000+e*per), per), gathered(t, x.Up), names[0])
				require.Equal(t, counting(float32(2000+e*per), per), gathered(t, x.Down), names[0])
			}
		}
	}
}

// Experts that lie one below the other in a matrix are cut by the number of the
// router's rows, and their last matrix is turned.
func TestPiledExperts(t *testing.T) {
	const experts, width, hidden = 3, 5, 4
	pile := func(router int64, rows int64) *roles.Network {
		m := zoo.New()
		m.Add("transformer.wte.weight", make([]float32, 20*hidden), 20, hidden)
		m.Add("transformer.blocks.0.ffn.router.layer.weight", make([]float32, router*hidden), router, hidden)
		for i, name := range []string{"w1", "v1", "w2"} {
			m.Add("transformer.blocks.0.ffn.experts.mlp."+name, counting(float32(1000*i), int(rows*hidden)), rows, hidden)
		}
		return roles.Map(m)
	}
	l := pile(experts, experts*width).Towers[0].Layers[0]
	require.Len(t, l.Experts, experts)
	for e, x := range l.Experts {
		first := float32(e * width * hidden)
		require.Equal(t, counting(first, width*hidden), gathered(t, x.Gate))
		require.Equal(t, counting(1000+first, width*hidden), gathered(t, x.Up))
		down := gathered(t, x.Down)
		require.Equal(t, []int{hidden, width}, []int{x.Down.Rows, x.Down.Cols})
		for r := range hidden {
			for c := range width {
				require.Equal(t, 2000+first+float32(c*hidden+r), down[r*width+c])
			}
		}
	}
	require.Empty(t, pile(experts, experts*width+1).Towers[0].Layers[0].Experts, "no whole experts")
}

// Experts one by one, shared ones and the router have their places under every
// name in use.
func TestMixtureParts(t *testing.T) {
	for name, want := range map[string]string{
		"layers.1.moe.experts.4.w1.weight":                                "layers.1.experts.4.gate",
		"layers.1.ffn.experts.4.w3.weight":                                "layers.1.experts.4.up",
		"model.layers.1.feed_forward.experts.4.w2.weight":                 "layers.1.experts.4.down",
		"layers.1.ffn.shared_experts.w1.weight":                           "layers.1.mlp.gate_shared",
		"model.layers.1.mlp.shared_mlp.up_proj.weight":                    "layers.1.mlp.up_shared",
		"model.layers.1.block_sparse_moe.shared_experts.down_proj.weight": "layers.1.mlp.down_shared",
		"layers.1.moe.router.gate.weight":                                 "layers.1.mlp.router",
	} {
		m := zoo.New()
		m.Add("model.embed_tokens.weight", make([]float32, 40), 10, 4)
		m.Add(name[:strings.Index(name, "1.")]+"1.attention.wq.weight", make([]float32, 16), 4, 4)
		m.Add(name, make([]float32, 24), 6, 4)
		require.Equal(t, want, roleOf(roles.Map(m), name), name)
	}
	for _, name := range []string{"model.layers.1.block_sparse_moe.e_score_correction_bias", "model.layers.1.feed_forward.expert_bias", "layers.1.moe.expert_bias", "model.layers.1.mlp.moe_statics.e_score_correction_bias"} {
		m := zoo.New()
		m.Add("model.embed_tokens.weight", make([]float32, 40), 10, 4)
		m.Add(name, make([]float32, 8), 8)
		require.Equal(t, "layers.1.mlp.router_bias", roleOf(roles.Map(m), name), name)
	}
}

func roleOf(n *roles.Network, name string) string {
	for _, a := range n.Roles {
		if a.Tensor.Name == name {
			return a.Role
		}
	}
	return fmt.Sprint("no role of ", name)
}
