package report_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report/verdict"
)

// withLayerNorms is a network whose norms take the mean away.
func withLayerNorms(seed uint64) *zoo.Model {
	m := trainedLike(seed)
	m.Meta["config.model_type"] = "cohere"
	return m
}

// What is added to all dimensions of a residual stream is free where norms take the mean
// away: it hides no copy, alone or beside other disguises, and makes no relation.
func TestMeansThatNormsTakeAway(t *testing.T) {
	original, stranger := withLayerNorms(1), withLayerNorms(2)
	values := original.Values("model.layers.0.mlp.up_proj.weight")
	size := 0.0
	for _, v := range values {
		size += float64(v * v)
	}
	size = math.Sqrt(size / float64(len(values)))
	for name, c := range map[string]struct {
		size             float64
		rotated, renamed bool
	}{"alone": {3, false, false}, "rotated": {1, true, false}, "rotated, large": {10, true, false}, "rotated, of another name": {3, true, true}} {
		r := rand.New(rand.NewPCG(3, 0x3ea))
		copied := original.Clone()
		if c.rotated {
			zoo.MLPPermute(r, copied)
			zoo.PermuteHeads(r, copied)
			zoo.RotateAroundMean(r, copied)
		}
		zoo.AddMeans(r, copied, c.size*size)
		if c.renamed {
			copied.Meta["config.model_type"] = "llama" // whose norms take no mean away
		}
		v := verdictOf(t, original, copied)
		require.Contains(t, []verdict.Relation{verdict.Related, verdict.SharedInit}, v.Relation, "%s: %v", name, v.Because)
		if !c.rotated {
			require.Equal(t, []verdict.Kind{verdict.Reparameterised}, v.Kinds, "%s: %v", name, v.Because)
		}
		v = verdictOf(t, stranger, copied)
		require.Contains(t, []verdict.Relation{verdict.NoEvidence, verdict.Inconclusive}, v.Relation, "%s: %v", name, v.Because)
	}
}
