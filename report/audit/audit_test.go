package audit_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/internal/demo"
	"github.com/weightprint/weightprint/internal/vectors"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/audit"
)

func audited(t testing.TB, model, claim string, o *report.Options) audit.Result {
	t.Helper()
	c, err := audit.ReadClaim(strings.NewReader(claim))
	require.NoError(t, err)
	all, err := audit.Run(context.Background(), model, []audit.Claim{c}, o)
	require.NoError(t, err)
	require.Len(t, all, 1)
	return all[0]
}

func rootOf(t testing.TB, dir string) string {
	t.Helper()
	m, err := formats.Open(context.Background(), dir, nil)
	require.NoError(t, err)
	defer m.Close()
	d, err := fingerprint.Root(context.Background(), m)
	require.NoError(t, err)
	return d.String()
}

func sha256Of(t testing.TB, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func TestAuditOutcomes(t *testing.T) {
	dir := demoModels(t)
	base, tune, q8 := filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune"), filepath.Join(dir, "fine-tune-q8_0")
	twin := filepath.Join(dir, "twin")
	require.NoError(t, os.CopyFS(twin, os.DirFS(tune)))
	weights := filepath.Join(base, "model.safetensors")
	require.NotEqual(t, rootOf(t, base), rootOf(t, tune))
	for i, c := range []struct {
		model, claim string
		outcome      audit.Outcome
		because      string
	}{
		{tune, `{"parent":"base"}`, audit.Confirmed, "was not claimed and does not show"},
		{tune, `{"parent":"../base"}`, audit.Confirmed, ""},
		{tune, `{"parent":"other-seed"}`, audit.Contradicted, "found no-evidence"},
		{tune, `{"parent":"other-seed","relation":"no-evidence"}`, audit.Confirmed, ""},
		{tune, `{"parent":"other-seed","relation":"shared-init"}`, audit.Unproven, "can cover the traces"},
		{tune, `{"parent":"base","relation":"no-evidence"}`, audit.Contradicted, "found related"},
		{tune, `{"parent":"nowhere"}`, audit.Unproven, "could not be opened"},
		{tune, `{"parent":"../fine-tune"}`, audit.Unproven, "the model itself"},
		{tune, `{"parent":"base","kinds":["fine-tuned"]}`, audit.Confirmed, ""},
		{tune, `{"parent":"base","kinds":["merged"]}`, audit.Unproven, "merged"},
		{tune, `{"parent":"base","direction":"a-to-b"}`, audit.Unproven, "do not show"},
		{tune, `{"parent":"base","relation":"identical"}`, audit.Contradicted, "found related, claimed identical"},
		{tune, `{"parent":"base","relation":"reencoded"}`, audit.Unproven, "a rounding that is not recognised"},
		{tune, `{"parent":"twin","relation":"identical"}`, audit.Confirmed, ""},
		{tune, `{"parent":"twin","kinds":["fine-tuned"]}`, audit.Contradicted, "the same values"},
		{q8, `{"parent":"fine-tune","relation":"reencoded","kinds":["quantised"],"direction":"a-to-b"}`, audit.Unproven, "do not show"},
		{q8, `{"parent":"fine-tune","relation":"reencoded","direction":"b-to-a"}`, audit.Unproven, "do not show"},
		{q8, `{"parent":"fine-tune","relation":"identical"}`, audit.Contradicted, "found reencoded"},
		{tune, `{"parent":"fine-tune-q8_0"}`, audit.Confirmed, "was not claimed and does not show"},
		{tune, `{"parent":"base","root":"` + rootOf(t, base) + `","model":"` + rootOf(t, tune) + `"}`, audit.Confirmed, ""},
		{tune, `{"parent":"base","root":"` + rootOf(t, tune) + `"}`, audit.Unproven, "A is not the claimed model"},
		{tune, `{"parent":"other-seed","root":"` + rootOf(t, base) + `"}`, audit.Unproven, "A is not the claimed model"},
		{tune, `{"parent":"base","model":"` + rootOf(t, base) + `"}`, audit.Unproven, "B is not the claimed model"},
		{tune, `{"parent":"base","files":["` + sha256Of(t, weights) + `"]}`, audit.Confirmed, ""},
		{tune, `{"parent":"other-seed","files":["` + sha256Of(t, weights) + `"]}`, audit.Unproven, "not the claimed parent"},
	} {
		if testing.Short() && i%6 != 0 {
			continue
		}
		a := audited(t, c.model, c.claim, nil)
		require.Equal(t, c.outcome, a.Outcome, "%s: %s", c.claim, a.Because)
		require.Contains(t, a.Because, c.because, c.claim)
		if a.Opened != "" && a.Verdict != nil {
			require.Len(t, a.Subjects, 2)
			require.Equal(t, rootOf(t, c.model), a.Subjects[1].Root.String())
		}
	}
	// Pins hold also where the comparison reads only a part.
	small := &report.Options{Budget: 500 << 10}
	a := audited(t, tune, `{"parent":"base","root":"`+rootOf(t, base)+`","files":["`+sha256Of(t, weights)+`"]}`, small)
	require.Equal(t, audit.Confirmed, a.Outcome, a.Because)
	// A sample confirms no claim about every value.
	a = audited(t, tune, `{"parent":"twin","relation":"identical"}`, small)
	require.Equal(t, audit.Unproven, a.Outcome, a.Because)
	require.Contains(t, a.Because, "not all values were compared")
}

func TestReadClaimRefuses(t *testing.T) {
	for _, text := range []string{
		``, `{}`, `{"parent":""}`, `{"parent":"x","relation":"stolen"}`, `{"parent":"x","relation":"inconclusive"}`, `{"parent":"x","kinds":["copied"]}`,
		`{"parent":"x","direction":"undetermined"}`, `{"parent":"x","direction":"up"}`, `{"parent":"x","parent":"y"}`, `{"parent":"x","Parent":"y"}`,
		`{"parent":"x","extra":1}`, `{"parent":"x"} {"parent":"y"}`, `{"parent":"x","root":"b3:00"}`, strings.Repeat(" ", 2<<20),
	} {
		_, err := audit.ReadClaim(strings.NewReader(text))
		require.Error(t, err, "%.80s", text)
	}
}

// declaring makes a copy of the fine-tune whose files say what is given.
func declaring(t testing.TB, dir string, files map[string]string) string {
	t.Helper()
	model := filepath.Join(t.TempDir(), "model")
	require.NoError(t, os.CopyFS(model, os.DirFS(filepath.Join(dir, "fine-tune"))))
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(model, name), []byte(text), 0o600))
	}
	return model
}

func TestDeclaredParents(t *testing.T) {
	t.Setenv("HF_HUB_CACHE", t.TempDir())
	dir := demoModels(t)
	parents := &report.Options{Parents: []string{t.TempDir(), dir}}
	for i, c := range []struct {
		files  map[string]string
		o      *report.Options
		source string
		want   []audit.Outcome
	}{
		{nil, parents, "", nil},
		{map[string]string{"README.md": "---\nbase_model: org/base\n---\n"}, parents, "README.md", []audit.Outcome{audit.Confirmed}},
		{map[string]string{"README.md": "---\nbase_model: [org/base, \"x/other-seed\"]\n---\n"}, parents, "README.md", []audit.Outcome{audit.Confirmed, audit.Contradicted}},
		{map[string]string{"README.md": "---\nbase_model: base\nbase_model_relation: quantized\n---\n"}, parents, "README.md", []audit.Outcome{audit.Unproven}},
		{map[string]string{"README.md": "---\nbase_model: https://huggingface.co/org/base/tree/main\n---\n"}, parents, "README.md", []audit.Outcome{audit.Confirmed}},
		{map[string]string{"README.md": "---\nbase_model: org/base\n---\n"}, nil, "README.md", []audit.Outcome{audit.Unproven}},
		{map[string]string{"README.md": "---\nbase_model: https://example.org/base\n---\n"}, nil, "README.md", []audit.Outcome{audit.Unproven}},
		{map[string]string{"README.md": "---\nbase_model: .\n---\n"}, nil, "README.md", []audit.Outcome{audit.Unproven}},
		{map[string]string{"README.md": "---\nbase_model: model.safetensors\n---\n"}, nil, "README.md", []audit.Outcome{audit.Unproven}},
		{map[string]string{"README.md": "---\nbase_model: ../../../../etc\n---\n"}, nil, "README.md", []audit.Outcome{audit.Unproven}},
		{map[string]string{"adapter_config.json": `{"base_model_name_or_path":"` + filepath.Join(dir, "base") + `"}`}, nil, "adapter_config.json", []audit.Outcome{audit.Confirmed}},
	} {
		if testing.Short() && i%3 != 1 {
			continue
		}
		model := declaring(t, dir, c.files)
		all, err := audit.Run(context.Background(), model, nil, c.o)
		require.NoError(t, err)
		require.Len(t, all, len(c.want), "%v", c.files)
		for i, want := range c.want {
			require.Equal(t, want, all[i].Outcome, "%v: %s", c.files, all[i].Because)
			require.Equal(t, c.source, all[i].Source)
		}
	}
}

// The parent may lie in the hub's cache, as the hub's library keeps it.
func TestDeclaredParentInTheCache(t *testing.T) {
	dir, cache := demoModels(t), t.TempDir()
	t.Setenv("HF_HUB_CACHE", cache)
	at := filepath.Join(cache, "models--org--base")
	require.NoError(t, os.MkdirAll(filepath.Join(at, "refs"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(at, "refs", "main"), []byte("abc"), 0o600))
	require.NoError(t, os.CopyFS(filepath.Join(at, "snapshots", "abc"), os.DirFS(filepath.Join(dir, "base"))))
	model := declaring(t, dir, map[string]string{"README.md": "---\nbase_model: org/base\n---\n"})
	all, err := audit.Run(context.Background(), model, nil, nil)
	require.NoError(t, err)
	require.Equal(t, audit.Confirmed, all[0].Outcome, all[0].Because)
	var b bytes.Buffer
	require.NoError(t, audit.WriteJSON(&b, model, "", nil, all))
	var x struct {
		Schema string
		Claims []struct{ Opened string }
	}
	require.NoError(t, json.Unmarshal(b.Bytes(), &x))
	require.Equal(t, audit.Schema, x.Schema)
	require.Contains(t, x.Claims[0].Opened, "models--org--base")
}

// An adapter fits any base of its shape, so nothing follows from its fitting.
func TestAdapterProvesNothing(t *testing.T) {
	zoo, ok := vectors.Shared(t, "zoo")
	if !ok {
		return
	}
	for _, parent := range []string{"r1", "r2"} {
		a := audited(t, filepath.Join(zoo, "r1-lora-adapter"), `{"parent":"../`+parent+`"}`, nil)
		require.Equal(t, audit.Unproven, a.Outcome)
		require.Contains(t, a.Because, "fits any base")
	}
	a := audited(t, filepath.Join(zoo, "r4"), `{"parent":"../r1"}`, nil)
	require.Equal(t, audit.Unproven, a.Outcome, "an early copy is not excluded")
	a = audited(t, filepath.Join(zoo, "r4"), `{"parent":"../r1","relation":"shared-init"}`, nil)
	require.Equal(t, audit.Confirmed, a.Outcome)
	a = audited(t, filepath.Join(zoo, "r1-cpt"), `{"parent":"../r1","relation":"reencoded"}`, nil)
	require.Equal(t, audit.Contradicted, a.Outcome)
}

// demoModels extracts the embedded networks.
func demoModels(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, demo.Extract(dir))
	return dir
}
