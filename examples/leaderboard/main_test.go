package main

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/demo"
)

func TestRun(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, demo.Extract(dir))
	t.Chdir(dir)
	var out bytes.Buffer
	require.NoError(t, run(context.Background(), []string{"71.2=base", "72.9=fine-tune-q8_0", "73.0=fine-tune", "70=other-seed"}, &out))
	require.Equal(t, `1  73.0  fine-tune; also as fine-tune-q8_0
2  71.2  base; shares an origin with fine-tune
3  70.0  other-seed
`, out.String())
	for _, bad := range [][]string{nil, {"base"}, {"high=base"}, {"1=missing", "2=base"}} {
		require.Error(t, run(context.Background(), bad, &out), bad)
	}
}
