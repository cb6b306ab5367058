package report_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// Attention heads in another order are named as such, also where few heads
// moved, only query heads within their group did, or heads are too small for
// tests on them; and noise on them is not.
func TestHeadsInAnotherOrder(t *testing.T) {
	seeds := uint64(cases(1, 2, 4))
	for _, s := range []zoo.Shape{
		{Layers: 4, Hidden: 64, Width: 160, Heads: 4, KVHeads: 2, HeadDim: 16, Vocab: 256, Untied: true},
		{Layers: 6, Hidden: 96, Width: 160, Heads: 3, KVHeads: 3, HeadDim: 32, Vocab: 256, Untied: true},
		{Layers: 6, Hidden: 96, Width: 160, Heads: 8, KVHeads: 8, HeadDim: 8, Vocab: 256, Untied: true},
		{Layers: 2, Hidden: 64, Width: 160, Heads: 4, KVHeads: 1, HeadDim: 16, Vocab: 256, Untied: true},
	} {
		for seed := range seeds {
			r := rand.New(rand.NewPCG(seed, 0x4ead))
			a := zoo.Random(r, s, zoo.Quirks{Gains: 0.2})
			permuted, noisy := a.Clone(), a.Clone()
			zoo.PermuteHeads(r, permuted)
			for l := range s.Layers {
				q := noisy.Values([]string{"model.layers.0", "model.layers.1", "model.layers.2", "model.layers.3", "model.layers.4", "model.layers.5"}[l] + ".self_attn.q_proj.weight")
				for i := range q {
					q[i] += 0.03 * float32(r.NormFloat64())
				}
			}
			kinds := func(b *zoo.Model) []verdict.Kind {
				rep, err := report.Build(context.Background(), report.Input{Ref: "a", Model: a}, report.Input{Ref: "b", Model: b}, nil)
				require.NoError(t, err)
				require.Equal(t, verdict.Related, rep.Verdict.Relation)
				return rep.Verdict.Kinds
			}
			require.Equal(t, []verdict.Kind{verdict.Reparameterised}, kinds(permuted), "%+v, seed %d", s, seed)
			require.NotContains(t, kinds(noisy), verdict.Reparameterised, "%+v, seed %d", s, seed)
		}
	}
}
