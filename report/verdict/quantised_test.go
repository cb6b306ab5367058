package verdict

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/similarity/delta"
)

// Exports quantise matrices and keep biases and gains as they are, of which there are more.
func TestStoredQuantised(t *testing.T) {
	changes := func(matrices, quantised, vectors int, other tensor.DType) *Facts {
		f := &Facts{}
		for i := range matrices + vectors {
			c := delta.Change{Component: mlp, Vector: i >= matrices, A: other, B: tensor.F32}
			if i < quantised {
				c.B = tensor.PackedInt(8)
			}
			f.Storage.Changes = append(f.Storage.Changes, c)
		}
		return f
	}
	for name, c := range map[string]struct {
		facts *Facts
		want  string
	}{
		"matrices, no vectors":   {changes(6, 6, 12, tensor.F32), "6 of 6 matrices of the body of B are stored quantised, none of A"},
		"most matrices":          {changes(6, 4, 12, tensor.F32), "4 of 6 matrices of the body of B are stored quantised, none of A"},
		"half of the matrices":   {changes(6, 3, 0, tensor.F32), ""},
		"both sides":             {changes(6, 6, 0, tensor.PackedInt(4)), ""},
		"no matrices, a vector":  {changes(0, 0, 1, tensor.PackedInt(4)), ""},
		"codes of sixteen bits":  {changes(2, 0, 0, tensor.PackedInt(16)), "2 of 2 matrices of the body of A are stored quantised, none of B"},
		"nothing that is stored": {changes(0, 0, 0, tensor.F32), ""},
	} {
		var got string
		if found := storedQuantised(c.facts, 0); len(found) > 0 {
			require.Equal(t, QuantisedKind, found[0].kind, name)
			got = found[0].words
		}
		require.Equal(t, c.want, got, name)
	}
}
