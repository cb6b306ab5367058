package lineage

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// kindred is models of which the truth is known: who belongs to which family, and who
// was disguised so that values do not correspond.
type kindred struct {
	models   [][]float32
	family   []int
	disguise []bool
	asked    atomic.Int32
}

// draw makes so many families of so many models, each made of an earlier one.
func draw(r *rand.Rand, families, each int) *kindred {
	const n = 400
	k := &kindred{}
	for f := range families {
		first := len(k.models)
		for i := range each {
			m := normal(r, n)
			if i > 0 {
				m = trained(k.models[first+r.IntN(i)], r, 0.05+0.2*r.Float64(), 0, m)
			}
			k.models, k.family, k.disguise = append(k.models, m), append(k.family, f), append(k.disguise, i > 0 && r.IntN(4) == 0)
		}
	}
	return k
}

// builder knows of the models what their marks would show, and answers comparisons by the
// truth.
func (k *kindred) builder(r *rand.Rand) *builder {
	b := newBuilder(make([]report.Input, len(k.models)))
	for i := range b.in {
		b.in[i].Model = zoo.New() // of which nothing is mixed
	}
	b.vecs = &vectors{}
	var weights [][]float64
	for i, m := range k.models {
		if k.disguise[i] {
			m = normal(r, len(m))
		}
		b.vecs.shape, b.vecs.values, weights = append(b.vecs.shape, ""), append(b.vecs.values, [][]float32{m}), append(weights, []float64{1})
	}
	b.vecs.multiply(weights)
	b.near = make([][]nearness, len(k.models))
	for i := range b.near {
		b.near[i] = make([]nearness, len(k.models))
		for j := range i {
			b.near[i][j] = nearness{alike: 0.1 * r.Float64(), known: true}
			if k.family[i] == k.family[j] {
				b.near[i][j].alike = 0.5 + 0.5*r.Float64()
			}
			b.near[j][i] = b.near[i][j]
		}
	}
	b.one = func(_ context.Context, i, j int) (*report.Report, error) {
		k.asked.Add(1)
		out := &report.Report{}
		out.Verdict = verdict.Verdict{Relation: verdict.NoEvidence, Direction: verdict.Undetermined}
		if k.family[i] == k.family[j] {
			out.Verdict.Relation = verdict.Related
			out.Delta = &report.Delta{Tensors: 1}
			if k.disguise[i] != k.disguise[j] || k.disguise[i] {
				out.Verdict.Kinds = []verdict.Kind{verdict.Reparameterised}
			}
		}
		return out, nil
	}
	return b
}

// Families are found whole and joined to no others, every edge was compared, and how
// many comparisons that takes grows with the models.
func TestFamiliesAreGathered(t *testing.T) {
	for _, c := range []struct{ families, each int }{{1, 10}, {6, 1}, {3, 8}, {10, 6}, {2, 60}} {
		for seed := range uint64(5) {
			r := rand.New(rand.NewPCG(seed, 33))
			k := draw(r, c.families, c.each)
			b := k.builder(r)
			ctx := context.Background()
			require.NoError(t, b.gather(ctx))
			of := b.groups()
			for i := range of {
				for j := range i {
					require.Equal(t, k.family[i] == k.family[j], of[i] == of[j], "%v, seed %d: models %d and %d", c, seed, j, i)
				}
			}
			b.settle()
			g := &Graph{}
			for f := range c.families {
				var members []int
				for i := range of {
					if k.family[i] == f {
						members = append(members, i)
					}
				}
				b.grow(g, b.origin(members), members, nil)
			}
			require.Len(t, g.Edges, c.families*(c.each-1), "%v, seed %d", c, seed)
			n := len(k.models)
			require.LessOrEqual(t, int(k.asked.Load()), 2*n+tries*c.families, "%v, seed %d", c, seed)
		}
	}
}

// What is drawn rests on comparisons: where one refuses, the edge is drawn elsewhere.
func TestEdgesAreCompared(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 33))
	k := draw(r, 2, 12)
	b := k.builder(r)
	ctx := context.Background()
	require.NoError(t, b.gather(ctx))
	g, err := b.draw(ctx)
	require.NoError(t, err)
	require.Equal(t, int(k.asked.Load()), g.Compared)
	for _, e := range g.Edges {
		require.True(t, b.at(e.From, e.To).compared)
		require.Equal(t, k.family[e.From], k.family[e.To])
	}
	require.Len(t, g.Edges, 22)
}

// A model that has a part in common with two families joins neither, and both stay
// apart.
func TestPartsJoinNoFamilies(t *testing.T) {
	b := family(make([][]float32, 5)...)
	b.near = make([][]nearness, 5)
	for i := range b.near {
		b.near[i] = make([]nearness, 5)
	}
	for i := range 5 {
		for j := range i {
			*b.at(i, j) = pair{relation: verdict.Inconclusive, suggests: verdict.Undetermined}
		}
	}
	join := func(i, j int, kinds ...verdict.Kind) {
		*b.at(i, j) = pair{relation: verdict.Related, kinds: kinds, suggests: verdict.Undetermined, compared: true}
	}
	join(0, 1)
	join(2, 3)
	join(0, 4, verdict.Partial)
	join(3, 4, verdict.Partial)
	require.Equal(t, []int{0, 0, 2, 2, 4}, b.groups())
	b.vecs = noVectors(5)
	b.settle()
	require.False(t, b.kin(0, 2))
	for i := range 4 {
		require.True(t, b.kin(i, 4) && b.inPart(i, 4), "part of one of a family is part of all: %d", i)
	}
	_, joint := b.families()
	require.Equal(t, []bool{false, false, false, false, true}, joint)
}
