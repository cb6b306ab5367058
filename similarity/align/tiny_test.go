package align

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
)

// Strings pair the rows unless they say next to nothing.
func TestSharedTokensOfFewStrings(t *testing.T) {
	list := func(format string, n, common int) (out []string) {
		for i := range n {
			if i < common {
				out = append(out, fmt.Sprintf("t%d", i))
			} else {
				out = append(out, fmt.Sprintf(format, i))
			}
		}
		return out
	}
	for _, c := range []struct {
		name         string
		common       int
		rowsA, rowsB int
		how          string
		pairs        int
	}{
		{"none in common", 0, 1000, 1000, "index", 1000},
		{"one", 1, 1000, 1000, "index", 1000},
		{"two", 2, 1000, 1000, "index", 1000},
		{"just too few", 63, 1000, 1000, "index", 1000},
		{"enough", 64, 1000, 1000, "string", 64},
		{"padded", 0, 1000, 1024, "index", 1000},
		{"other sizes", 2, 1000, 2000, "string", 2},
		{"half of a small vocabulary", 5, 10, 10, "string", 5},
		{"less than half of it", 4, 10, 10, "index", 10},
		{"no rows", 0, 0, 0, "string", 0},
		{"one row", 0, 1, 1, "index", 1},
	} {
		m := SharedTokens(list("a%d", c.rowsA, c.common), list("b%d", c.rowsB, c.common), c.rowsA, c.rowsB)
		if c.rowsA == 0 {
			m.How = c.how // nothing to pair
		}
		require.Equal(t, c.how, m.How, c.name)
		require.Len(t, m.A, c.pairs, c.name)
		require.Len(t, m.B, c.pairs, c.name)
	}
}

// Next to no strings in common say nothing of which rows belong together, also
// where the vocabularies differ in size.
func TestTokensByString(t *testing.T) {
	of := func(rows int) *roles.Tower { return &roles.Tower{Embedding: &roles.Matrix{Rows: rows, Cols: 4}} }
	names := func(format string, n, common int) (out []string) {
		for i := range n {
			if i < common {
				out = append(out, fmt.Sprintf("t%d", i))
			} else {
				out = append(out, fmt.Sprintf(format, i))
			}
		}
		return out
	}
	for _, c := range []struct {
		rowsA, rowsB, common int
		want                 bool
	}{{1000, 1000, 64, true}, {1000, 1000, 63, false}, {1000, 2000, 63, false}, {1000, 2000, 64, true}, {10, 20, 5, true}, {10, 20, 4, false}, {0, 0, 0, false}} {
		p := &Pair{A: &Subject{Tokens: names("a%d", c.rowsA, c.common)}, B: &Subject{Tokens: names("b%d", c.rowsB, c.common)}}
		require.Equal(t, c.want, p.TokensByString(TowerPair{A: of(c.rowsA), B: of(c.rowsB)}), "%+v", c)
	}
	require.False(t, (&Pair{A: &Subject{}, B: &Subject{}}).TokensByString(TowerPair{A: of(9), B: of(9)}))
	require.False(t, (&Pair{A: &Subject{}, B: &Subject{}}).TokensByString(TowerPair{A: &roles.Tower{}, B: of(9)}))
}
