package report_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// What one side alone has is named as its file names it: a number that we gave to a tensor
// of unknown role tells nobody which it is.
func TestLoneTensorsGoByTheirNames(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 0x10e))
	base := zoo.Random(r, zoo.Shape{Layers: 4, Hidden: 48, Width: 128, Heads: 3, KVHeads: 3, HeadDim: 16, Vocab: 256, Untied: true}, zoo.Quirks{Gains: 0.2})
	const extra = "adapter_head.proj_to_reward"
	more := base.Clone()
	v := make([]float32, 40*48)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	more.Add(extra, v, 40, 48)
	for _, turned := range []bool{false, true} {
		a, b := base, more
		if turned {
			a, b = more, base
		}
		rep, err := report.Build(context.Background(), report.Input{Ref: "a", Model: a}, report.Input{Ref: "b", Model: b}, nil)
		require.NoError(t, err)
		require.Contains(t, rep.Verdict.Kinds, verdict.Modified)
		said := strings.Join(rep.Verdict.Because, "\n")
		require.Contains(t, said, "1 tensors stand on one side only: "+extra)
		require.NotContains(t, said, "generic.")
		require.Equal(t, []string{extra}, append(rep.Delta.OnlyA, rep.Delta.OnlyB...))
	}
}
