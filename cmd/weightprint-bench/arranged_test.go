package main

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/adversary"
)

// drawn is a small family that nobody trained.
func drawn() *family {
	f := &family{name: "drawn"}
	for i := range 2 {
		r := rand.New(rand.NewPCG(uint64(i), 12))
		f.residents = append(f.residents, &resident{[]string{"x", "y"}[i], adversary.New(r, adversary.Build{Layers: 2, Hidden: 24, Width: 48, Heads: 2, KV: 1, Dim: 8, Vocab: 64})})
	}
	f.strangers = [][2]*resident{{f.residents[0], f.residents[1]}}
	return f
}

// Campaigns carry out what they list: as strangers are, nobody is accused, and the
// table has a row an attack.
func TestArranged(t *testing.T) {
	var k campaign
	var out strings.Builder
	k.only = "untouched"
	all, err := work(context.Background(), k.arrangements([]*family{drawn()}), func(*finding) {})
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.False(t, all[0].accuses())
	require.Less(t, all[0].notes["raw"], 0.1)

	k.only = "units paired by gate rows"
	require.NoError(t, k.run(context.Background(), &out, k.arrangements([]*family{drawn()}), arrangedHeader, arrangedRow))
	require.Equal(t, 3, strings.Count(out.String(), "\n"), out.String())
	require.Contains(t, out.String(), "| units paired by gate rows | 1 |")
}

// A copy is a relative whatever is added to it, and both claims are judged.
func TestForged(t *testing.T) {
	k := campaign{only: "eight idle units a layer"}
	all, err := work(context.Background(), k.forgeries([]*family{drawn()}), func(*finding) {})
	require.NoError(t, err)
	require.Len(t, all, 2)
	for _, f := range all {
		require.NotEmpty(t, f.relation)
		require.Contains(t, []string{"confirmed", "contradicted", "unproven"}, f.claims["false"])
	}
}

// A job that panics is counted, not fatal.
func TestCrash(t *testing.T) {
	all, err := work(context.Background(), []job{{"x", "a", "b", func(context.Context) (*finding, error) { panic("down") }}}, func(*finding) {})
	require.NoError(t, err)
	require.Equal(t, "1 crash", relations(all))
	require.False(t, all[0].accuses())
}
