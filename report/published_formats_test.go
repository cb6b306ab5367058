package report_test

import (
	"path/filepath"
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
