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

// trainedLike draws a network with gains of its own, as training leaves them.
func trainedLike(seed uint64) *zoo.Model {
	s := zoo.Shape{Layers: 4, Hidden: 64, Width: 160, Heads: 8, KVHeads: 4, HeadDim: 16, Vocab: 256, Untied: true}
	return zoo.Random(rand.New(rand.NewPCG(seed, 0xd15)), s, zoo.Quirks{Gains: 0.2})
}

// A disguised copy, whatever the disguise, is related to its original, and not
// to an independent network.
func TestDisguises(t *testing.T) {
	disguises := append([]zoo.Disguise{{Name: "all together", Apply: zoo.DisguiseAll}}, zoo.Disguises...)
	original, stranger := trainedLike(1), trainedLike(2)
	for i, d := range disguises {
		t.Run(d.Name, func(t *testing.T) {
			if testing.Short() && i%4 != 0 {
				t.Skip("in full runs only")
			}
			copied := original.Clone()
			d.Apply(rand.New(rand.NewPCG(3, 0xd15)), copied)
			against := func(a, b *zoo.Model) verdict.Verdict {
				if i%2 == 1 { // half of the disguises are the first of the two
					a, b = b, a
				}
				r, err := report.Build(context.Background(), report.Input{Ref: "a", Model: a}, report.Input{Ref: "b", Model: b}, nil)
				require.NoError(t, err)
				return r.Verdict
			}
			v := against(original, copied)
			require.Equal(t, verdict.Related, v.Relation, "%v", v.Because)
			require.Contains(t, v.Kinds, verdict.Reparameterised, "%v", v.Because)
			v = against(stranger, copied)
			require.Contains(t, []verdict.Relation{verdict.NoEvidence, verdict.Inconclusive}, v.Relation, "%v", v.Because)
		})
	}
}

// skewed is a network whose embedding, which is the head too, has a few
// directions that outweigh all others, as the frequency of tokens leaves them.
func skewed(seed uint64) *zoo.Model {
	s := zoo.Shape{Layers: 4, Hidden: 64, Width: 160, Heads: 4, KVHeads: 2, HeadDim: 16, Vocab: 300}
	r := rand.New(rand.NewPCG(seed, 0x5e3))
	m := zoo.Random(r, s, zoo.Quirks{Gains: 0.2})
	e := m.Values("model.embed_tokens.weight")
	for range 3 {
		direction := make([]float32, s.Hidden)
		for k := range direction {
			direction[k] = 4 * float32(r.NormFloat64())
		}
		for i := range s.Vocab {
			w := float32(r.NormFloat64())
			for k, v := range direction {
				e[i*s.Hidden+k] += w * v
			}
		}
	}
	return m
}

// Tokens that lie along few directions hide no rotated copy, and make none of
// strangers.
func TestSkewedTokens(t *testing.T) {
	for seed := range uint64(cases(1, 2, 4)) {
		a, stranger := skewed(2*seed), skewed(2*seed+1)
		b := a.Clone()
		zoo.RotateResidual(rand.New(rand.NewPCG(seed, 3)), b)
		zoo.RotateResidual(rand.New(rand.NewPCG(seed, 4)), stranger)
		r, err := report.Build(context.Background(), report.Input{Ref: "a", Model: a}, report.Input{Ref: "b", Model: b}, nil)
		require.NoError(t, err)
		require.Equal(t, verdict.Related, r.Verdict.Relation, "%v", r.Verdict.Because)
		require.Equal(t, "exact", r.Verdict.Tier, "%v", r.Verdict.Because)
		require.Contains(t, r.Verdict.Kinds, verdict.Reparameterised, "%v", r.Verdict.Because)
		r, err = report.Build(context.Background(), report.Input{Ref: "a", Model: a}, report.Input{Ref: "b", Model: stranger}, nil)
		require.NoError(t, err)
		require.Contains(t, []verdict.Relation{verdict.NoEvidence, verdict.Inconclusive}, r.Verdict.Relation, "%v", r.Verdict.Because)
	}
}

// Gains that were multiplied at random say nothing of training: a relative that
// was trained further is no less one, and the multiplied side is the later.
func TestRescaledGainsDoNotHideTraining(t *testing.T) {
	for seed := range uint64(cases(2, 3, 6)) {
		r := rand.New(rand.NewPCG(seed, 0x9a1))
		a := trainedLike(100 + seed)
		b := a.Clone()
		for _, x := range b.Tensors() { // as trained further
			size := 0.3
			if len(x.Shape) == 1 {
				size = 0.1
			}
			for i, v := range b.Values(x.Name) {
				b.Values(x.Name)[i] = v + float32(size*r.NormFloat64())
			}
		}
		zoo.RescaleGains(r, a)
		rep, err := report.Build(context.Background(), report.Input{Ref: "a", Model: a}, report.Input{Ref: "b", Model: b}, nil)
		require.NoError(t, err)
		require.Equal(t, verdict.Related, rep.Verdict.Relation, "%v", rep.Verdict.Because)
		require.Contains(t, rep.Verdict.Kinds, verdict.Reparameterised)
		require.Equal(t, verdict.BToA, rep.Verdict.Suggested(), "%v", rep.Verdict.Because)
	}
}

// What needs neither tokens nor labels is read before samples use a budget up: a copy
// whose vocabulary is in another order too is found in half of a deep network.
func TestDisguisesUnderABudget(t *testing.T) {
	s := zoo.Shape{Layers: 12, Hidden: 64, Width: 160, Heads: 8, KVHeads: 4, HeadDim: 16, Vocab: 256, Untied: true}
	draw := func(seed uint64) *zoo.Model {
		return zoo.Random(rand.New(rand.NewPCG(seed, 0xb5d)), s, zoo.Quirks{Gains: 0.2})
	}
	original, stranger := draw(1), draw(2)
	copied := original.Clone()
	r := rand.New(rand.NewPCG(3, 0xb5d))
	zoo.DisguiseAll(r, copied)
	order := r.Perm(s.Vocab)
	for _, name := range []string{"model.embed_tokens.weight", "lm_head.weight"} {
		rows := copied.Values(name)
		old := append([]float32(nil), rows...)
		for to, from := range order {
			copy(rows[to*s.Hidden:(to+1)*s.Hidden], old[from*s.Hidden:(from+1)*s.Hidden])
		}
	}
	total := int64(0)
	for _, x := range original.Tensors() {
		total += x.StoredBytes()
	}
	for m, want := range map[*zoo.Model]verdict.Relation{original: verdict.Related, stranger: verdict.NoEvidence} {
		r, err := report.Build(context.Background(), report.Input{Ref: "a", Model: m}, report.Input{Ref: "b", Model: copied}, &report.Options{Budget: report.Bytes(total / 2)})
		require.NoError(t, err)
		require.Equal(t, want, r.Verdict.Relation, "%v", r.Verdict.Because)
		require.Less(t, int64(r.Subjects[1].BytesRead), total*2/3)
	}
}
