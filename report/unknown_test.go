package report_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// nameless gives the tensors names that no known architecture has.
func nameless(m *zoo.Model) *zoo.Model {
	out := zoo.New()
	for i, t := range m.Tensors() {
		out.Add(fmt.Sprintf("stage.w%d", i), m.Values(t.Name), t.Shape...)
	}
	return out
}

// Two lightly trained networks of one seed are no relatives where there are no
// gains to tell, whether their roles are known or not.
func TestOneSeedWithoutGains(t *testing.T) {
	draw := zoo.Traps[slices.IndexFunc(zoo.Traps, func(x zoo.Trap) bool { return x.ID == "T6" })].Make
	for i := range cases(2, 4, 12) {
		a, b := draw(rand.New(rand.NewPCG(uint64(50+i), 0x7a9)))
		a, b = withoutGains(a), withoutGains(b)
		for _, pair := range [][2]*zoo.Model{{a, b}, {nameless(a), nameless(b)}} {
			rep, err := report.Build(context.Background(), report.Input{Ref: "a", Model: pair[0]}, report.Input{Ref: "b", Model: pair[1]}, nil)
			require.NoError(t, err)
			require.NotEqual(t, verdict.Related, rep.Verdict.Relation, "case %d: %v", i, rep.Verdict.Because)
		}
	}
}

func withoutGains(m *zoo.Model) *zoo.Model {
	out := zoo.New()
	out.Meta = m.Meta
	for _, t := range m.Tensors() {
		if len(t.Shape) > 1 {
			out.Add(t.Name, m.Values(t.Name), t.Shape...)
		}
	}
	return out
}

// In networks whose roles are unknown a child is told from a network that was
// grown from the same initialisation, for which labels may speak alone, and both
// from a stranger.
func TestUnknownArchitecture(t *testing.T) {
	const vocab, batch, rate = 128, 32, 3e-3
	for seed := range uint64(cases(1, 2, 3)) {
		r := rand.New(rand.NewPCG(seed, 0x6e3))
		start, other := zoo.NewNet(r, 2, 32, 64, vocab), zoo.NewNet(r, 2, 32, 64, vocab)
		first, second := zoo.NewChain(r, vocab), zoo.NewChain(r, vocab)
		parent, twin, child := start.Clone(), start.Clone(), (*zoo.Net)(nil)
		parent.Train(r, first, 300, batch, rate)
		twin.Train(r, second, 300, batch, rate)
		other.Train(r, first, 300, batch, rate)
		child = parent.Clone()
		child.Train(r, second, 20, batch, rate/3)
		against := func(b *zoo.Net) verdict.Verdict { return verdictOf(t, nameless(parent.Model()), nameless(b.Model())) }
		v := against(child)
		require.Equal(t, verdict.Related, v.Relation, "seed %d: %v", seed, v.Because)
		v = verdictOf(t, nameless(parent.Model()), turned(r, child.Model()))
		require.Equal(t, verdict.Related, v.Relation, "transposed, seed %d: %v", seed, v.Because)
		v = verdictOf(t, nameless(parent.Model()), turned(r, other.Model()))
		require.Contains(t, []verdict.Relation{verdict.NoEvidence, verdict.Inconclusive}, v.Relation, "transposed, seed %d: %v", seed, v.Because)
		v = against(twin)
		require.Contains(t, []verdict.Relation{verdict.SharedInit, verdict.Inconclusive}, v.Relation, "seed %d: %v", seed, v.Because)
		require.Contains(t, append(v.Alternatives, v.Because...), verdict.SameInit)
		v = against(other)
		require.Contains(t, []verdict.Relation{verdict.NoEvidence, verdict.Inconclusive}, v.Relation, "seed %d: %v", seed, v.Because)
	}
}

func verdictOf(t *testing.T, a, b *zoo.Model) verdict.Verdict {
	t.Helper()
	rep, err := report.Build(context.Background(), report.Input{Ref: "a", Model: a}, report.Input{Ref: "b", Model: b}, nil)
	require.NoError(t, err)
	return rep.Verdict
}

// turned stores every matrix the other way round, under names and in an order that say
// nothing.
func turned(r *rand.Rand, m *zoo.Model) *zoo.Model {
	out := zoo.New()
	all := slices.Clone(m.Tensors())
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for i, t := range all {
		x, name := m.Values(t.Name), fmt.Sprintf("variable_%d", i)
		if len(t.Shape) != 2 {
			out.Add(name, x, t.Shape...)
			continue
		}
		rows, cols := t.Shape[0], t.Shape[1]
		y := make([]float32, len(x))
		for i, v := range x {
			y[int64(i)%cols*rows+int64(i)/cols] = v
		}
		out.Add(name, y, cols, rows)
	}
	return out
}
