package align

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
)

func TestSharedTokens(t *testing.T) {
	a := []string{"<s>", "Ġthe", "cat", "dog", "twice", "twice", ""}
	b := []string{"dog", "[unused1]", "▁the", "</s>", "twice", "dog", "beyond"}
	require.Equal(t, TokenMatch{A: []int{3, 1}, B: []int{0, 2}, How: "string"}, SharedTokens(a, b, 7, 6))
	require.Equal(t, TokenMatch{A: []int{3}, B: []int{0}, How: "string"}, SharedTokens(a, b, 7, 2))
	require.Equal(t, TokenMatch{A: []int{0, 1, 2}, B: []int{0, 1, 2}, How: "index"}, SharedTokens(nil, b, 3, 5))
}

func TestRareTokens(t *testing.T) {
	of := func(n int) *roles.Tower { return &roles.Tower{Embedding: &roles.Matrix{Rows: n, Cols: 4}} }
	pair := func(a, b []string) *Pair {
		return &Pair{A: &Subject{Tokens: a}, B: &Subject{Tokens: b}}
	}
	for _, c := range []struct {
		name         string
		a, b         []string
		rowsA, rowsB int
		n            int
		want         TokenMatch
	}{
		{"padding, then control tokens, then the last", []string{"<s>", "x", "y", "z", "", "<e>"}, []string{"<s>", "x", "y", "q", "[PAD4]", "<o>"}, 8, 7, 4, TokenMatch{A: []int{6, 4, 0, 2}, B: []int{6, 4, 0, 2}, How: "string"}},
		{"control tokens at other places", []string{"<s>", "a", "b"}, []string{"b", "<s>"}, 3, 2, 9, TokenMatch{A: []int{0, 2}, B: []int{1, 0}, How: "string"}},
		{"no strings", nil, []string{"x"}, 5, 4, 2, TokenMatch{A: []int{2, 3}, B: []int{2, 3}, How: "index"}},
	} {
		got := pair(c.a, c.b).RareTokens(TowerPair{A: of(c.rowsA), B: of(c.rowsB)}, c.n)
		require.Equal(t, c.want, got, c.name)
	}
	require.Equal(t, TokenMatch{A: []int{1, 2, 4}, B: []int{1, 3, 5}, How: "string"},
		TokenMatch{A: []int{1, 2}, B: []int{1, 3}, How: "string"}.With(TokenMatch{A: []int{2, 7, 4}, B: []int{9, 1, 5}}))
}
