package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report/faithful"
	"github.com/weightprint/weightprint/report/intoto"
)

func TestFaithful(t *testing.T) {
	dir := demoModels(t)
	quantised, source, other := filepath.Join(dir, "fine-tune-q8_0"), filepath.Join(dir, "fine-tune"), filepath.Join(dir, "base")
	code, out, stderr := call("faithful", quantised, source, "--fail-on", "reachable,deviates,undetermined")
	require.Zero(t, code, "%s%s", out, stderr)
	require.Contains(t, out, "FAITHFUL")
	code, out, _ = call("faithful", quantised, other, "--fail-on", "deviates")
	require.Equal(t, exitFinding, code)
	require.Contains(t, out, "DEVIATES")
	code, out, _ = call("faithful", quantised, source, "--json")
	require.Zero(t, code)
	var r faithful.Report
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.Equal(t, faithful.Faithful, r.Verdict)
	require.NotZero(t, r.Blocks.Exact)
	file := filepath.Join(dir, "s.json")
	code, _, stderr = call("faithful", quantised, source, "--format", "intoto", "-o", file)
	require.Zero(t, code, stderr)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	s, err := intoto.ParseStatement(text)
	require.NoError(t, err)
	require.Equal(t, faithful.PredicateType, s.PredicateType)
	code, out, _ = call("faithful", quantised, source, "--format", "md")
	require.Zero(t, code)
	require.Contains(t, out, "# FAITHFUL")
}

func TestFaithfulQuietAndExchanged(t *testing.T) {
	dir := demoModels(t)
	quantised, source := filepath.Join(dir, "fine-tune-q8_0"), filepath.Join(dir, "fine-tune")
	code, out, stderr := call("faithful", quantised, source, "-q")
	require.Zero(t, code, stderr)
	require.Equal(t, 1, strings.Count(out, "\n"), out)
	require.True(t, strings.HasPrefix(out, "faithful: "), out)
	require.Empty(t, stderr)
	_, out, stderr = call("faithful", source, quantised, "-q")
	require.NotContains(t, out, "faithful: ")
	require.Contains(t, stderr, "exchanged")
	_, _, stderr = call("faithful", quantised, source, "--fail-on", "unfaithful")
	require.NotContains(t, stderr, "did you mean")
	_, _, stderr = call("faithful", quantised, source, "--fail-on", "fathful")
	require.Contains(t, stderr, "did you mean faithful?")
}

func TestFaithfulUsage(t *testing.T) {
	for _, line := range [][]string{{"faithful", "a"}, {"faithful", "a", "b", "--format", "svg"}, {"faithful", "a", "b", "--fail-on", "related"}} {
		code, _, _ := call(line...)
		require.Equal(t, exitUsage, code, line)
	}
	dir := demoModels(t)
	junk := filepath.Join(dir, "i.dat")
	require.NoError(t, os.WriteFile(junk, []byte("no importance matrix"), 0o600))
	code, _, stderr := call("faithful", filepath.Join(dir, "base"), filepath.Join(dir, "base"), "--importance", junk)
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "i.dat")
}
