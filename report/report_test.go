package report_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/demo"
	"github.com/weightprint/weightprint/internal/vectors"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// models extracts the embedded networks.
func models(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, demo.Extract(dir))
	return dir
}

// cases is how many cases a test takes: few in short runs, and all of those that
// it was written for where WEIGHTPRINT_LONG is set.
func cases(short, usual, long int) int {
	switch {
	case os.Getenv("WEIGHTPRINT_LONG") != "":
		return long
	case testing.Short():
		return short
	}
	return usual
}

func compare(t testing.TB, a, b string, o *report.Options) *report.Report {
	t.Helper()
	r, err := report.Compare(context.Background(), a, b, o)
	require.NoError(t, err)
	return r
}

func TestDemoPairsInBothOrders(t *testing.T) {
	dir := models(t)
	for _, s := range demo.Steps {
		for _, pair := range [][2]string{{s.A, s.B}, {s.B, s.A}} {
			r := compare(t, filepath.Join(dir, pair[0]), filepath.Join(dir, pair[1]), nil)
			require.Equal(t, s.Want, string(r.Verdict.Relation), "%v", pair)
			if r.Verdict.Relation == verdict.Related {
				require.Equal(t, "exact", r.Verdict.Tier)
				require.Less(t, float64(*r.Verdict.Log10P), -100.0)
			}
		}
	}
}

// The same bytes come out on any number of processors and in every run.
func TestReportIsDeterministic(t *testing.T) {
	dir := models(t)
	var first []byte
	workers := []int{1, 2, 7, 2}
	if testing.Short() {
		workers = workers[2:]
	}
	for _, procs := range workers {
		old := runtime.GOMAXPROCS(procs)
		r := compare(t, filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune"), &report.Options{Depth: report.Deep})
		runtime.GOMAXPROCS(old)
		var b bytes.Buffer
		require.NoError(t, r.WriteJSON(&b))
		if first == nil {
			first = b.Bytes()
		}
		require.Equal(t, string(first), b.String())
	}
	back, err := report.ReadJSON(bytes.NewReader(first))
	require.NoError(t, err)
	var again bytes.Buffer
	require.NoError(t, back.WriteJSON(&again))
	require.Equal(t, string(first), again.String())
}

func TestIdenticalUnderAnotherName(t *testing.T) {
	dir := models(t)
	entries, err := os.ReadDir(filepath.Join(dir, "base"))
	require.NoError(t, err)
	other := t.TempDir()
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, "base", e.Name()))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(other, e.Name()), b, 0o600))
	}
	r := compare(t, filepath.Join(dir, "base"), other, nil)
	require.Equal(t, verdict.Identical, r.Verdict.Relation)
	require.Equal(t, r.Subjects[0].Root, r.Subjects[1].Root)
}

func TestClaims(t *testing.T) {
	dir := models(t)
	r := compare(t, filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune"), nil)
	require.NoError(t, r.Check(report.Claim{Relation: verdict.Related}))
	require.ErrorIs(t, r.Check(report.Claim{Relation: verdict.NoEvidence}), report.ErrContradicted)
	require.ErrorIs(t, r.Check(report.Claim{Relation: verdict.Related, Kinds: []verdict.Kind{verdict.Merged}}), report.ErrUnproven)
}

// A shared initialisation confirms a claim of one only where it was settled that
// nothing else is common.
func TestClaimOfSharedInit(t *testing.T) {
	dir := models(t)
	r := compare(t, filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune"), nil)
	r.Verdict.Relation, r.Verdict.Kinds, r.Verdict.Alternatives = verdict.SharedInit, nil, nil
	require.NoError(t, r.Check(report.Claim{Relation: verdict.SharedInit}))
	r.Verdict.Alternatives = []string{"a common trained origin"}
	require.True(t, r.Verdict.MoreIsOpen())
	require.ErrorIs(t, r.Check(report.Claim{Relation: verdict.SharedInit}), report.ErrUnproven)
}

// zooCases are pairs of really trained networks of known lineage, with what
// must be found. kinds are those that must be among the kinds found.
var zooCases = []struct {
	a, b     string
	relation verdict.Relation
	tier     string
	kinds    []verdict.Kind
	arrow    verdict.Direction
}{
	{"r1", "r2", verdict.NoEvidence, "none", nil, verdict.Undetermined},
	{"r1", "distill-r1", verdict.NoEvidence, "none", nil, verdict.Undetermined},
	{"r1", "r2-obf-all", verdict.NoEvidence, "none", nil, verdict.Undetermined},
	{"r1", "r4", verdict.SharedInit, "exact", nil, verdict.Undetermined},
	{"r4-ft-short", "r1-prune-mlp", verdict.SharedInit, "exact", nil, verdict.Undetermined},
	{"r1", "r1-cpt2", verdict.Related, "exact", []verdict.Kind{verdict.ContinuedPretrained}, verdict.Undetermined},
	{"r1", "r1-ft-short", verdict.Related, "exact", []verdict.Kind{verdict.FineTuned}, verdict.Undetermined},
	{"r1", "r1-lora-merged", verdict.Related, "exact", []verdict.Kind{verdict.LoRAMerged}, verdict.Undetermined},
	{"r1", "r1-noise3", verdict.Related, "exact", []verdict.Kind{verdict.Noised}, verdict.Undetermined},
	{"r1", "r1-prune24", verdict.Related, "exact", []verdict.Kind{verdict.Pruned}, verdict.AToB},
	{"r1-quant4sim", "r1", verdict.Related, "exact", nil, verdict.Undetermined},
	{"r1", "r1-quant4sim", verdict.Related, "exact", []verdict.Kind{verdict.QuantisedKind}, verdict.AToB},
	{"r1", "r1-prune-mlp", verdict.Related, "exact", []verdict.Kind{verdict.WidthPruned}, verdict.AToB},
	{"r1", "r1-prune-hidden", verdict.Related, "exact", []verdict.Kind{verdict.WidthPruned}, verdict.AToB},
	{"r1-prune-heads", "r1", verdict.Related, "exact", []verdict.Kind{verdict.WidthPruned}, verdict.BToA},
	{"r1", "r1-dropped-layers", verdict.Related, "exact", []verdict.Kind{verdict.LayerDropped}, verdict.AToB},
	{"r1", "r1-upscaled", verdict.Related, "exact", []verdict.Kind{verdict.DepthUpscaled}, verdict.AToB},
	{"r1", "r1-vocabext", verdict.Related, "exact", []verdict.Kind{verdict.VocabularyChanged}, verdict.AToB},
	{"r1", "r1-vocabshuf", verdict.Related, "exact", []verdict.Kind{verdict.VocabularyChanged}, verdict.Undetermined},
	{"r1", "r1-moe", verdict.Related, "exact", []verdict.Kind{verdict.MoEUpcycled}, verdict.AToB},
	{"r1", "franken-r1fta-r2", verdict.Related, "exact", []verdict.Kind{verdict.Partial}, verdict.Undetermined},
	{"r1", "embed-transplant", verdict.Related, "exact", []verdict.Kind{verdict.Partial}, verdict.Undetermined},
	{"r1", "r1-obf-mlpperm", verdict.Related, "exact", []verdict.Kind{verdict.Reparameterised}, verdict.Undetermined},
	{"r1", "r1-obf-residperm", verdict.Related, "exact", []verdict.Kind{verdict.Reparameterised}, verdict.Undetermined},
	{"r1", "r1-cpt2-obf-all", verdict.Related, "exact", []verdict.Kind{verdict.Reparameterised}, verdict.Undetermined},
	{"r1", "r1-gguf-q4_0", verdict.Reencoded, "exact", []verdict.Kind{verdict.Repackaged, verdict.QuantisedKind}, verdict.AToB},
	{"r1", "r1-f16", verdict.Reencoded, "exact", []verdict.Kind{verdict.CastKind}, verdict.AToB},
}

func TestZoo(t *testing.T) {
	zoo, ok := vectors.Shared(t, "zoo")
	if !ok {
		return
	}
	for i, c := range zooCases {
		if testing.Short() && i%8 != 1 {
			continue
		}
		t.Run(c.a+"→"+c.b, func(t *testing.T) {
			t.Parallel()
			v := compare(t, filepath.Join(zoo, c.a), filepath.Join(zoo, c.b), nil).Verdict
			require.Equal(t, c.relation, v.Relation, "%v", v.Because)
			require.Equal(t, c.tier, v.Tier)
			require.Subset(t, v.Kinds, c.kinds)
			require.Equal(t, verdict.Undetermined, v.Direction, "weights name no direction")
			if c.arrow != verdict.Undetermined {
				require.Equal(t, c.arrow, v.Suggested())
			}
		})
	}
}

// An adapter that is applied to the other side leaves nothing to compare: both
// sides hold the other side's weights, whoever made the adapter.
func TestAdapterOnItsBase(t *testing.T) {
	zoo, ok := vectors.Shared(t, "zoo")
	if !ok {
		return
	}
	r := compare(t, filepath.Join(zoo, "r1"), filepath.Join(zoo, "r1-lora-adapter"), nil)
	require.Equal(t, verdict.Inconclusive, r.Verdict.Relation)
	require.Contains(t, r.Verdict.Because[0], "both sides hold its weights")
	_, err := report.Compare(context.Background(), filepath.Join(zoo, "r1-prune-hidden"), filepath.Join(zoo, "r1-lora-adapter"), nil)
	require.Error(t, err)
}

func ExampleCompare() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := demo.Extract(dir); err != nil {
		panic(err)
	}
	r, err := report.Compare(context.Background(), filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune"), nil)
	if err != nil {
		panic(err)
	}
	os.Stdout.WriteString(string(r.Verdict.Relation))
	// Output: related
}
