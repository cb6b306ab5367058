package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report/verdict"
)

func TestPolicyVerb(t *testing.T) {
	out := exits(t, 0, "policy")
	require.Equal(t, verdict.PolicyVersion, strings.Count(out, "\n"))
	require.Contains(t, out, "this program's")
	require.Contains(t, exits(t, 0, "policy", "1"), "RETRACTED  labels alone")
	require.NotContains(t, exits(t, 0, "policy", fmt.Sprint(verdict.PolicyVersion)), "RETRACTED")
	var x struct {
		Version    int
		Thresholds map[string]float64
	}
	require.NoError(t, json.Unmarshal([]byte(exits(t, 0, "policy", fmt.Sprint(verdict.PolicyVersion), "--json")), &x))
	require.Equal(t, verdict.PolicyVersion, x.Version)
	require.Len(t, x.Thresholds, len(verdict.Thresholds()))
	require.NoError(t, json.Unmarshal([]byte(exits(t, 0, "policy", "1", "--json")), &x))
	for _, bad := range []string{"0", "99", "two"} {
		exits(t, exitUsage, "policy", bad)
	}
}

// A report is held against the policy that it names: this program's own, an older
// one, a retracted one, and one whose thresholds somebody changed.
func TestVerifyNamesThePolicy(t *testing.T) {
	dir := demoModels(t)
	a, b, file := filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune"), filepath.Join(dir, "r.json")
	exits(t, 0, "compare", a, b, "--json", "-o", file)
	good, err := os.ReadFile(file)
	require.NoError(t, err)
	now := fmt.Sprint(verdict.PolicyVersion)
	put := func(pattern, with string) {
		text := regexp.MustCompile(pattern).ReplaceAll(good, []byte(with))
		require.NotEqual(t, string(good), string(text))
		require.NoError(t, os.WriteFile(file, text, 0o600))
	}
	verify := func(code int, flags ...string) string {
		return exits(t, code, append([]string{"verify", file, a, b}, flags...)...)
	}
	require.NotContains(t, verify(0, "--policy", now), "note:")
	require.Contains(t, verify(exitMismatch, "--policy", "1"), "drawn under policy "+now+", not 1")

	const policy = `("policy": \{\s*"version": )\d+`
	put(policy, "${1}1")
	out := verify(exitMismatch)
	require.Contains(t, out, "policy 1 is retracted")
	require.Contains(t, out, "of policy 1, older than this program's")
	require.NotContains(t, out, "verified")
	code, out, stderr := call("verify", file, a, b, "--policy", "1")
	require.Equal(t, exitError, code, "this program does not have the rules of policy 1")
	require.Contains(t, out, "retracted")
	require.Contains(t, stderr, "names no release")

	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, regexp.MustCompile(`("name": "weightprint",\s*"version": )"[^"]*"`).ReplaceAll(text, []byte(`$1"v0.9.0"`)), 0o600))
	_, _, stderr = call("verify", file, a, b, "--policy", "1")
	require.Contains(t, stderr, "go run github.com/weightprint/weightprint/cmd/weightprint@v0.9.0 verify "+file+" "+a+" "+b)

	put(policy, "${1}99")
	require.Contains(t, verify(exitMismatch), "newer than this program's")

	put(`("findTimes": )3`, "${1}2")
	out = verify(exitMismatch)
	require.Contains(t, out, "policy.thresholds.findTimes")
	require.Contains(t, verify(exitMismatch, "--policy", now), "1 of its thresholds")
}

// What a report calls its version is no command to copy.
func TestNoCommandFromAReport(t *testing.T) {
	for _, v := range []string{"v1.0.0; rm -rf ~", "$(x)", "development", "latest", "v1.0", ""} {
		require.NotContains(t, itsProgram(v, "r.json", nil), "go run", v)
	}
	require.Contains(t, itsProgram("v1.0.0-rc.1", "r.json", nil), "@v1.0.0-rc.1 verify r.json")
}
