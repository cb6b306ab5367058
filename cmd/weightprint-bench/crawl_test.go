package main

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A small hub of every kind of repository is crawled politely, with the same result
// for any number of workers.
func TestCrawl(t *testing.T) {
	var out strings.Builder
	require.NoError(t, benchCrawl(context.Background(), &out, 50, 1, 16))
	for _, line := range []string{"# fingerprinted: 42", "# gone: 2", "# gated: 2", "# of another size: 2", "# known by SHA-256, not read: 2", "\t0 without Range"} {
		require.Equal(t, 2, strings.Count(out.String(), line), "%s in %s", line, out.String())
	}
}
