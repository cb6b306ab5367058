package report_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/internal/packtest"
	"github.com/weightprint/weightprint/internal/vectors"
	"github.com/weightprint/weightprint/report"
)

// quantised writes a packed copy of the model in a folder.
func quantised(t testing.TB, parent string, l packtest.Layout) string {
	t.Helper()
	m, err := formats.Open(context.Background(), parent, nil)
	require.NoError(t, err)
	defer m.Close()
	config, err := os.ReadFile(filepath.Join(parent, "config.json"))
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, packtest.Quantise(context.Background(), dir, m, config, l))
	if b, err := os.ReadFile(filepath.Join(parent, "tokenizer.json")); err == nil {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "tokenizer.json"), b, 0o600))
	}
	return dir
}

// packedFamily is a model with a child and a stranger.
type packedFamily struct{ base, child, stranger string }

func packedFamilies(t testing.TB) []packedFamily {
	dir := models(t)
	out := []packedFamily{{filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune"), filepath.Join(dir, "other-seed")}}
	if zoo, ok := vectors.Shared(t, "zoo"); ok && !testing.Short() {
		out = append(out, packedFamily{filepath.Join(zoo, "r1"), filepath.Join(zoo, "r1-ft-short"), filepath.Join(zoo, "r2")})
	}
	return out
}

// Packed copies are recognised whichever side is named first.
func TestPackedCopies(t *testing.T) {
	layouts := packtest.Layouts
	if testing.Short() {
		layouts = layouts[1:4]
	}
	for i, f := range packedFamilies(t) {
		if i > 0 {
			layouts = layouts[1:2] // the further family differs in its weights only
		}
		for _, l := range layouts {
			t.Run(filepath.Base(f.base)+" as "+l.Name, func(t *testing.T) {
				packed := quantised(t, f.base, l)
				forth, back := compare(t, f.base, packed, nil), compare(t, packed, f.base, nil)
				for i, r := range []*report.Report{forth, back} {
					require.Equal(t, report.Reencoded, r.Verdict.Relation, "%v", r.Verdict)
					require.Equal(t, []report.Kind{report.QuantisedKind}, r.Verdict.Kinds)
					require.Equal(t, []report.Direction{report.AToB, report.BToA}[i], r.Verdict.Direction)
					require.Empty(t, r.Warnings)
				}
			})
		}
	}
}

func TestPackedRelativesAndStrangers(t *testing.T) {
	f := packedFamilies(t)[0]
	for _, l := range []packtest.Layout{packtest.Layouts[1], packtest.Layouts[3]} {
		packed := quantised(t, f.base, l)
		child := compare(t, packed, f.child, nil)
		require.Equal(t, report.Related, child.Verdict.Relation)
		require.Equal(t, "exact", child.Verdict.Tier)
		require.Contains(t, child.Verdict.Kinds, report.QuantisedKind)
		stranger := compare(t, f.stranger, packed, nil)
		require.Equal(t, report.NoEvidence, stranger.Verdict.Relation)
	}
}

// Methods that correct their errors leave no copy rounded to nearest: related
// and quantised, without a direction.
func TestCorrectedQuantisation(t *testing.T) {
	f := packedFamilies(t)[0]
	packed := quantised(t, f.base, packtest.Corrected)
	for _, r := range []*report.Report{compare(t, f.base, packed, nil), compare(t, packed, f.base, nil)} {
		require.Equal(t, report.Related, r.Verdict.Relation)
		require.Equal(t, []report.Kind{report.QuantisedKind}, r.Verdict.Kinds)
		require.Equal(t, report.Undetermined, r.Verdict.Direction)
	}
}
