package lineage

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// family is a builder over models of one shape, all of them relatives.
func family(models ...[]float32) *builder {
	b := newBuilder(make([]report.Input, len(models)))
	b.vecs = &vectors{shape: make([]string, len(models))}
	var weights [][]float64
	for _, m := range models {
		b.vecs.values, weights = append(b.vecs.values, [][]float32{m}), append(weights, []float64{1})
	}
	b.vecs.multiply(weights)
	for i := range models {
		b.in[i].Ref = string(rune('a' + i))
		for j := range models {
			b.pairs[i][j] = pair{relation: verdict.Related, suggests: verdict.Undetermined, compared: true}
			b.pairs[i][j].distance = b.vecs.distance(i, j, 0)
		}
	}
	return b
}

// trained is a model some way from another, where a share of the way is that of
// the data which several have in common.
func trained(from []float32, r *rand.Rand, far, share float64, data []float32) []float32 {
	out := make([]float32, len(from))
	for i := range from {
		out[i] = from[i] + float32(far*(share*float64(data[i])+(1-share)*r.NormFloat64()))
	}
	return out
}

func normal(r *rand.Rand, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(r.NormFloat64())
	}
	return out
}

// Siblings hang from an ancestor that is not among the models, with their
// parent they hang from it, and a chain has no hidden ancestor, whatever the
// distances of children of one parent and however much data they share up to
// a third of the way.
func TestHiddenAncestor(t *testing.T) {
	const n = 4000
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		parent, data := normal(r, n), normal(r, n)
		far, share := 0.1+0.3*r.Float64(), 0.33*r.Float64()
		var siblings [][]float32
		for range 4 + r.IntN(3) {
			siblings = append(siblings, trained(parent, r, far, share, data))
		}
		chain := [][]float32{parent}
		for range 5 {
			chain = append(chain, trained(chain[len(chain)-1], r, far, 0, data))
		}
		for _, c := range []struct {
			what   string
			models [][]float32
			hidden int
		}{
			{"siblings", siblings, 1},
			{"siblings and their parent", append([][]float32{parent}, siblings...), 0},
			{"three siblings", siblings[:3], 0},
			{"a chain", chain, 0},
			{"snapshots of one way", [][]float32{parent, trained(parent, r, far, 1, data), trained(parent, r, 2*far, 1, data), trained(parent, r, 3*far, 1, data), trained(parent, r, 4*far, 1, data)}, 0},
		} {
			b := family(c.models...)
			g := &Graph{Nodes: make([]Node, len(c.models))}
			members := make([]int, len(c.models))
			for i := range members {
				members[i] = i
			}
			b.grow(g, b.origin(members), members, nil)
			require.Len(t, g.Nodes, len(c.models)+c.hidden, "%s, seed %d", c.what, seed)
			if c.hidden > 0 {
				require.Len(t, g.children(len(c.models)), len(c.models), "%s, seed %d", c.what, seed)
			}
		}
	}
}

// Families that have only their random beginning in common hang from it.
func TestSharedInitialisation(t *testing.T) {
	b := family(make([][]float32, 4)...)
	relate := func(i, j int, r verdict.Relation) { b.pairs[i][j].relation = r }
	for j := range 4 {
		for i := range j {
			relate(i, j, verdict.NoEvidence)
		}
	}
	relate(0, 1, verdict.Related)
	relate(1, 2, verdict.SharedInit)
	b.vecs = noVectors(4)
	g, err := b.graph(context.Background())
	require.NoError(t, err)
	require.Equal(t, Node{ID: 4, Hidden: Initialisation}, g.Nodes[4])
	var text bytes.Buffer
	require.NoError(t, g.WriteText(&text))
	require.Equal(t, `d
(the same random initialisation)
├─ a  shared-init (a reading; direction undetermined)
│  └─ b  related (direction undetermined)
└─ c  shared-init (a reading; direction undetermined)
`, text.String())
}
