package report

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The error rate that every report states is that of the tables of docs/QUALITY.md which
// were made under this policy, those before the sentence on older ones.
func TestLimitsStateTheMeasuredErrorRate(t *testing.T) {
	raw, err := os.ReadFile("../docs/QUALITY.md")
	require.NoError(t, err)
	today, _, found := strings.Cut(string(raw), "The tables from here on were made under policy 1")
	require.True(t, found)
	n := 0
	for _, row := range regexp.MustCompile(`(?m)^\| strangers \| (\d+) \| \d+ \| \d+ \| (\d+) \| \d+ \|$`).FindAllStringSubmatch(today, -1) {
		pairs, err := strconv.Atoi(row[1])
		require.NoError(t, err)
		require.Equal(t, "0", row[2], "a stranger was given a relation")
		n += pairs
	}
	stated := strings.Join(limits, "\n")
	require.Contains(t, stated, fmt.Sprintf("none of %d pairs of strangers", n))
	require.Contains(t, stated, fmt.Sprintf("at most %.2f %%", 100*(1-math.Pow(0.05, 1/float64(n)))))
	page, err := os.ReadFile("../docs/AUDITOR.md")
	require.NoError(t, err)
	require.Contains(t, string(page), fmt.Sprintf("0 of %d,%03d pairs", n/1000, n%1000))
}
