package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/source/sourcetest"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/plan"
)

// hubOfDemo serves the demo's networks as a hub, under org/.
func hubOfDemo(t *testing.T) *sourcetest.Hub {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.Rename(demoModels(t), filepath.Join(root, "org")))
	hub, err := sourcetest.ServeHub(root)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, hub.Close()) })
	t.Setenv("HF_ENDPOINT", hub.URL)
	t.Setenv("HF_HUB_CACHE", t.TempDir())
	t.Setenv("HF_HUB_OFFLINE", "")
	t.Setenv("HF_TOKEN", "hf_SecretSecret")
	return hub
}

// Every verb that takes a model takes one of a hub, and no output repeats the
// token.
func TestVerbsOnRemoteModels(t *testing.T) {
	hub := hubOfDemo(t)
	out := t.TempDir()
	print := filepath.Join(out, "m.wfp")
	claim := filepath.Join(out, "claim.json")
	require.NoError(t, os.WriteFile(claim, []byte(`{"parent":"hf:org/base"}`), 0o600))
	saved := filepath.Join(out, "report.json")
	for _, c := range []struct {
		want string
		args []string
	}{
		{"related", []string{"compare", "-q", "hf:org/base", "hf:org/fine-tune"}},
		{"", []string{"compare", "hf:org/base", "hf:org/fine-tune", "--json", "-o", saved}},
		{"related", []string{"compare", "-q", hub.Weights.URL + "org/base/model.safetensors", hub.Weights.URL + "org/fine-tune/"}},
		{"verified", []string{"verify", saved, "hf:org/base", "hf:org/fine-tune"}},
		{"safetensors", []string{"inspect", "hf:org/base"}},
		{sourcetest.Commit, []string{"inspect", "hf:org/base", "--json"}},
		{"would", []string{"inspect", "hf:org/base", "--dry-run"}},
		{"would read", []string{"compare", "hf:org/base", "hf:org/fine-tune", "--dry-run"}},
		{plan.Schema, []string{"compare", "hf:org/base", "hf:org/fine-tune", "--dry-run", "--json"}},
		{"would read", []string{"fingerprint", "hf:org/base", "--dry-run"}},
		{"", []string{"fingerprint", "hf:org/base", "-o", print}},
		{"verified", []string{"verify", print, "hf:org/base"}},
		{"fine-tune", []string{"tree", "hf:org/base", "hf:org/fine-tune"}},
		{"confirmed", []string{"audit", "hf:org/fine-tune", "--claim", claim}},
	} {
		code, stdout, stderr := call(append(c.args, "--allow-private")...)
		require.Zero(t, code, "%v: %s", c.args, stderr)
		require.Contains(t, stdout, c.want, c.args)
		require.NotContains(t, stdout+stderr, "hf_Secret")
	}
	b, err := os.ReadFile(saved)
	require.NoError(t, err)
	require.NotContains(t, string(b), "hf_Secret")
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(report.JSONSchema()))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("report.json", doc))
	schema, err := compiler.Compile("report.json")
	require.NoError(t, err)
	got, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	require.NoError(t, err)
	require.NoError(t, schema.Validate(got))
	var r report.Report
	require.NoError(t, json.Unmarshal(b, &r))
	require.Equal(t, sourcetest.Commit, r.Subjects[1].Revision)
}

// Without the flags no private address is asked, and offline none at all.
func TestNetworkFlags(t *testing.T) {
	hub := hubOfDemo(t)
	asked := func() int64 { return hub.Weights.Requests.Load() }
	for _, c := range []struct {
		want string
		args []string
	}{
		{"--allow-private", []string{"inspect", hub.Weights.URL + "org/base/"}},
		{"private address", []string{"inspect", "hf:org/base"}},
		{"--offline", []string{"inspect", hub.Weights.URL + "org/base/", "--allow-private", "--offline"}},
		{"HF_HUB_OFFLINE", []string{"inspect", "hf:org/base", "--allow-private", "--offline"}},
		{"did you mean hf:org/base?", []string{"inspect", "hf://org/base"}},
	} {
		before := asked()
		code, stdout, stderr := call(c.args...)
		require.Equal(t, exitError, code)
		require.Empty(t, stdout)
		require.Contains(t, stderr, c.want)
		require.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
		require.NotContains(t, stderr, "hf_Secret")
		require.Equal(t, before, asked())
	}
}

// Parents that a model's files declare are not asked of any server: a file
// must not make its reader call home.
func TestDeclaredParentsStayHere(t *testing.T) {
	hub := hubOfDemo(t)
	dir := demoModels(t)
	card := "---\nbase_model:\n- hf:org/base\n- " + hub.Weights.URL + "org/base/\n---\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "fine-tune", "README.md"), []byte(card), 0o600))
	code, stdout, stderr := call("audit", filepath.Join(dir, "fine-tune"), "--allow-private")
	require.Zero(t, code, stderr)
	require.Equal(t, 2, strings.Count(stdout, "unproven"))
	require.Zero(t, hub.Weights.Requests.Load())
	require.Empty(t, hub.Tokens())
}
