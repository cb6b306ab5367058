package exact

import (
	"cmp"
	"context"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/similarity/align"
)

// TokenRows are rows of an embedding that stand for tokens both subjects have, in
// the same order on both sides.
type TokenRows struct {
	X   []float32 // Len() × Dim
	Dim int
}

// Len is the number of rows.
func (t TokenRows) Len() int { return len(t.X) / max(1, t.Dim) }

// ReadTokenRows reads the matched rows of both embeddings of a tower pair.
func ReadTokenRows(ctx context.Context, t align.TowerPair, m align.TokenMatch) (a, b TokenRows, err error) {
	read := func(x *roles.Matrix, rows []int) (TokenRows, error) {
		out := TokenRows{make([]float32, len(rows)*x.Cols), x.Cols}
		return out, x.Gather(ctx, out.X, rows)
	}
	if a, err = read(t.A.Embedding, m.A); err != nil {
		return a, b, err
	}
	b, err = read(t.B.Embedding, m.B)
	return a, b, err
}

// ByLength sorts the first n rows by their length: training lengthens what it
// uses.
func (t TokenRows) ByLength(n int) []int {
	order := make([]int, n)
	length := make([]float64, n)
	for i := range order {
		order[i], length[i] = i, dense.Norm(t.X[i*t.Dim:(i+1)*t.Dim])
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(length[i], length[j]) })
	return order
}
