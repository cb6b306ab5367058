package invariants

import (
	"cmp"
	"context"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/untrained"
	"github.com/weightprint/weightprint/similarity"
)

// TokenGram compares the inner products among embeddings, which no change of
// basis of the residual stream alters, in three ways.
//
//   - Among the tokens of least length in A, which training used least:
//     calibrated, since strangers that share a tokenizer use the same tokens.
//   - Among those of greatest length, which training moved: what they have in
//     common was learned.
//   - Among tokens that training left where the initialisation put them: the
//     exact test of [TokenSigns].
func TokenGram() *similarity.Test {
	return &similarity.Test{Name: "token-gram", Doc: "inner products among little-used, much-used and untouched embeddings", Tier: similarity.Calibrated, Run: func(ctx context.Context, p *similarity.Pair) ([]similarity.Evidence, error) {
		var out []similarity.Evidence
		for _, t := range p.Towers {
			e, err := tokenGram(ctx, p, t)
			if err != nil {
				return nil, err
			}
			out = append(out, e...)
		}
		return out, nil
	}}
}

// gramTokens is how many tokens are compared, out of gramSample read,
// and as many that are rare.
const gramTokens, gramSample = 128, 1024

// UsedTokens and TokenSigns name the second and third result of TokenGram.
const UsedTokens, TokenSigns = "token-gram-used", untrained.Test

func tokenGram(ctx context.Context, p *similarity.Pair, t similarity.TowerPair) ([]similarity.Evidence, error) {
	little, used, signs := evidence("token-gram", "embedding", t), evidence(UsedTokens, "embedding", t), evidence(TokenSigns, "embedding", t)
	signs.Tier, signs.Null = similarity.Exact, untrained.Null
	all := []*similarity.Evidence{&little, &used, &signs}
	done := func(why string) (out []similarity.Evidence, err error) {
		for _, e := range all {
			if e.Component = "embeddings"; e.Skipped == "" {
				e.Skipped = why
			}
			out = append(out, *e)
		}
		return out, nil
	}
	m := p.SharedTokens(t, "token gram", gramSample)
	if len(m.A) < 2*gramTokens {
		return done("fewer shared tokens than the test needs")
	}
	sampled := len(m.A)
	afford := func(rows int) bool {
		return p.Afford(max(t.A.Embedding.Cost(rows), t.B.Embedding.Cost(rows)), 1) > 0
	}
	if all := m.With(p.RareTokens(t, gramSample)); afford(len(all.A)) {
		m = all
	} else if !afford(sampled) {
		return done("the embeddings do not fit the budget")
	}
	a, b, err := embeddings(ctx, t, m)
	if err != nil {
		return nil, err
	}
	da, db := t.A.Embedding.Cols, t.B.Embedding.Cols
	order := byLength(a, sampled, da)
	compare := func(e *similarity.Evidence, rows []int) {
		e.Effect, e.N = correlation(cosines(a, rows, da), cosines(b, rows, db)), len(rows)
		e.Statistic = e.Effect
	}
	compare(&little, order[:gramTokens])
	compare(&used, order[len(order)-gramTokens:])
	tokenSigns(&signs, table{a, da, byLength(a, len(m.A), da)}, table{b, db, byLength(b, len(m.B), db)})
	return done("")
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

// byLength sorts rows by their length: training lengthens what it uses.
func byLength(x []float32, n, d int) []int {
	order := make([]int, n)
	length := make([]float64, n)
	for i := range order {
		order[i], length[i] = i, dense.Norm(x[i*d:(i+1)*d])
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(length[i], length[j]) })
	return order
}

// among holds the cosines among n rows.
type among struct {
	cosine []float32
	n      int
}

// correlation is that of the cosines of all pairs of rows.
func correlation(a, b among) float64 {
	c, _ := similarity.Correlation(a.pairs(), b.pairs())
	return c
}

func (g among) pairs() (out []float64) {
	for i := range g.n {
		for _, v := range g.cosine[i*g.n+i+1 : (i+1)*g.n] {
			out = append(out, float64(v))
		}
	}
	return out
}

// cosines are those among the given rows, less their mean row.
func cosines(x []float32, rows []int, d int) among {
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
	g := among{make([]float32, len(rows)*len(rows)), len(rows)}
	dense.Gram(g.cosine, unit, len(rows), d)
	return g
}
