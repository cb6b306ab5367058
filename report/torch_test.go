package report_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/formatstest"
	"github.com/weightprint/weightprint/internal/vectors"
	"github.com/weightprint/weightprint/report"
)

// asTorch writes a folder with a model's values as pytorch_model.bin beside
// the small files of the model.
func asTorch(t testing.TB, from string) string {
	t.Helper()
	m, err := formats.Open(context.Background(), from, nil)
	require.NoError(t, err)
	defer m.Close()
	dir := t.TempDir()
	formatstest.WriteTorch(t, filepath.Join(dir, "pytorch_model.bin"), m)
	for _, name := range []string{"config.json", "tokenizer.json"} {
		if b, err := os.ReadFile(filepath.Join(from, name)); err == nil {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
		}
	}
	return dir
}

// The same values in PyTorch's container are the same model, in both orders,
// and what is true of one container's copy is true of the other's.
func TestTorchIsAnotherContainer(t *testing.T) {
	demo := models(t)
	pairs := [][2]string{{filepath.Join(demo, "base"), filepath.Join(demo, "fine-tune")}}
	if zoo, ok := vectors.Shared(t, "zoo"); ok && !testing.Short() {
		pairs = append(pairs, [2]string{filepath.Join(zoo, "r1"), filepath.Join(zoo, "r1-ft-a")})
	}
	for _, pair := range pairs {
		base, child := pair[0], pair[1]
		torch := asTorch(t, base)
		for _, sides := range [][2]string{{base, torch}, {torch, base}, {torch, torch}} {
			r := compare(t, sides[0], sides[1], &report.Options{Budget: report.Full})
			if sides[0] == sides[1] {
				require.Equal(t, report.Identical, r.Verdict.Relation)
				continue
			}
			require.Equal(t, report.Reencoded, r.Verdict.Relation)
			require.Equal(t, []report.Kind{report.Repackaged}, r.Verdict.Kinds)
			require.Equal(t, r.Subjects[0].Root, r.Subjects[1].Root)
		}
		same, other := compare(t, base, child, nil), compare(t, torch, child, nil)
		require.Equal(t, same.Verdict.Relation, other.Verdict.Relation)
		require.Equal(t, same.Verdict.Log10P, other.Verdict.Log10P)
	}
}
