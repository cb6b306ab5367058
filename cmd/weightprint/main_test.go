package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/demo"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/recipe"
	"github.com/weightprint/weightprint/report/verdict"
)

// call runs the program.
func call(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(context.Background(), args, &out, &err)
	return code, out.String(), err.String()
}

func demoModels(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, demo.Extract(dir))
	return dir
}

func TestDemo(t *testing.T) {
	code, out, _ := call("demo")
	require.Zero(t, code)
	for _, s := range demo.Steps {
		require.Contains(t, out, "=> "+s.Want)
	}
}

// shut makes a schema refuse fields that it does not list.
func shut(schema any) {
	switch x := schema.(type) {
	case map[string]any:
		for _, v := range x {
			shut(v)
		}
		if x["type"] == "object" && x["properties"] != nil {
			x["additionalProperties"] = false
		}
	case []any:
		for _, v := range x {
			shut(v)
		}
	}
}

// Every field is in the schema, and every field that the schema requires is
// there.
func TestCompareJSONFollowsItsSchema(t *testing.T) {
	dir := demoModels(t)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(report.JSONSchema()))
	require.NoError(t, err)
	shut(doc)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("report.json", doc))
	schema, err := c.Compile("report.json")
	require.NoError(t, err)
	for _, s := range demo.Steps {
		for _, depth := range []string{"normal", "full"} {
			code, out, stderr := call("compare", filepath.Join(dir, s.A), filepath.Join(dir, s.B), "--json", "--depth", depth)
			require.Zero(t, code, stderr)
			got, err := jsonschema.UnmarshalJSON(strings.NewReader(out))
			require.NoError(t, err)
			require.NoError(t, schema.Validate(got))
		}
	}
}

func TestExitCodes(t *testing.T) {
	dir := demoModels(t)
	a, b, s := filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune"), filepath.Join(dir, "other-seed")
	for _, c := range []struct {
		name string
		args []string
		code int
	}{
		{"done", []string{"compare", a, b, "-q"}, 0},
		{"finding", []string{"compare", a, b, "-q", "--fail-on", "related,identical"}, 1},
		{"no finding", []string{"compare", a, s, "-q", "--fail-on", "related"}, 0},
		{"missing file", []string{"compare", a, filepath.Join(dir, "none")}, 2},
		{"folder without weights", []string{"compare", a, t.TempDir()}, 2},
		{"unknown flag", []string{"compare", a, b, "--nonsense"}, 64},
		{"unknown verb", []string{"compaer"}, 64},
		{"too few arguments", []string{"compare", a}, 64},
		{"bad budget", []string{"compare", a, b, "--budget", "lots"}, 64},
		{"bad relation", []string{"compare", a, b, "--fail-on", "stolen"}, 64},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, stderr := call(c.args...)
			require.Equal(t, c.code, code, stderr)
			if c.code == 2 || c.code == 64 {
				require.Empty(t, out)
				require.True(t, strings.HasPrefix(stderr, "weightprint: "), stderr)
				require.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
			}
		})
	}
}

// Bad input is one line that names file, offset, field and rule.
func TestBadInputNamesItsPlace(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "model.safetensors")
	header := `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9]}}`
	raw := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	require.NoError(t, os.WriteFile(file, append(append(raw, header...), make([]byte, 9)...), 0o600))
	code, out, stderr := call("inspect", file)
	require.Equal(t, 2, code)
	require.Empty(t, out)
	require.Regexp(t, `^weightprint: .*model\.safetensors: offset \d+: .+: .+\n$`, stderr)
}

func TestInspectWritesValues(t *testing.T) {
	dir := demoModels(t)
	file := filepath.Join(t.TempDir(), "v.f32")
	code, _, stderr := call("inspect", filepath.Join(dir, "base"), "--tensor", "model.norm.weight", "--values", file)
	require.Zero(t, code, stderr)
	code, out, _ := call("inspect", filepath.Join(dir, "base"), "--json")
	require.Zero(t, code)
	var x struct {
		Tensors []struct {
			Name  string
			Shape []int
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &x))
	require.NotEmpty(t, x.Tensors)
	info, err := os.Stat(file)
	require.NoError(t, err)
	for _, s := range x.Tensors {
		if s.Name == "model.norm.weight" {
			require.EqualValues(t, 4*s.Shape[0], info.Size())
		}
	}
}

// A cancelled context ends a comparison at once.
func TestInterrupt(t *testing.T) {
	dir := demoModels(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, stderr bytes.Buffer
	start := time.Now()
	code := run(ctx, []string{"compare", filepath.Join(dir, "base"), filepath.Join(dir, "other-seed")}, &out, &stderr)
	require.Equal(t, 130, code)
	require.Empty(t, out.String())
	require.Less(t, time.Since(start), 10*time.Second)
}

func TestNoRegularFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no FIFOs")
	}
	fifo := filepath.Join(t.TempDir(), "model.safetensors")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	code, _, stderr := call("inspect", fifo)
	require.Equal(t, 2, code)
	require.Contains(t, stderr, "model.safetensors")
}

func TestOutputFile(t *testing.T) {
	dir := demoModels(t)
	file := filepath.Join(t.TempDir(), "report.json")
	code, out, stderr := call("compare", filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune"), "--json", "-o", file)
	require.Zero(t, code, stderr)
	require.Empty(t, out)
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	r, err := report.ReadJSON(f)
	require.NoError(t, err)
	require.Equal(t, verdict.Related, r.Verdict.Relation)
}

// The ending of an output file says in which form a result is written.
func TestOutputFollowsItsEnding(t *testing.T) {
	dir := demoModels(t)
	a, b := filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune")
	for _, c := range []struct {
		name, begins string
		args         []string
	}{
		{"r.html", "<!DOCTYPE html>", []string{"compare", a, b}},
		{"r.json", "{", []string{"compare", a, b}},
		{"r.md", "#", []string{"compare", a, b}},
		{"r.txt", "A  ", []string{"compare", a, b}},
		{"r.html", "A  ", []string{"compare", a, b, "--format", "text"}},
		{"t.svg", "<svg", []string{"tree", a, b}},
		{"t.dot", "digraph", []string{"tree", a, b}},
	} {
		file := filepath.Join(t.TempDir(), c.name)
		code, _, stderr := callWith(t, "", append(c.args, "-o", file)...)
		require.Zero(t, code, stderr)
		got, err := os.ReadFile(file)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(strings.ToLower(string(got)), strings.ToLower(c.begins)), "%s: %.40q", c.name, got)
	}
}

func TestRecipe(t *testing.T) {
	dir := demoModels(t)
	code, out, stderr := call("recipe", filepath.Join(dir, "fine-tune"), filepath.Join(dir, "base"), filepath.Join(dir, "other-seed"), "--json")
	require.Zero(t, code, stderr)
	var r recipe.Recipe
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.True(t, r.Missing, "a fine-tune is no mixture of its parent and a stranger")
	require.Greater(t, float64(r.Parents[0].Weight), 0.9)
	require.Contains(t, r.Parents[0].Kinds, verdict.FineTuned)
	require.Zero(t, r.Parents[1].Weight)

	code, out, stderr = call("recipe", filepath.Join(dir, "fine-tune"), filepath.Join(dir, "base"), filepath.Join(dir, "other-seed"))
	require.Zero(t, code, stderr)
	words := strings.Join(strings.Fields(out), " ")
	require.Contains(t, words, "ONE OF THESE ALONE · fine-tuned, or mixed with another")
	require.Contains(t, words, "other-seed has no share")
	require.NotContains(t, words, "base has no share")
	require.NotContains(t, words, "NO METHOD")
}

func TestFingerprintVerifyAndIndex(t *testing.T) {
	dir := demoModels(t)
	base, tune, stranger := filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune"), filepath.Join(dir, "other-seed")
	file, ix := filepath.Join(dir, "base.wfp"), filepath.Join(dir, "index")
	code, _, stderr := call("fingerprint", base, "-o", file)
	require.Zero(t, code, stderr)
	code, out, _ := call("verify", file, base)
	require.Zero(t, code)
	require.Contains(t, out, "verified")
	code, out, _ = call("verify", file, tune)
	require.Equal(t, 4, code)
	require.Contains(t, out, "values of rows")
	code, out, stderr = call("compare", file, tune, "--json")
	require.Zero(t, code, stderr)
	require.Contains(t, out, "screening")

	code, _, stderr = call("index", "add", "--index", ix, file, stranger)
	require.Zero(t, code, stderr)
	code, out, stderr = call("index", "search", "--index", ix, tune, "--json")
	require.Zero(t, code, stderr)
	var found struct {
		Searched int
		Hits     []struct {
			Name   string
			Log10P float64
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &found))
	require.Equal(t, 2, found.Searched)
	require.Len(t, found.Hits, 1)
	require.Equal(t, "base", found.Hits[0].Name)
	require.Less(t, found.Hits[0].Log10P, -9.0)
}

// A tree of fingerprints joins the same models, and says that it is a screening.
func TestTreeOfFingerprints(t *testing.T) {
	dir := demoModels(t)
	ix := filepath.Join(t.TempDir(), "ix")
	base, tuned, stranger := filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune"), filepath.Join(dir, "other-seed")
	code, _, stderr := callWith(t, "", "index", "add", "--index", ix, base, stranger)
	require.Zero(t, code, stderr)
	code, out, stderr := callWith(t, "", "tree", "--index", ix, tuned, "-q")
	require.Zero(t, code, stderr)
	require.True(t, strings.HasPrefix(out, tuned+"\n└─ base  lead: sketches correspond (direction undetermined)\nother-seed\n\nScreening: from fingerprints.\n"), out)
	code, _, stderr = callWith(t, "", "tree", base)
	require.NotZero(t, code)
	require.Contains(t, stderr, "two or more")
}

func TestVerifyReport(t *testing.T) {
	dir := demoModels(t)
	base, tune := filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune")
	file := filepath.Join(dir, "r.json")
	code, _, stderr := call("compare", base, tune, "--json", "-o", file)
	require.Zero(t, code, stderr)
	code, _, stderr = call("verify", file, base, tune)
	require.Zero(t, code, stderr)
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, bytes.Replace(raw, []byte(`"direction": "undetermined"`), []byte(`"direction": "a-to-b"`), 1), 0o600))
	code, out, _ := call("verify", file, base, tune)
	require.Equal(t, 4, code)
	require.Contains(t, out, "verdict.direction")
}

func TestAudit(t *testing.T) {
	dir := demoModels(t)
	for claim, want := range map[string]string{
		`{"parent":"base"}`:                          "confirmed",
		`{"parent":"other-seed"}`:                    "contradicted",
		`{"parent":"nowhere"}`:                       "unproven",
		`{"parent":"base","direction":"a-to-b"}`:     "unproven",
		`{"parent":"base","kinds":["merged"]}`:       "unproven",
		`{"parent":"base","relation":"no-evidence"}`: "contradicted",
	} {
		file := filepath.Join(t.TempDir(), "claim.json")
		require.NoError(t, os.WriteFile(file, []byte(claim), 0o600))
		code, out, stderr := call("audit", filepath.Join(dir, "fine-tune"), "--claim", file, "--fail-on", "contradicted")
		require.True(t, strings.HasPrefix(out, want), "%s: %s%s", claim, out, stderr)
		require.Equal(t, want == "contradicted", code == 1)
	}
}

func TestFormats(t *testing.T) {
	dir := demoModels(t)
	for format, want := range map[string]string{"md": "# RELATED", "html": "<!doctype html>", "text": "RELATED", "json": "{"} {
		code, out, stderr := call("compare", filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune"), "--format", format)
		require.Zero(t, code, stderr)
		require.Contains(t, out, want)
	}
}

// What the files say of their origin is listed with its source, and cannot
// write to the terminal.
func TestInspectDeclaredParents(t *testing.T) {
	dir := filepath.Join(demoModels(t), "base")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "README.md"), []byte("---\nbase_model: \"org/\\u001b[31mred\\u202e\"\nbase_model_relation: finetune\n---\n"), 0o600))
	code, out, _ := call("inspect", dir)
	require.Zero(t, code)
	require.Contains(t, out, `declared parent: "org/\x1b[31mred\u202e (README.md, finetune)"`)
	code, out, _ = call("inspect", dir, "--json")
	require.Zero(t, code)
	require.NotContains(t, out, "\x1b")
	var l struct {
		Parents []struct{ Name, Source, Relation string }
	}
	require.NoError(t, json.Unmarshal([]byte(out), &l))
	require.Equal(t, "README.md", l.Parents[0].Source)
	require.Equal(t, "finetune", l.Parents[0].Relation)
}
