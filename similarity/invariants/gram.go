package invariants

import (
	"cmp"
	"context"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/similarity"
)

// TokenGram compares the inner products among the embeddings of tokens that
// training hardly touched: those of least variation in A. They stay where the
// random initialisation put them, so the products among them correlate
// between relatives and are unrelated between strangers, whatever was done to
// the basis of the residual stream. Embeddings of tokens in use resemble one
// another between strangers that share a tokenizer, so they are no evidence.
func TokenGram() *similarity.Test {
	return &similarity.Test{Name: "token-gram", Doc: "inner products among little-used embeddings", Tier: similarity.Calibrated, Run: func(ctx context.Context, p *similarity.Pair) ([]similarity.Evidence, error) {
		var out []similarity.Evidence
		for _, t := range p.Towers {
			e, err := tokenGram(ctx, p, t)
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		}
		return out, nil
	}}
}

// gramTokens is how many little-used tokens are compared, out of gramSample
// read.
const gramTokens, gramSample = 128, 1024

func tokenGram(ctx context.Context, p *similarity.Pair, t similarity.TowerPair) (similarity.Evidence, error) {
	const name, axis = "token-gram", "embedding"
	m := p.SharedTokens(t, "token gram", gramSample)
	if len(m.A) < 2*gramTokens {
		e := skip(name, axis, t, "fewer shared tokens than the test needs")
		e.Component = "embeddings"
		return e, nil
	}
	e := evidence(name, axis, t)
	e.Component = "embeddings"
	if p.Afford(max(t.A.Embedding.Cost(len(m.A)), t.B.Embedding.Cost(len(m.B))), 1) == 0 {
		e.Skipped = "the embeddings do not fit the budget"
		return e, nil
	}
	a, b, err := embeddings(ctx, t, m)
	if err != nil {
		return e, err
	}
	rows := leastUsed(a, len(m.A), t.A.Embedding.Cols)
	ga := cosines(a, rows, t.A.Embedding.Cols)
	gb := cosines(b, rows, t.B.Embedding.Cols)
	e.Statistic, _ = similarity.Correlation(ga, gb)
	e.N = len(rows)
	e.Effect = e.Statistic
	return e, nil
}

// embeddings reads the shared rows of both sides, in the same order.
func embeddings(ctx context.Context, t similarity.TowerPair, m similarity.TokenMatch) (a, b []float32, err error) {
	read := func(x *roles.Matrix, rows []int) ([]float32, error) {
		out := make([]float32, len(rows)*x.Cols)
		return out, x.Gather(ctx, out, rows)
	}
	if a, err = read(t.A.Embedding, m.A); err != nil {
		return nil, nil, err
	}
	b, err = read(t.B.Embedding, m.B)
	return a, b, err
}

// leastUsed picks the rows whose length is closest to the shortest: training
// lengthens what it uses.
func leastUsed(x []float32, n, d int) []int {
	order := make([]int, n)
	length := make([]float64, n)
	for i := range order {
		order[i], length[i] = i, dense.Norm(x[i*d:(i+1)*d])
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(length[i], length[j]) })
	return order[:gramTokens]
}

// cosines lists the cosines between all pairs of the given rows, less their
// mean row.
func cosines(x []float32, rows []int, d int) []float64 {
	unit := make([]float32, len(rows)*d)
	mean := make([]float64, d)
	for _, r := range rows {
		for k, v := range x[r*d : (r+1)*d] {
			mean[k] += float64(v) / float64(len(rows))
		}
	}
	for i, r := range rows {
		row := unit[i*d : (i+1)*d]
		for k, v := range x[r*d : (r+1)*d] {
			row[k] = float32(float64(v) - mean[k])
		}
		norm := dense.Norm(row)
		for k := range row {
			row[k] = float32(float64(row[k]) / (norm + 1e-30))
		}
	}
	g := make([]float32, len(rows)*len(rows))
	dense.Gram(g, unit, len(rows), d)
	var out []float64
	for i := range rows {
		for j := i + 1; j < len(rows); j++ {
			out = append(out, float64(g[i*len(rows)+j]))
		}
	}
	return out
}
