package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/schematest"
)

// contents are the files of a folder by name.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	out := map[string]string{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		out[e.Name()] = string(b)
	}
	return out
}

// resum states the digests of a case anew, as somebody who changed a file would.
func resum(t *testing.T, dir string) {
	t.Helper()
	var b strings.Builder
	for name, text := range contents(t, dir) {
		if name != sumsFile {
			sum := sha256.Sum256([]byte(text))
			b.WriteString(hex.EncodeToString(sum[:]) + "  " + name + "\n")
		}
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, sumsFile), []byte(b.String()), 0o600))
}

// A case holds all that its README names, is the same to the byte when it is made again,
// and verifies; what was changed in it afterwards is found, with its digest stated anew
// too.
func TestCase(t *testing.T) {
	schema := schematest.CycloneDX(t, "../../report/cyclonedx/testdata")
	t.Chdir(demoModels(t))
	quick := []string{"--depth", "quick", "--nonce", "of the day"}
	exits(t, 0, append([]string{"case", "one", "base", "fine-tune"}, quick...)...)
	exits(t, 0, append([]string{"case", "two", "base", "fine-tune"}, quick...)...)
	one := contents(t, "one")
	require.Equal(t, one, contents(t, "two"))
	for _, f := range caseFiles {
		for _, name := range strings.Split(f.name, ", ") {
			require.Contains(t, one, name)
			require.Contains(t, one["README.md"], name)
		}
	}
	require.Len(t, one, 17)
	schematest.Valid(t, schema, []byte(one["report.cdx.json"]))

	out := exits(t, 0, "verify", "one", "base", "fine-tune")
	require.Contains(t, out, "16 files are as SHA256SUMS states")
	require.Contains(t, out, "verified: every field of the report")
	require.Equal(t, 2, strings.Count(out, "every value is that of the fingerprint"))
	require.Contains(t, exits(t, 0, "verify", "one"), "the models were not looked at")
	require.Contains(t, exits(t, exitMismatch, "verify", "one", "base", "other-seed"), "not the models of the report")
	require.Contains(t, exits(t, exitMismatch, "verify", "one", "fine-tune", "base"), "A and B stand in each other's place; try: weightprint verify one base fine-tune\n")
	for _, c := range []struct{ a, b, says string }{
		{"base", "other-seed", "report: B: \"model.safetensors\" has changed: SHA-256 "},
		{"fine-tune", "other-seed", "report: A given here is B of the report, and B given here is not its A: \"model.safetensors\" has changed: SHA-256 "},
		{"other-seed", "base", "report: B given here is A of the report, and A given here is not its B: \"model.safetensors\" has changed: SHA-256 "},
	} {
		require.Contains(t, exits(t, exitMismatch, "verify", "one", c.a, c.b), "not the models of the "+c.says)
	}
	exits(t, exitUsage, "verify", "one", "base")

	for _, name := range []string{"report.html", "README.md", "a.wfp"} {
		require.NoError(t, os.WriteFile(filepath.Join("two", name), []byte(one[name]+" "), 0o600))
		require.Contains(t, exits(t, exitMismatch, "verify", "two"), "differs: "+name)
		require.NoError(t, os.WriteFile(filepath.Join("two", name), []byte(one[name]), 0o600))
	}
	forged := strings.Replace(one["report.html"], "RELATED", "IDENTICAL", 1)
	require.NoError(t, os.WriteFile("two/report.html", []byte(forged), 0o600))
	resum(t, "two")
	require.Contains(t, exits(t, exitMismatch, "verify", "two"), "differs: report.html is not what report.json gives")
	require.NoError(t, os.WriteFile("two/report.html", []byte(one["report.html"]), 0o600))
	for _, name := range []string{"README.md", "verify.sh", "controls.json", "commands.txt"} {
		require.NoError(t, os.WriteFile(filepath.Join("two", name), []byte(one[name]+" "), 0o600))
		resum(t, "two")
		require.Contains(t, exits(t, exitMismatch, "verify", "two"), "differs: "+name)
		require.NoError(t, os.WriteFile(filepath.Join("two", name), []byte(one[name]), 0o600))
	}
	resum(t, "two")
	exits(t, 0, "verify", "two")
	require.NoError(t, os.Remove("two/b.manifest.json"))
	resum(t, "two")
	require.Contains(t, exits(t, exitMismatch, "verify", "two"), "differs: b.manifest.json is missing")
	require.NoError(t, os.WriteFile("two/b.manifest.json", []byte(one["b.manifest.json"]), 0o600))
	resum(t, "two")
	require.NoError(t, os.WriteFile("two/note.txt", nil, 0o600))
	require.Contains(t, exits(t, exitMismatch, "verify", "two"), "differs: note.txt lies in the folder")
	require.NoError(t, os.Remove("two/note.txt"))
	require.NoError(t, os.Remove("two/controls.json"))
	require.Contains(t, exits(t, exitMismatch, "verify", "two"), "differs: controls.json, which SHA256SUMS lists, is missing")
	resum(t, "two")
	require.Contains(t, exits(t, exitMismatch, "verify", "two"), "does not list controls.json")
}

// A case goes into a folder of its own, and leaves nothing behind where it fails.
func TestCaseIsWholeOrNothing(t *testing.T) {
	t.Chdir(demoModels(t))
	require.NoError(t, os.Mkdir("full", 0o700))
	require.NoError(t, os.WriteFile("full/mine", nil, 0o600))
	exits(t, exitError, "case", "full", "base", "fine-tune")
	require.Len(t, contents(t, "full"), 1)
	exits(t, exitError, "case", "none", "base", "missing")
	require.NoDirExists(t, "none")
	exits(t, exitError, "case", "base", "base", "fine-tune")
	left, err := filepath.Glob(".case-*")
	require.NoError(t, err)
	require.Empty(t, left)
}

// The script of a case checks it on a machine that has the program, and its digests
// alone on one that has not.
func TestCaseScript(t *testing.T) {
	env := onPath(t)
	t.Chdir(demoModels(t))
	exits(t, 0, "case", "one", "base", "fine-tune", "--depth", "quick")
	sh := func(env []string) (string, error) {
		c := exec.Command("sh", "one/verify.sh", "base", "fine-tune")
		c.Env = env
		out, err := c.CombinedOutput()
		return string(out), err
	}
	out, err := sh(env)
	require.NoError(t, err, out)
	require.Contains(t, out, "verified: every field")
	out, err = sh(append(os.Environ(), "PATH=/usr/bin:/bin"))
	require.Error(t, err)
	require.Contains(t, out, "the digests agree")
	require.NoError(t, os.WriteFile("one/README.md", nil, 0o600))
	out, err = sh(env)
	require.Error(t, err)
	require.Contains(t, out, "not the one that was handed over")
}
