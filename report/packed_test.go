package report_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/packtest"
	"github.com/weightprint/weightprint/internal/vectors"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// quantised writes a packed copy of the model in a folder.
func quantised(t testing.TB, parent string, l packtest.Layout) string {
	t.Helper()
	m, err := formats.Open(context.Background(), parent, nil)
	require.NoError(t, err)
	defer m.Close()
	return quantisedFrom(t, m, parent, l)
}

// quantisedFrom is quantised for a model made from that of the folder.
func quantisedFrom(t testing.TB, m tensor.Model, parent string, l packtest.Layout) string {
	t.Helper()
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
					require.Equal(t, verdict.Reencoded, r.Verdict.Relation, "%v", r.Verdict)
					require.Equal(t, []verdict.Kind{verdict.QuantisedKind}, r.Verdict.Kinds)
					require.Equal(t, []verdict.Direction{verdict.AToB, verdict.BToA}[i], r.Verdict.Suggested())
					require.Empty(t, r.Warnings)
				}
			})
		}
	}
}

func TestPackedRelativesAndStrangers(t *testing.T) {
	f := packedFamilies(t)[0]
	if testing.Short() {
		t.Skip("a comparison of strangers takes the calibrated tests")
	}
	for _, l := range packtest.Layouts[3:4] {
		packed := quantised(t, f.base, l)
		child := compare(t, packed, f.child, nil)
		require.Equal(t, verdict.Related, child.Verdict.Relation)
		require.Equal(t, "exact", child.Verdict.Tier)
		require.Contains(t, child.Verdict.Kinds, verdict.QuantisedKind)
		stranger := compare(t, f.stranger, packed, nil)
		require.Equal(t, verdict.NoEvidence, stranger.Verdict.Relation)
	}
}

// Methods that correct their errors leave no copy rounded to nearest: related
// and quantised, without a direction.
func TestCorrectedQuantisation(t *testing.T) {
	f := packedFamilies(t)[0]
	packed := quantised(t, f.base, packtest.Corrected)
	for _, r := range []*report.Report{compare(t, f.base, packed, nil), compare(t, packed, f.base, nil)} {
		require.Equal(t, verdict.Related, r.Verdict.Relation)
		require.Equal(t, []verdict.Kind{verdict.QuantisedKind}, r.Verdict.Kinds)
		require.Equal(t, verdict.Undetermined, r.Verdict.Direction)
	}
}

// The same codes and scales in two layouts are the same values, stored
// otherwise.
func TestSameCodesInTwoLayouts(t *testing.T) {
	f := packedFamilies(t)[0]
	r := compare(t, quantised(t, f.base, packtest.Layouts[0]), quantised(t, f.base, packtest.Layouts[2]), nil)
	require.Equal(t, verdict.Reencoded, r.Verdict.Relation)
	require.Equal(t, []verdict.Kind{verdict.Repackaged}, r.Verdict.Kinds)
	require.Equal(t, verdict.Undetermined, r.Verdict.Direction)
	require.Equal(t, [2]string{"gptq", "awq"}, [2]string{r.Subjects[0].Layout, r.Subjects[1].Layout})
	require.Equal(t, r.Subjects[0].Root, r.Subjects[1].Root)
}

// AWQ moves scales from norms into matrices before it rounds.
func TestSmoothedQuantisation(t *testing.T) {
	f := packedFamilies(t)[0]
	m, err := formats.Open(context.Background(), f.base, nil)
	require.NoError(t, err)
	defer m.Close()
	smooth, err := packtest.Smoothed(context.Background(), m)
	require.NoError(t, err)
	packed := quantisedFrom(t, smooth, f.base, packtest.Layouts[2])
	for i, r := range []*report.Report{compare(t, f.base, packed, nil), compare(t, packed, f.base, nil)} {
		require.Equal(t, verdict.Related, r.Verdict.Relation)
		require.Equal(t, "exact", r.Verdict.Tier)
		require.ElementsMatch(t, []verdict.Kind{verdict.QuantisedKind, verdict.Reparameterised}, r.Verdict.Kinds)
		require.Equal(t, []verdict.Direction{verdict.AToB, verdict.BToA}[i], r.Verdict.Suggested(), "gains were multiplied")
	}
}

// Where a packed subject is larger than the budget, a sample of its rows
// settles the case within it.
func TestPackedWithinABudget(t *testing.T) {
	if testing.Short() {
		t.Skip("models larger than a budget take a while to make")
	}
	const hidden, width = 256, 2048
	parent := t.TempDir()
	specs := []zoo.Spec{{Name: "model.embed_tokens.weight", Shape: []int64{512, hidden}}}
	for l := range 3 {
		p := fmt.Sprintf("model.layers.%d.mlp.", l)
		specs = append(specs, zoo.Spec{Name: p + "gate_proj.weight", Shape: []int64{width, hidden}}, zoo.Spec{Name: p + "up_proj.weight", Shape: []int64{width, hidden}},
			zoo.Spec{Name: p + "down_proj.weight", Shape: []int64{hidden, width}})
	}
	require.NoError(t, zoo.WriteBF16(parent, specs, `{"model_type":"llama"}`, 1, 0, 0))
	const budget = 512 << 10
	for _, l := range []packtest.Layout{packtest.Layouts[0], packtest.Layouts[3]} {
		packed := quantised(t, parent, l)
		r := compare(t, parent, packed, &report.Options{Budget: budget})
		require.Equal(t, "exact", r.Verdict.Tier, l.Name)
		require.Equal(t, verdict.Related, r.Verdict.Relation, l.Name)
		require.Equal(t, []verdict.Kind{verdict.QuantisedKind, verdict.EqualSoFar}, r.Verdict.Kinds, "less than every value is no re-encoding")
		require.Greater(t, r.Subjects[1].BytesTotal, int64(2*budget))
		require.Less(t, r.Subjects[1].BytesRead, int64(budget), l.Name)
	}
}
