package report_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// The carry is measured at full depth, and what it finds stands in all forms of the
// report; elsewhere the report says how to have it measured.
func TestReportStatesTheCarry(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	a := zoo.Random(r, zoo.Shape{Layers: 2, Hidden: 64, Width: 128, Heads: 4, KVHeads: 2, HeadDim: 16, Vocab: 256, Untied: true}, zoo.Quirks{})
	for _, x := range a.Tensors() {
		if strings.Contains(x.Name, "_proj") || strings.Contains(x.Name, "head") {
			for k := range a.Values(x.Name) {
				a.Values(x.Name)[k] *= 0.1
			}
		}
	}
	b := a.Clone()
	for _, x := range b.Tensors() {
		for k := range b.Values(x.Name) {
			b.Values(x.Name)[k] *= float32(1 + 0.2*r.NormFloat64())
		}
	}
	for _, depth := range []report.Depth{report.Normal, report.Deep} {
		found, err := report.Build(t.Context(), report.Input{Ref: "a", Model: a}, report.Input{Ref: "b", Model: b}, &report.Options{Depth: depth, Budget: report.Full})
		require.NoError(t, err)
		require.Contains(t, []verdict.Relation{verdict.Related, verdict.SharedInit}, found.Verdict.Relation)
		all := strings.Join(found.Verdict.Alternatives, "\n")
		var text strings.Builder
		require.NoError(t, found.WriteText(&text))
		if depth == report.Normal {
			require.False(t, found.Carry.Measured)
			require.Contains(t, strings.Join(strings.Fields(text.String()), " "), "weightprint compare A B --depth full --budget full")
			require.Contains(t, all, "passenger")
			continue
		}
		require.True(t, found.Carry.Measured, found.Carry.Why)
		require.InDelta(t, 1, float64(*found.Carry.A), 0.2)
		require.InDelta(t, 1, float64(*found.Carry.B), 0.2)
		require.NotContains(t, all, "passenger")
		require.Contains(t, text.String(), "carry: what agrees is")
	}
}
