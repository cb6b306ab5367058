package roles_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
)

// What reads a stream whose norms take the mean away, and what writes to it, is marked: by
// the family, or where a norm has a bias.
func TestCentred(t *testing.T) {
	draw := func(kind string, bias bool) *roles.Tower {
		s := zoo.Shape{Layers: 2, Hidden: 32, Width: 48, Heads: 2, KVHeads: 1, HeadDim: 16, Vocab: 64, Untied: true}
		m := zoo.Random(rand.New(rand.NewPCG(1, 1)), s, zoo.Quirks{})
		m.Meta["config.model_type"] = kind
		if bias {
			m.Add("model.layers.0.input_layernorm.bias", make([]float32, s.Hidden), int64(s.Hidden))
		}
		return roles.Map(m).Towers[0]
	}
	for name, c := range map[string]struct {
		tower *roles.Tower
		want  bool
	}{"llama": {draw("llama", false), false}, "llama with a norm's bias": {draw("llama", true), true}, "cohere": {draw("cohere", false), true}} {
		require.Equal(t, c.want, c.tower.Centred, name)
		for _, l := range c.tower.Layers {
			for _, m := range []*roles.Matrix{l.Q, l.K, l.V, l.Experts[0].Gate, l.Experts[0].Up, c.tower.Embedding, c.tower.Head} {
				require.Equal(t, c.want, m.ReadsCentred, "%s: %s", name, m.Role)
				require.False(t, m.WritesCentred, "%s: %s", name, m.Role)
			}
			for _, m := range []*roles.Matrix{l.O, l.Experts[0].Down} {
				require.Equal(t, c.want, m.WritesCentred, "%s: %s", name, m.Role)
				require.False(t, m.ReadsCentred, "%s: %s", name, m.Role)
			}
		}
	}
}
