package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/store"
)

// callWith runs the program with an input.
func callWith(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	root := rootCommand(&out, &errs)
	root.SetIn(strings.NewReader(stdin))
	root.SetArgs(args)
	if err := root.ExecuteContext(context.Background()); err != nil {
		return exitError, out.String(), err.Error()
	}
	return 0, out.String(), errs.String()
}

func records(t *testing.T, text string) (out []store.Line) {
	t.Helper()
	for _, s := range strings.Split(strings.TrimSpace(text), "\n") {
		var l store.Line
		require.NoError(t, json.Unmarshal([]byte(s), &l))
		require.Equal(t, store.LineSchema, l.Schema)
		out = append(out, l)
	}
	return out
}

// A worker's records hold fingerprints and errors, and an index takes them.
func TestWorkersRecords(t *testing.T) {
	dir := demoModels(t)
	base, tuned, none := filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune"), filepath.Join(dir, "none")
	code, out, _ := callWith(t, base+"\n\n"+none+"\n"+tuned+"\n", "fingerprint", "--stdin", "--ndjson")
	require.Zero(t, code)
	all := records(t, out)
	require.Len(t, all, 3)
	require.Equal(t, []string{base, none, tuned}, []string{all[0].Ref, all[1].Ref, all[2].Ref})
	require.NotEmpty(t, all[0].Fingerprint)
	require.NotEmpty(t, all[0].Root)
	require.Empty(t, all[1].Fingerprint)
	require.Contains(t, all[1].Error, "none")
	ix := filepath.Join(t.TempDir(), "ix")
	code, added, stderr := callWith(t, out, "index", "add", "--index", ix, "--ndjson")
	require.Zero(t, code, stderr)
	require.Equal(t, "added 2 of 2\n", added)
	require.Contains(t, stderr, "1 records of errors")
	code, added, _ = callWith(t, out, "index", "add", "--index", ix, "--ndjson")
	require.Zero(t, code)
	require.Equal(t, "added 0 of 2\n", added)

	code, found, _ := callWith(t, "", "index", "search", "--index", ix, filepath.Join(dir, "fine-tune-q8_0"), "--json")
	require.Zero(t, code)
	var x struct {
		Searched int
		Hits     []store.Hit
	}
	require.NoError(t, json.Unmarshal([]byte(found), &x))
	require.Equal(t, 2, x.Searched)
	require.Len(t, x.Hits, 2)
	require.Equal(t, "fine-tune", x.Hits[0].Name)
	require.Less(t, float64(*x.Hits[0].Log10P), -9.0)

	code, found, _ = callWith(t, "", "index", "search", "--index", ix, filepath.Join(dir, "other-seed"), "--json")
	require.Zero(t, code)
	require.Contains(t, found, `"hits": []`)
	require.Contains(t, found, `"leads": []`)
}

// A run that was cut off goes on behind its last whole record.
func TestWorkersResume(t *testing.T) {
	dir := demoModels(t)
	refs := filepath.Join(dir, "base") + "\n" + filepath.Join(dir, "none") + "\n" + filepath.Join(dir, "fine-tune") + "\n"
	whole := filepath.Join(t.TempDir(), "whole.ndjson")
	code, _, stderr := callWith(t, refs, "fingerprint", "--stdin", "--ndjson", "-o", whole)
	require.Zero(t, code, stderr)
	want, err := os.ReadFile(whole)
	require.NoError(t, err)
	require.Len(t, records(t, string(want)), 3)
	first := bytes.IndexByte(want, '\n') + 1
	for _, cut := range []int{0, 1, first - 1, first, first + 1, len(want) - 1, len(want)} {
		torn := filepath.Join(t.TempDir(), "torn.ndjson")
		require.NoError(t, os.WriteFile(torn, want[:cut], 0o600))
		code, _, stderr := callWith(t, refs, "fingerprint", "--stdin", "--ndjson", "-o", torn)
		require.Zero(t, code, stderr)
		got, err := os.ReadFile(torn)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got), "cut at %d", cut)
	}
	other := filepath.Join(t.TempDir(), "notes.txt")
	require.NoError(t, os.WriteFile(other, []byte("shopping list\n"), 0o600))
	code, _, stderr = callWith(t, refs, "fingerprint", "--stdin", "--ndjson", "-o", other)
	require.NotZero(t, code)
	require.Contains(t, stderr, "no record")
	kept, err := os.ReadFile(other)
	require.NoError(t, err)
	require.Equal(t, "shopping list\n", string(kept))
}

func TestBadRecordsAreRefused(t *testing.T) {
	ix := filepath.Join(t.TempDir(), "ix")
	for _, text := range []string{"{", `{"schema":"weightprint.fingerprint/1","ref":"a","fingerprint":"AAAA"}`, `{"schema":"other","ref":"a"}`, `{"ref":"a"}`} {
		code, _, stderr := callWith(t, text+"\n", "index", "add", "--index", ix, "--ndjson")
		require.NotZero(t, code, text)
		require.Contains(t, stderr, "line 1")
	}
}

// The budget decides whether all is read, and the file says which it was.
func TestFingerprintBudget(t *testing.T) {
	dir := demoModels(t)
	file := filepath.Join(t.TempDir(), "f.wfp")
	for budget, complete := range map[string]string{"full": "root   b3:", "1GiB": "root   b3:", "64KiB": "no digest of the values"} {
		code, _, stderr := call("fingerprint", filepath.Join(dir, "base"), "-o", file, "--budget", budget)
		require.Zero(t, code, stderr)
		code, out, _ := call("inspect", file)
		require.Zero(t, code)
		require.Contains(t, out, complete, budget)
		code, out, stderr = call("verify", file, filepath.Join(dir, "base"))
		require.Zero(t, code, stderr)
		require.Contains(t, out, "verified")
		code, out, _ = call("verify", file, filepath.Join(dir, "fine-tune"))
		require.Equal(t, exitMismatch, code)
		require.Contains(t, out, "differs")
	}
}
