package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report/verdict"
)

// The thresholds that a report states have the digest of the policy that drew it.
func TestReportsCarryTheDigestOfTheirPolicy(t *testing.T) {
	dir := demoModels(t)
	file := filepath.Join(dir, "r.json")
	exits(t, 0, "compare", filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune"), "--json", "-o", file)
	got, err := readReport(t, file).Policy.Digest()
	require.NoError(t, err)
	want, err := verdict.CurrentRules().Digest()
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// altered builds this program with other sources in place of some files, which the
// changes give from the text that stands there.
func altered(t *testing.T, name string, changes map[string]func(string) string) string {
	t.Helper()
	dir := t.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for file, change := range changes {
		at, err := filepath.Abs(filepath.Join("../..", file))
		require.NoError(t, err)
		text, err := os.ReadFile(at)
		require.NoError(t, err)
		after := change(string(text))
		require.NotEqual(t, string(text), after, file)
		overlay.Replace[at] = filepath.Join(dir, filepath.Base(file))
		require.NoError(t, os.WriteFile(overlay.Replace[at], []byte(after), 0o600))
	}
	list, err := json.Marshal(overlay)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "overlay.json"), list, 0o600))
	out := filepath.Join(dir, name)
	c := exec.Command("go", "build", "-o", out, "-overlay", filepath.Join(dir, "overlay.json"), ".")
	text, err := c.CombinedOutput()
	require.NoError(t, err, "%s", text)
	return out
}

// replaced changes what a pattern finds once.
func replaced(pattern, with string) func(string) string {
	return func(text string) string { return regexp.MustCompile(pattern).ReplaceAllString(text, with) }
}

// A later version, with other thresholds under the next policy, judges an old
// report by the program that holds its policy: that one finds it as stated, and
// the later one otherwise. A program that only calls its policy by that number is
// not believed, and neither is a report whose thresholds were changed.
func TestOldReportsAreJudgedUnderTheirPolicy(t *testing.T) {
	if os.Getenv("WEIGHTPRINT_LONG") == "" {
		t.Skip("builds three programs; set WEIGHTPRINT_LONG=1")
	}
	now := verdict.PolicyVersion
	fixed, err := verdict.CurrentRules().Digest()
	require.NoError(t, err)
	const thresholds, policies = "report/verdict/thresholds.go", "report/verdict/policies.go"
	next := func(text string) string {
		text = replaced(fmt.Sprintf(`(Version: %d,\n)`, now), fmt.Sprintf(`${1}Fixed: %q,`, fixed)+"\n")(text)
		return replaced(`\n\}\n\n// Policies lists`, fmt.Sprintf("\n{Version: %d, Changed: []string{\"levels\"}, Why: \"a test\"},\n}\n\n// Policies lists", now+1))(text)
	}
	old := altered(t, "old", map[string]func(string) string{policies: replaced(`the first one first\.`, "the first first.")})
	later := altered(t, "later", map[string]func(string) string{
		thresholds: func(s string) string {
			s = replaced(`const PolicyVersion = \d+`, fmt.Sprintf("const PolicyVersion = %d", now+1))(s)
			return replaced(`defaultAlpha = 1e-9`, `defaultAlpha = 1e-300`)(replaced(`equalMatrices = 2`, `equalMatrices = 1 << 20`)(s))
		}, policies: next,
	})
	liar := altered(t, "liar", map[string]func(string) string{thresholds: replaced(`findTimes = 3\.0`, `findTimes = 2.0`)})

	dir := demoModels(t)
	a, b, file := filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune"), filepath.Join(dir, "r.json")
	run := func(want int, program string, words ...string) string {
		out, err := exec.Command(program, words...).CombinedOutput()
		code := 0
		if err != nil {
			require.ErrorAs(t, err, new(*exec.ExitError), "%s", out)
			code = err.(*exec.ExitError).ExitCode()
		}
		require.Equal(t, want, code, "%s %v: %s", program, words, out)
		return string(out)
	}
	run(0, old, "compare", a, b, "--json", "--nonce", "x", "-o", file)
	number := fmt.Sprint(now)

	require.Contains(t, run(exitMismatch, later, "verify", file, a, b), fmt.Sprintf("of policy %d, older than this program's, %d", now, now+1), "by other thresholds it is another report")
	require.Contains(t, run(exitError, later, "verify", file, a, b, "--policy", number), "name one that you have with --program")
	out := run(0, later, "verify", file, a, b, "--policy", number, "--program", old)
	require.Contains(t, out, "verified: every field")
	require.Contains(t, out, "judged under policy "+number)
	require.Contains(t, run(exitError, later, "verify", file, a, b, "--policy", number, "--program", liar), "but its thresholds have the digest")
	require.Contains(t, run(exitError, later, "verify", file, a, b, "--policy", number, "--program", later), "does not hold policy")
	require.Contains(t, run(exitError, later, "verify", file, a, b, "--policy", number, "--program", filepath.Join(dir, "none")), "--program")
	run(exitUsage, later, "verify", file, a, b, "--program", old)
	require.Contains(t, run(exitMismatch, later, "verify", file, a, a, "--policy", number, "--program", old), "differs")
	require.Contains(t, run(0, later, "explain", "policy", number), "fixed by a release")
	require.Contains(t, run(0, later, "policy", fmt.Sprint(now+1)), "not fixed")

	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, []byte(replaced(`("findTimes": )3`, "${1}2")(string(text))), 0o600))
	require.Contains(t, run(exitMismatch, later, "verify", file, a, b, "--policy", number, "--program", old), "those of that policy "+fixed)
}
