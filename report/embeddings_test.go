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

// Embeddings that were taken over alone are found although the residual stream
// was turned, and only they are.
func TestEmbeddingsAloneInDisguise(t *testing.T) {
	shape := zoo.Shape{Layers: 3, Hidden: 64, Width: 160, Heads: 4, KVHeads: 2, HeadDim: 16, Vocab: 512, Untied: true}
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 0xe3b))
		a, b, stranger := zoo.Random(r, shape, zoo.Quirks{Gains: 0.2}), zoo.Random(r, shape, zoo.Quirks{Gains: 0.2}), zoo.Random(r, shape, zoo.Quirks{Gains: 0.2})
		copy(b.Values("model.embed_tokens.weight"), a.Values("model.embed_tokens.weight"))
		for _, x := range []*zoo.Model{b, stranger} {
			zoo.RotateResidual(r, x)
		}
		against := func(b *zoo.Model) *report.Report {
			rep, err := report.Build(context.Background(), report.Input{Ref: "a", Model: a}, report.Input{Ref: "b", Model: b}, nil)
			require.NoError(t, err)
			return rep
		}
		rep := against(b)
		require.Equal(t, verdict.Related, rep.Verdict.Relation, "%v", rep.Verdict.Because)
		require.Equal(t, "exact", rep.Verdict.Tier)
		require.Equal(t, []verdict.Kind{verdict.Partial}, rep.Verdict.Kinds, "%v", rep.Verdict.Because)
		require.Equal(t, verdict.Undetermined, rep.Verdict.Direction)
		for _, c := range rep.Components {
			require.Equal(t, c.Name == "embeddings", c.Relation == verdict.Related, "%s is %s", c.Name, c.Relation)
		}
		require.Contains(t, []verdict.Relation{verdict.NoEvidence, verdict.Inconclusive}, against(stranger).Verdict.Relation)
	}
}

// Two strangers whose unused tokens were drawn from one seed share that draw and
// nothing more: their labels correspond, their content does not.
func TestUnusedTokensOfOneSeed(t *testing.T) {
	const used, hidden = 350, 64
	shape := zoo.Shape{Layers: 3, Hidden: hidden, Width: 160, Heads: 4, KVHeads: 2, HeadDim: 16, Vocab: 512, Untied: true}
	for seed := range uint64(2) {
		for _, turned := range []bool{false, true} {
			r := rand.New(rand.NewPCG(seed, 0xe3c))
			a, b := zoo.Random(r, shape, zoo.Quirks{Gains: 0.2}), zoo.Random(r, shape, zoo.Quirks{Gains: 0.2})
			x, y := a.Values("model.embed_tokens.weight"), b.Values("model.embed_tokens.weight")
			for i := range x[:used*hidden] {
				x[i] *= 2
				y[i] *= 2
			}
			copy(y[used*hidden:], x[used*hidden:])
			if turned {
				zoo.RotateResidual(r, b)
			}
			rep, err := report.Build(context.Background(), report.Input{Ref: "a", Model: a}, report.Input{Ref: "b", Model: b}, nil)
			require.NoError(t, err)
			require.Equal(t, verdict.Inconclusive, rep.Verdict.Relation, "%v", rep.Verdict.Because)
			require.Contains(t, rep.Verdict.Alternatives, verdict.SameInit)
		}
	}
}
