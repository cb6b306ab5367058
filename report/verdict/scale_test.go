package verdict

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

// Words are those of the ENFSI guideline for evaluative reporting (2015): 2 to 10 weak,
// to 100 moderate, to 1000 moderately strong, to 10,000 strong, to a million very strong,
// above it extremely strong support. Where ranges meet the weaker words stand.
func TestWordsFollowENFSI(t *testing.T) {
	for _, c := range []struct {
		lr    float64
		words string
	}{
		{1, "no"}, {2, "no"}, {2.1, "weak"}, {10, "weak"}, {10.1, "moderate"}, {76, "moderate"}, {100, "moderate"},
		{101, "moderately strong"}, {1e3, "moderately strong"}, {1001, "strong"}, {1e4, "strong"},
		{10001, "very strong"}, {1e6, "very strong"}, {1000001, "extremely strong"}, {1e300, "extremely strong"},
	} {
		require.Equal(t, c.words+" support", strength(c.lr), c.lr)
	}
}

// The table of docs/AUDITOR.md is the scale, and the number of pairs that limits it is
// that of the controls.
func TestAuditorPageShowsTheScale(t *testing.T) {
	raw, err := os.ReadFile("../../docs/AUDITOR.md")
	require.NoError(t, err)
	page := string(raw)
	rows := regexp.MustCompile(`(?m)^\| ([\d,]+) \| ([\d,]*) ?\| ([a-z ]+) \|$`).FindAllStringSubmatch(page, -1)
	scale := Verdict{}.Scale()
	require.Len(t, rows, len(scale))
	for i, d := range scale {
		require.Equal(t, d.Words, rows[i][3])
		for k, want := range []float64{d.From, d.To} {
			got, _ := strconv.ParseFloat(strings.ReplaceAll(rows[i][1+k], ",", ""), 64)
			require.Equal(t, want, got, rows[i])
		}
	}
	n := Controls().Disjoint()
	require.Contains(t, page, fmt.Sprintf("(%d in this\nrelease: %d networks", n, Controls().Networks))
	require.Contains(t, page, "the words end at \""+strength(float64(n))+"\"")
}

// A ratio at the limit is known by its score, as stated with six digits, and no other is.
func TestLimited(t *testing.T) {
	n := Controls().Disjoint()
	at := func(r Relation, lr float64) int {
		v := Verdict{Relation: r, Score: Number(lr / (1 + lr))}
		text, err := v.Score.MarshalJSON()
		require.NoError(t, err)
		x, err := strconv.ParseFloat(string(text), 64)
		require.NoError(t, err)
		v.Score = Number(x)
		return v.Limited()
	}
	for _, r := range []Relation{Identical, Reencoded, Related, SharedInit} {
		require.Equal(t, n, at(r, float64(n)), r)
		require.Equal(t, 2*n, at(r, float64(2*n)), "a report of more controls")
		require.Zero(t, at(r, float64(n-1)), r)
		require.Zero(t, at(r, math.MaxFloat64), "no such ratio is stated")
	}
	require.Zero(t, at(Inconclusive, float64(n)))
	require.Zero(t, at(NoEvidence, float64(n)))
}
