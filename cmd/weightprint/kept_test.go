package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/demo"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// testdata/kept holds files as earlier versions wrote them, a folder a version: a
// fingerprint and a commitment of the demo's base model, an index of it and a
// stranger, a report on it and its fine-tune, and a dispute between the two. v0 is
// what builds before the first release wrote. None is ever written anew: every later
// version reads them all. scripts/keep.sh makes the folder of a release.
const kept = "testdata/kept"

func keptVersions(t *testing.T) (out []string) {
	t.Helper()
	all, err := os.ReadDir(kept)
	require.NoError(t, err)
	for _, e := range all {
		out = append(out, e.Name())
	}
	require.Contains(t, out, "v0")
	return out
}

func TestKeptFilesAreRead(t *testing.T) {
	models := demoModels(t)
	base, tuned := filepath.Join(models, "base"), filepath.Join(models, "fine-tune")
	for _, version := range keptVersions(t) {
		t.Run(version, func(t *testing.T) {
			dir := t.TempDir() // an index is opened for writing, too
			require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Join(kept, version))))
			at := func(name string) string { return filepath.Join(dir, name) }

			require.Contains(t, exits(t, 0, "verify", at("base.wfp"), base), "verified")
			exits(t, exitMismatch, "verify", at("base.wfp"), tuned)
			require.Contains(t, exits(t, 0, "compare", at("base.wfp"), tuned, "-q"), "inconclusive (a lead)")
			require.Contains(t, exits(t, 0, "verify", at("base.commit"), base, "--opening", at("base.commit.opening")), "verified")
			exits(t, exitMismatch, "verify", at("base.commit"), tuned, "--opening", at("base.commit.opening"))
			exits(t, 0, "challenge", at("base.commit"), "--beacon", "x", "-o", at("challenge"))
			exits(t, 0, "respond", base, "--opening", at("base.commit.opening"), "--challenge", at("challenge"), "--beacon", "y", "-o", at("response"))

			exits(t, 0, "index", "check", "--index", at("two.wpi"))
			var found struct {
				Searched int
				Hits     []struct{ Name string }
			}
			require.NoError(t, json.Unmarshal([]byte(exits(t, 0, "index", "search", "--index", at("two.wpi"), tuned, "--json")), &found))
			require.Equal(t, 2, found.Searched)
			require.Len(t, found.Hits, 1)
			require.Equal(t, "base", found.Hits[0].Name)

			keptReport(t, at("report.json"))
			out := exits(t, 0, "verify", at("dispute/transcript.jsonl"))
			require.Contains(t, out, "7 lines hold")
			require.Contains(t, out, "found      related")
			replace(t, at("dispute/transcript.jsonl"), "was B made", "was A made")
			exits(t, exitMismatch, "verify", at("dispute/transcript.jsonl"))
		})
	}
}

// keptReport reads a report of an earlier version; what it found, and of which
// files, has kept its meaning. Whether today's policy finds the same is not asked.
func keptReport(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	r, err := report.ParseJSON(text)
	require.NoError(t, err)
	require.Equal(t, "a beacon", r.Options.Nonce)
	require.Equal(t, verdict.Related, r.Verdict.Relation)
	require.Less(t, float64(*r.Verdict.Log10P), -9.0)
	require.NotEmpty(t, r.Policy.Thresholds)
	models := t.TempDir()
	require.NoError(t, demo.Extract(models))
	for i, name := range []string{"base", "fine-tune"} {
		m := filepath.Join(models, name, "model.safetensors")
		require.Contains(t, exits(t, 0, "manifest", filepath.Dir(m)), r.Subjects[i].Files[0].SHA256)
	}
	for form := range writers {
		if form == "intoto" {
			continue // a statement of what this version found
		}
		require.NoError(t, writers[form](r, io.Discard), form)
	}
}
