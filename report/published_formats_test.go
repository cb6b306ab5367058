package report_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// Exports of one model are the same values, and quantised exports are named
// quantised.
func TestExportsOfOneModel(t *testing.T) {
	for _, c := range []struct {
		a, b  string
		kinds []verdict.Kind
	}{
		{"onnx/testdata/state.safetensors", "onnx/testdata/script.onnx", []verdict.Kind{verdict.Repackaged}},
		{"onnx/testdata/state.safetensors", "onnx/testdata/dynamo.onnx", []verdict.Kind{verdict.Repackaged}},
		{"onnx/testdata/script.onnx", "onnx/testdata/dynamo.onnx", nil},
		{"onnx/testdata/state.safetensors", "onnx/testdata/dynamic.onnx", []verdict.Kind{verdict.Repackaged, verdict.QuantisedKind}},
		{"onnx/testdata/script.onnx", "onnx/testdata/dynamic-channels.onnx", []verdict.Kind{verdict.QuantisedKind}},
	} {
		r, err := report.Compare(t.Context(), filepath.Join("../formats", c.a), filepath.Join("../formats", c.b), nil)
		require.NoError(t, err)
		want := verdict.Reencoded
		if c.kinds == nil {
			want = verdict.Identical
		}
		require.Equal(t, want, r.Verdict.Relation, "%s %s: %v", c.a, c.b, r.Verdict.Because)
		require.ElementsMatch(t, c.kinds, r.Verdict.Kinds, "%s %s", c.a, c.b)
	}
}

// Batch norms that an exporter folded into the layers before them are named, and so is
// a fold whose steps were rounded in another order; a network that was trained further
// before it was folded is not called the same.
func TestFoldedBatchNorms(t *testing.T) {
	for _, c := range []struct {
		a, b     string
		relation verdict.Relation
		kinds    []verdict.Kind
		words    string
	}{
		{"model.safetensors", "model.onnx", verdict.Related, []verdict.Kind{verdict.Scaled}, "3 of them by γ/√(σ²+ε) of a batch norm that A keeps and B does not (ε 1e-05, 0.001), and 3 biases"},
		{"model.onnx", "model.safetensors", verdict.Related, []verdict.Kind{verdict.Scaled}, "3 of them by γ/√(σ²+ε) of a batch norm that B keeps and A does not"},
		{"model.safetensors", "fused.safetensors", verdict.Related, []verdict.Kind{verdict.Scaled}, "that A keeps"},
		{"fused.safetensors", "model.onnx", verdict.Related, []verdict.Kind{verdict.Modified}, "differ by no more than rounding does"},
		{"model.safetensors", "stranger.onnx", verdict.Inconclusive, nil, ""},
	} {
		r, err := report.Compare(t.Context(), filepath.Join("testdata/batchnorm", c.a), filepath.Join("testdata/batchnorm", c.b), nil)
		require.NoError(t, err)
		require.Equal(t, c.relation, r.Verdict.Relation, "%s %s: %v", c.a, c.b, r.Verdict.Because)
		require.ElementsMatch(t, c.kinds, r.Verdict.Kinds, "%s %s", c.a, c.b)
		require.Contains(t, strings.Join(r.Verdict.Because, "\n"), c.words)
	}
	r, err := report.Compare(t.Context(), "testdata/batchnorm/model.safetensors", "testdata/batchnorm/tuned.onnx", nil)
	require.NoError(t, err)
	require.Equal(t, verdict.Related, r.Verdict.Relation)
	require.Contains(t, r.Verdict.Kinds, verdict.FineTuned)
	require.NotContains(t, strings.Join(r.Verdict.Because, "\n"), "batch norm")
}
