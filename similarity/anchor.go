package similarity

import (
	"context"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
)

// minTokens is how many shared tokens token-anchored coordinates need.
const minTokens = 64

// anchor is a set of shared tokens as each side's residual stream holds them.
// Seen through it, a row of a matrix becomes its response to those tokens: a
// vector that no permutation, sign change or rotation of the residual stream
// alters, and that can be compared across hidden sizes.
type anchor struct {
	a, b   []float32 // tokens × hidden, centred over tokens
	da, db int
	n      int

	even *anchor // the same tokens with no direction standing out, once asked for
}

// anchors returns the anchors of a tower pair for matrices that read the
// residual stream (through the embedding) and for those that write it
// (through the head), or nil where there are too few shared tokens.
func (p *Pair) anchors(ctx context.Context, t TowerPair, tokens int) (reads, writes *anchor, err error) {
	m := p.tokens(t)
	if len(m.A) < minTokens {
		return nil, nil, nil
	}
	m = m.sampled(p.Seed, "anchor tokens of "+t.B.Name, tokens)
	if !p.anchored[t.B.Name] { // read again from the cache of a server, or of the system
		p.anchored[t.B.Name] = true
		p.spent += max(cost(len(m.A), t.A.Embedding, headOf(t.A)), cost(len(m.B), t.B.Embedding, headOf(t.B)))
	}
	if reads, err = newAnchor(ctx, t.A.Embedding, t.B.Embedding, m); err != nil {
		return nil, nil, err
	}
	writes, err = newAnchor(ctx, headOf(t.A), headOf(t.B), m)
	return reads, writes, err
}

// cost is how many bytes that many rows of the matrices take, each matrix once.
func cost(rows int, ms ...*roles.Matrix) (n int64) {
	for i, m := range ms {
		if !slices.Contains(ms[:i], m) {
			n += m.Cost(rows)
		}
	}
	return n
}

// tokens pairs the vocabularies of a tower; only the main tower of a subject
// has one.
func (p *Pair) tokens(t TowerPair) TokenMatch {
	if t.A.Embedding == nil || t.B.Embedding == nil {
		return TokenMatch{}
	}
	return SharedTokens(p.A.Tokens, p.B.Tokens, t.A.Embedding.Rows, t.B.Embedding.Rows)
}

func newAnchor(ctx context.Context, a, b *roles.Matrix, m TokenMatch) (*anchor, error) {
	x := &anchor{da: a.Cols, db: b.Cols, n: len(m.A)}
	var err error
	if x.a, err = gatherSorted(ctx, a, m.A); err != nil {
		return nil, err
	}
	if x.b, err = gatherSorted(ctx, b, m.B); err != nil {
		return nil, err
	}
	centreTokens(x.a, x.n, x.da)
	centreTokens(x.b, x.n, x.db)
	return x, nil
}

// gatherSorted reads rows in file order and returns them in the order asked
// for, with the gain of the norm before the matrix folded in.
func gatherSorted(ctx context.Context, m *roles.Matrix, rows []int) ([]float32, error) {
	at := make([]int, len(rows))
	for i := range at {
		at[i] = i
	}
	slices.SortFunc(at, func(x, y int) int { return rows[x] - rows[y] })
	sorted := make([]int, len(rows))
	for i, k := range at {
		sorted[i] = rows[k]
	}
	v := viewPlan{gains: true}
	s, err := v.read(ctx, m, 0, sorted, nil)
	if err != nil {
		return nil, err
	}
	out := make([]float32, len(s.raw))
	for i, k := range at {
		copy(out[k*m.Cols:(k+1)*m.Cols], s.raw[i*m.Cols:(i+1)*m.Cols])
	}
	return out, nil
}

// centreTokens subtracts the mean token: what all tokens share says nothing
// about a unit.
func centreTokens(x []float32, n, d int) {
	for k := range d {
		mean := 0.0
		for i := range n {
			mean += float64(x[i*d+k])
		}
		mean /= float64(n)
		for i := range n {
			x[i*d+k] -= float32(mean)
		}
	}
}

// respond turns rows (n × hidden) of one side into responses to the tokens.
func (x *anchor) respond(s sample, sideB bool) sample {
	tokens, d := x.a, x.da
	if sideB {
		tokens, d = x.b, x.db
	}
	out := sample{raw: make([]float32, s.n*x.n), n: s.n, dim: x.n}
	dense.MulNT(out.raw, s.raw, tokens, s.n, x.n, d)
	return out
}
