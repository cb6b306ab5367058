package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What lies in a place that is no model is named, with the next step.
func TestWhatLiesThereIsNamed(t *testing.T) {
	dir := demoModels(t)
	base := filepath.Join(dir, "base")
	weights, err := os.ReadFile(filepath.Join(base, "model.safetensors"))
	require.NoError(t, err)
	several, bare := filepath.Join(dir, "several"), filepath.Join(dir, "bare")
	require.NoError(t, os.MkdirAll(several, 0o700))
	require.NoError(t, os.MkdirAll(bare, 0o700))
	for _, name := range []string{"a.safetensors", "b.safetensors"} {
		require.NoError(t, os.WriteFile(filepath.Join(several, name), weights, 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(bare, "config.json"), []byte("{}"), 0o600))
	for _, c := range []struct {
		ref  string
		want []string
	}{
		{several, []string{"a.safetensors", "b.safetensors", "name one"}},
		{dir, []string{"in the folders within", "base", "fine-tune", "name one of them"}},
		{bare, []string{"configurations without their weights"}},
	} {
		code, _, stderr := call("compare", c.ref, base)
		require.Equal(t, exitError, code)
		for _, want := range c.want {
			require.Contains(t, stderr, want)
		}
		require.Equal(t, 1, strings.Count(stderr, "\n"))
	}
}

// Of a model that is cut short it is said how much is whole, and what to do.
func TestCutModelsAreNamed(t *testing.T) {
	base := filepath.Join(demoModels(t), "base")
	weights, err := os.ReadFile(filepath.Join(base, "model.safetensors"))
	require.NoError(t, err)
	for _, c := range []struct {
		bytes int
		want  string
	}{{len(weights) * 3 / 4, "tensors are whole, the last"}, {len(weights) - 1, "the last 1 bytes are missing"}, {200, "left in the file"}} {
		cut := filepath.Join(t.TempDir(), "cut.safetensors")
		require.NoError(t, os.WriteFile(cut, weights[:c.bytes], 0o600))
		for _, line := range [][]string{{"inspect", cut}, {"compare", cut, base}, {"compare", base, cut}, {"fingerprint", cut, "-o", cut + ".wfp"}} {
			code, _, stderr := call(line...)
			require.Equal(t, exitError, code)
			require.Contains(t, stderr, c.want)
			require.Contains(t, stderr, "fetch it again")
			require.Equal(t, 1, strings.Count(stderr, "\n"))
			require.NoFileExists(t, cut+".wfp")
		}
	}
}

// A shell completes the words that a flag takes, and what can be explained.
func TestCompletion(t *testing.T) {
	for want, line := range map[string]string{
		"shared-init\n": "compare a b --fail-on ", "quick\n": "compare a b --depth ", "cyclonedx\n": "compare a b --format ", "moe-upcycled\n": "explain ", "contradicted\n": "audit a --fail-on ", "svg\n": "tree a --format ",
	} {
		require.Contains(t, exits(t, 0, append([]string{"__complete"}, strings.Split(line, " ")...)...), want, line)
	}
}

func TestHintsAtOptions(t *testing.T) {
	dir := demoModels(t)
	a, b, pdf := filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune"), filepath.Join(dir, "x.pdf")
	code, _, stderr := call("compare", a, b, "-o", pdf)
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "FILE.html, which prints to PDF")
	require.NoFileExists(t, pdf)
	exits(t, 0, "compare", a, b, "--format", "text", "-o", pdf)

	code, _, stderr = call("compare", a, b, "--budget", "64")
	require.Zero(t, code)
	require.Contains(t, stderr, "--budget 64 means 64 bytes; for mebibytes write 64MiB")
	_, _, stderr = call("compare", a, b, "--budget", "64KiB")
	require.NotContains(t, stderr, "warning")

	code, _, stderr = call("compare", a)
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "weightprint compare A B")
	code, _, stderr = call("index", "search")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "see weightprint index search --help")
}

// A command line that is wrong names what may be meant or how the verb is called, on one
// line.
func TestWrongCommandLines(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"comprae a b", `unknown command "comprae" for "weightprint"; did you mean compare?`},
		{"zzz", `unknown command "zzz" for "weightprint"; weightprint --help lists them`},
		{"index serach", `unknown command "serach" for "weightprint index"; did you mean search?`},
		{"dispute zzz", `unknown command "zzz" for "weightprint dispute"; weightprint dispute --help lists them`},
		{"compare a", "compare takes 2 arguments, not 1: weightprint compare A B; see weightprint compare --help"},
		{"inspect", "inspect takes 1 argument, not 0: weightprint inspect MODEL; see weightprint inspect --help"},
		{"recipe a", "recipe takes at least 2 arguments, not 1: weightprint recipe CHILD PARENT…; see weightprint recipe --help"},
		{"compare a b --format pdf", "use -o FILE.html, which prints to PDF from any browser"},
	} {
		code, out, stderr := call(strings.Fields(c.line)...)
		require.Equal(t, exitUsage, code, c.line)
		require.Empty(t, out, c.line)
		require.Contains(t, stderr, c.want+"\n", c.line)
	}
}

// Help lists every verb, each in a group.
func TestHelpListsVerbsInGroups(t *testing.T) {
	_, out, _ := call("--help")
	for _, g := range verbs {
		require.Contains(t, out, g.group+"\n")
	}
	require.NotContains(t, out, "Additional Commands")
	require.Contains(t, exits(t, 0, "index"), "search ")
}
