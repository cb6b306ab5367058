package verdict

import (
	"maps"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every policy up to this one has its record, in order, and the current one is
// not retracted. A policy that a release carries keeps its thresholds.
func TestPoliciesAreOnRecord(t *testing.T) {
	require.Len(t, Policies(), PolicyVersion)
	for i, p := range Policies() {
		require.Equal(t, i+1, p.Version)
		require.NotEmpty(t, p.Changed)
		require.NotEmpty(t, p.Why)
	}
	now, ok := PolicyOf(PolicyVersion)
	require.True(t, ok)
	require.Empty(t, now.Retracted)
	d, err := CurrentRules().Digest()
	require.NoError(t, err)
	require.Regexp(t, "^[0-9a-f]{64}$", d)
	if now.Fixed != "" {
		require.Equal(t, now.Fixed, d, "a threshold was changed: raise PolicyVersion, and write the new policy into policies.go and docs/POLICY.md")
	}
	_, ok = PolicyOf(PolicyVersion + 1)
	require.False(t, ok)
}

// The pages tell the same: every policy has its section, every retracted one its
// erratum.
func TestPoliciesAreInTheDocuments(t *testing.T) {
	page, err := os.ReadFile("../../docs/POLICY.md")
	require.NoError(t, err)
	errata, err := os.ReadFile("../../docs/ERRATA.md")
	require.NoError(t, err)
	plain := func(b []byte) string { return strings.Join(strings.Fields(string(b)), " ") }
	for _, p := range Policies() {
		require.Regexp(t, regexp.MustCompile(`(?m)^## Policy `+string(rune('0'+p.Version))+`\b`), string(page))
		for _, c := range p.Changed {
			require.Contains(t, plain(page), c)
		}
		if p.Retracted != "" {
			require.Contains(t, plain(errata), p.Retracted)
		}
	}
}

func TestRulesDiffer(t *testing.T) {
	a, b := CurrentRules(), CurrentRules()
	require.Empty(t, a.Differ(b))
	b.Thresholds = maps.Clone(b.Thresholds)
	b.Thresholds["defaultAlpha"] = 0.5
	delete(b.Thresholds, "tries")
	b.Thresholds["another"] = 1
	require.Equal(t, []string{"another", "defaultAlpha", "tries"}, a.Differ(b))
	require.Equal(t, a.Differ(b), b.Differ(a))
	x, err := a.Digest()
	require.NoError(t, err)
	y, err := b.Digest()
	require.NoError(t, err)
	require.NotEqual(t, x, y)
}
