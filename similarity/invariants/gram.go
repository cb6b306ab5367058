package invariants

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/generic"
	"github.com/weightprint/weightprint/internal/linalg"
	"github.com/weightprint/weightprint/similarity"
)

// TokenGram compares the inner products among the embeddings of tokens that
// training hardly touched: those of least length in A. They stay where the
// random initialisation put them, so the products among them correlate
// between relatives and are unrelated between strangers, whatever was done to
// the basis of the residual stream. A second result does so for the tokens of
// greatest length, which training moved: what they have in common was learned.
//
// That the little-used rows were hardly touched is checked: random rows have no
// direction of their own. Where they show one on either side, the first result
// bears a warning, since embeddings in use resemble one another between
// strangers that share a tokenizer.
func TokenGram() *similarity.Test {
	return &similarity.Test{Name: "token-gram", Doc: "inner products among little-used and much-used embeddings", Tier: similarity.Calibrated, Run: func(ctx context.Context, p *similarity.Pair) ([]similarity.Evidence, error) {
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

// gramTokens is how many little-used tokens are compared, out of gramSample
// read.
const gramTokens, gramSample = 128, 1024

// UsedTokens is the name of the second result of TokenGram.
const UsedTokens = "token-gram-used"

func tokenGram(ctx context.Context, p *similarity.Pair, t similarity.TowerPair) ([]similarity.Evidence, error) {
	little, used := evidence("token-gram", "embedding", t), evidence(UsedTokens, "embedding", t)
	little.Component, used.Component = "embeddings", "embeddings"
	skipped := func(why string) ([]similarity.Evidence, error) {
		little.Skipped, used.Skipped = why, why
		return []similarity.Evidence{little, used}, nil
	}
	m := p.SharedTokens(t, "token gram", gramSample)
	if len(m.A) < 2*gramTokens {
		return skipped("fewer shared tokens than the test needs")
	}
	if p.Afford(max(t.A.Embedding.Cost(len(m.A)), t.B.Embedding.Cost(len(m.B))), 1) == 0 {
		return skipped("the embeddings do not fit the budget")
	}
	a, b, err := embeddings(ctx, t, m)
	if err != nil {
		return nil, err
	}
	da, db := t.A.Embedding.Cols, t.B.Embedding.Cols
	order := byLength(a, len(m.A), da)
	rows := order[:gramTokens]
	ga, gb := cosines(a, rows, da), cosines(b, rows, db)
	little.Effect, little.N = correlation(ga, gb), len(rows)
	for i, why := range []string{touched(ga, a, rows, da), touched(gb, b, rows, db)} {
		if why != "" {
			little.Warnings = append(little.Warnings, fmt.Sprintf("little-used embeddings of %s are not as a random initialisation leaves them: %s", side(i), why))
		}
	}
	rows = order[len(order)-gramTokens:]
	used.Effect, used.N = correlation(cosines(a, rows, da), cosines(b, rows, db)), len(rows)
	little.Statistic, used.Statistic = little.Effect, used.Effect
	return []similarity.Evidence{little, used}, nil
}

func side(i int) string { return []string{"A", "B"}[i] }

// Random rows have no direction stronger than the edge that Marchenko and
// Pastur give, with room for the few rows that there are, and their cosines
// are together no larger than chance makes them: many weak directions would
// show there.
const (
	strongest = 1.2
	energy    = 1.1
)

// touched says in what rows differ from a random initialisation, or "".
func touched(g among, x []float32, rows []int, d int) string {
	chosen := make([]float32, 0, len(rows)*d)
	for _, r := range rows {
		chosen = append(chosen, x[r*d:(r+1)*d]...)
	}
	if why := generic.Units(chosen, len(rows), d); why != "" {
		return why
	}
	if s := directed(g, d); !(s <= strongest) {
		return fmt.Sprintf("a direction is %.2g times as strong as random ones", s)
	}
	sum := 0.0
	for _, c := range g.pairs() {
		sum += float64(c * c)
	}
	if e := sum * float64(2*max(1, d-1)) / float64(g.n*(g.n-1)); !(e <= energy) {
		return fmt.Sprintf("squared cosines are %.2g times as large as random ones", e)
	}
	return ""
}

// directed is the largest eigenvalue of the Gram matrix of unit rows with d
// values, in units of that edge.
func directed(g among, d int) float64 {
	wide := make([]float64, len(g.cosine))
	for i, v := range g.cosine {
		wide[i] = float64(v)
	}
	values, err := linalg.SymEigenvalues(wide, g.n)
	if err != nil {
		return math.Inf(1)
	}
	return slices.Max(values) / math.Pow(1+math.Sqrt(float64(g.n)/float64(max(1, d-1))), 2)
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
