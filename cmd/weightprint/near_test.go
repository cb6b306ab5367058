package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Rows are asked for together, as many as are known to be wanted; --near makes fewer
// requests of them, for more bytes, and the same fingerprint.
func TestFingerprintAsksForRowsTogether(t *testing.T) {
	hub := hubOfDemo(t)
	file := filepath.Join(t.TempDir(), "m.wfp")
	requests, bytes, first := map[string]int64{}, map[string]int64{}, []byte(nil)
	for _, near := range []string{"1KiB", "256KiB"} {
		before, sent := hub.Weights.Requests.Load(), hub.Weights.Bytes.Load()
		code, _, stderr := call("fingerprint", hub.Weights.URL+"org/base/", "--budget", "64KiB", "--near", near, "-o", file, "--allow-private")
		require.Zero(t, code, stderr)
		requests[near], bytes[near] = hub.Weights.Requests.Load()-before, hub.Weights.Bytes.Load()-sent
		got, err := os.ReadFile(file)
		require.NoError(t, err)
		if first == nil {
			first = got
		}
		require.Equal(t, first, got)
	}
	require.Less(t, requests["1KiB"], int64(300), "rows were asked for one by one")
	require.Less(t, 2*requests["256KiB"], requests["1KiB"])
	require.Less(t, bytes["1KiB"], bytes["256KiB"])

	for _, bad := range []string{"full", "-1", "near"} {
		code, _, stderr := call("fingerprint", "x", "--near", bad, "-o", file)
		require.Equal(t, exitUsage, code, stderr)
		require.Contains(t, stderr, "64KiB")
	}
}
