package main

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/demo"
)

// In every dispute the published figure points the wrong way, and the verdict does not.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, demo.Extract(dir))
	var out bytes.Buffer
	require.NoError(t, run([]string{dir}, &out))
	cases := strings.Split(strings.TrimSpace(out.String()), "\n\n")
	require.Len(t, cases, len(disputes))
	for i, want := range []struct {
		published string // a number that has to be as large at least
		least     float64
		relation  string
	}{
		{`, (-?[0-9.]+) sigma`, 15, "weightprint: no-evidence"},
		{`correlate by (-?[0-9.]+)`, 0.9, "weightprint: no-evidence"},
		{`published:  ([0-9]+) of`, 15, "weightprint: no-evidence"},
		{`matrices is (-?[0-9.]+)`, 0.3, "weightprint: related [partial]"},
		{`0 of ([0-9]+) matrices`, 15, "moe-upcycled"},
	} {
		m := regexp.MustCompile(want.published).FindStringSubmatch(cases[i])
		require.NotNil(t, m, cases[i])
		x, err := strconv.ParseFloat(m[1], 64)
		require.NoError(t, err)
		require.GreaterOrEqual(t, x, want.least, cases[i])
		require.Contains(t, cases[i], want.relation)
		require.Contains(t, cases[i], "decides nothing: ")
	}
	require.Error(t, run(nil, &out))
}
