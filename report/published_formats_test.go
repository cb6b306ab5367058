package report_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report"
)

// Exports of one model are the same values, and quantised exports are named
// quantised.
func TestExportsOfOneModel(t *testing.T) {
	for _, c := range []struct {
		a, b  string
		kinds []report.Kind
	}{
		{"onnx/testdata/state.safetensors", "onnx/testdata/script.onnx", []report.Kind{report.Repackaged}},
		{"onnx/testdata/state.safetensors", "onnx/testdata/dynamo.onnx", []report.Kind{report.Repackaged}},
		{"onnx/testdata/script.onnx", "onnx/testdata/dynamo.onnx", nil},
		{"onnx/testdata/state.safetensors", "onnx/testdata/dynamic.onnx", []report.Kind{report.Repackaged, report.QuantisedKind}},
		{"onnx/testdata/script.onnx", "onnx/testdata/dynamic-channels.onnx", []report.Kind{report.QuantisedKind}},
	} {
		r, err := report.Compare(t.Context(), filepath.Join("../formats", c.a), filepath.Join("../formats", c.b), nil)
		require.NoError(t, err)
		want := report.Reencoded
		if c.kinds == nil {
			want = report.Identical
		}
		require.Equal(t, want, r.Verdict.Relation, "%s %s: %v", c.a, c.b, r.Verdict.Because)
		require.ElementsMatch(t, c.kinds, r.Verdict.Kinds, "%s %s", c.a, c.b)
	}
}
