package calibrated

import (
	"context"

	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/untrained"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/exact"
	"github.com/weightprint/weightprint/similarity/stats"
)

// TokenGram compares the inner products among embeddings, which no change of
// basis of the residual stream alters, in three ways.
//
//   - Among the tokens of least length in A, which training used least:
//     calibrated, since strangers that share a tokenizer use the same tokens.
//   - Among those of greatest length, which training moved: what they have in
//     common was learned.
//   - Among tokens that training left where the initialisation put them: the
//     exact test of [exact.CountTokenSigns].
func TokenGram() *similarity.Test {
	return &similarity.Test{Name: "token-gram", Doc: "inner products among little-used, much-used and untouched embeddings", Tier: similarity.Calibrated, Run: func(ctx context.Context, p *align.Pair) ([]similarity.Evidence, error) {
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

// UsedTokens names the second result of TokenGram, [exact.TokenSigns] the third.
const UsedTokens = "token-gram-used"

func tokenGram(ctx context.Context, p *align.Pair, t align.TowerPair) ([]similarity.Evidence, error) {
	little, used, signs := evidence("token-gram", "embedding", t), evidence(UsedTokens, "embedding", t), evidence(exact.TokenSigns, "embedding", t)
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
	reserve := func(rows int) bool {
		return p.Reserve(max(t.A.Embedding.Cost(rows), t.B.Embedding.Cost(rows)), 1) > 0
	}
	if all := m.With(p.RareTokens(t, gramSample)); reserve(len(all.A)) {
		m = all
	} else if !reserve(sampled) {
		return done("the embeddings do not fit the budget")
	}
	a, b, err := exact.ReadTokenRows(ctx, t, m)
	if err != nil {
		return nil, err
	}
	order := a.ByLength(sampled)
	compare := func(e *similarity.Evidence, rows []int) {
		e.Effect, e.N = correlation(cosines(a, rows), cosines(b, rows)), len(rows)
		e.Statistic = e.Effect
	}
	compare(&little, order[:gramTokens])
	compare(&used, order[len(order)-gramTokens:])
	exact.CountTokenSigns(&signs, a, b)
	return done("")
}

// among holds the cosines among n rows.
type among struct {
	cosine []float32
	n      int
}

// correlation is that of the cosines of all pairs of rows.
func correlation(a, b among) float64 {
	c, _ := stats.Correlation(a.pairs(), b.pairs())
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
func cosines(t exact.TokenRows, rows []int) among {
	x, d := t.X, t.Dim
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
