package report_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
)

// nameless gives the tensors names that no known architecture has.
func nameless(m *zoo.Model) *zoo.Model {
	out := zoo.New()
	for i, t := range m.Tensors() {
		out.Add(fmt.Sprintf("stage.w%d", i), m.Values(t.Name), t.Shape...)
	}
	return out
}

// In networks whose roles are unknown a child is told from a network that was
// grown from the same initialisation, and both from a stranger.
func TestUnknownArchitecture(t *testing.T) {
	seeds := 3
	if testing.Short() {
		seeds = 1
	}
	const vocab, batch, rate = 128, 32, 3e-3
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 0x6e3))
		start, other := zoo.NewNet(r, 2, 32, 64, vocab), zoo.NewNet(r, 2, 32, 64, vocab)
		first, second := zoo.NewChain(r, vocab), zoo.NewChain(r, vocab)
		parent, twin, child := start.Clone(), start.Clone(), (*zoo.Net)(nil)
		parent.Train(r, first, 300, batch, rate)
		twin.Train(r, second, 300, batch, rate)
		other.Train(r, first, 300, batch, rate)
		child = parent.Clone()
		child.Train(r, second, 20, batch, rate/3)
		against := func(b *zoo.Net) report.Verdict {
			rep, err := report.Build(context.Background(), report.Input{Ref: "a", Model: nameless(parent.Model())}, report.Input{Ref: "b", Model: nameless(b.Model())}, nil)
			require.NoError(t, err)
			return rep.Verdict
		}
		v := against(child)
		require.Equal(t, report.Related, v.Relation, "seed %d: %v", seed, v.Because)
		v = against(twin)
		require.Equal(t, report.SharedInit, v.Relation, "seed %d: %v", seed, v.Because)
		v = against(other)
		require.Contains(t, []report.Relation{report.NoEvidence, report.Inconclusive}, v.Relation, "seed %d: %v", seed, v.Because)
	}
}
