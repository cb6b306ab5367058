package axis

import (
	"context"
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/similarity/align"
)

// minTokens is how many shared tokens token-anchored coordinates need.
const minTokens = 64

// Anchor is a set of shared tokens as each side's residual stream holds them.
// Seen through it, a row of a matrix becomes its response to those tokens: a
// vector that no permutation, sign change or rotation of the residual stream
// alters, and that can be compared across hidden sizes.
type Anchor struct {
	a, b   []float32 // tokens × hidden, centred over tokens
	da, db int
	n      int

	flat *Anchor // the same tokens with no direction standing out, once asked for
}

// Anchors returns the anchors of a tower pair for matrices that read the
// residual stream (through the embedding) and for those that write it
// (through the head), or nil where there are too few shared tokens or the budget
// does not allow to read them.
func Anchors(ctx context.Context, p *align.Pair, t align.TowerPair, tokens int) (reads, writes *Anchor, err error) {
	m := p.Tokens(t)
	if len(m.A) < minTokens {
		return nil, nil, nil
	}
	m = m.Sampled(p.Seed, "anchor tokens of "+t.B.Name, tokens)
	known := align.Lasting[anchored](p)
	key := fmt.Sprintf("%d of %s", tokens, t.B.Name)
	if x, ok := known.by[key]; ok {
		return x[0], x[1], nil
	}
	each := max(cost(1, t.A.Embedding, align.OutputMatrix(t.A)), cost(1, t.B.Embedding, align.OutputMatrix(t.B)))
	gains := max(align.OutputMatrix(t.A).Gain.Cost(), align.OutputMatrix(t.B).Gain.Cost())
	if p.Reserve(each*int64(len(m.A))+gains, 1) == 0 {
		return nil, nil, nil
	}
	reads, writes = &Anchor{n: len(m.A)}, &Anchor{n: len(m.A)}
	if reads.a, reads.da, writes.a, writes.da, err = tokenRows(ctx, t.A, m.A); err != nil {
		return nil, nil, err
	}
	if reads.b, reads.db, writes.b, writes.db, err = tokenRows(ctx, t.B, m.B); err != nil {
		return nil, nil, err
	}
	if known.by == nil {
		known.by = map[string][2]*Anchor{}
	}
	known.by[key] = [2]*Anchor{reads, writes}
	return reads, writes, nil
}

// anchored holds the anchors of a pair, which no other pairing of layers alters.
type anchored struct{ by map[string][2]*Anchor }

// cost is how many bytes that many rows of the matrices take, each matrix once.
func cost(rows int, ms ...*roles.Matrix) (n int64) {
	for i, m := range ms {
		if !slices.Contains(ms[:i], m) {
			n += m.Cost(rows)
		}
	}
	return n
}

// tokenRows reads the rows of tokens as a tower reads and as it writes them, centred
// over the tokens, and their widths. Where the two matrices are one they are the same.
func tokenRows(ctx context.Context, t *roles.Tower, tokens []int) (in []float32, inWidth int, out []float32, outWidth int, err error) {
	read := func(m *roles.Matrix) ([]float32, error) {
		x, err := gatherSorted(ctx, m, tokens)
		if err == nil {
			centreTokens(x, len(tokens), m.Cols)
		}
		return x, err
	}
	head := align.OutputMatrix(t)
	if in, err = read(t.Embedding); err != nil {
		return nil, 0, nil, 0, err
	}
	if out = in; head != t.Embedding {
		out, err = read(head)
	}
	return in, t.Embedding.Cols, out, head.Cols, err
}

// gatherSorted reads rows in file order and returns them in the order asked
// for, with the weights of the norm before the matrix multiplied in.
func gatherSorted(ctx context.Context, m *roles.Matrix, rows []int) ([]float32, error) {
	if slices.IsSorted(rows) {
		s, err := ReadRows(ctx, m, rows, true)
		return s.Raw, err
	}
	at := make([]int, len(rows))
	for i := range at {
		at[i] = i
	}
	slices.SortFunc(at, func(x, y int) int { return rows[x] - rows[y] })
	sorted := make([]int, len(rows))
	for i, k := range at {
		sorted[i] = rows[k]
	}
	s, err := ReadRows(ctx, m, sorted, true)
	if err != nil {
		return nil, err
	}
	out := make([]float32, len(s.Raw))
	for i, k := range at {
		copy(out[k*m.Cols:(k+1)*m.Cols], s.Raw[i*m.Cols:(i+1)*m.Cols])
	}
	return out, nil
}

// centreTokens subtracts the mean token: what all tokens share says nothing
// about a unit.
func centreTokens(x []float32, n, d int) {
	mean := make([]float64, d)
	for first := 0; first < n*d; first += d {
		dense.AddTo(mean, x[first:first+d])
	}
	for first := 0; first < n*d; first += d {
		row := x[first : first+d]
		for k, m := range mean {
			row[k] -= float32(m / float64(n))
		}
	}
}

// Spans tells whether the tokens are as wide as the residual streams of both
// sides.
func (x *Anchor) Spans(widthA, widthB int) bool { return x.da == widthA && x.db == widthB }

// Tokens is how many there are.
func (x *Anchor) Tokens() int { return x.n }

// Some keeps some of the tokens.
func (x *Anchor) Some(at []int) *Anchor {
	return &Anchor{a: rowsOf(x.a, x.da, at), da: x.da, b: rowsOf(x.b, x.db, at), db: x.db, n: len(at)}
}

// rowsOf copies rows of d values.
func rowsOf(x []float32, d int, at []int) []float32 {
	out := make([]float32, 0, len(at)*d)
	for _, i := range at {
		out = append(out, x[i*d:(i+1)*d]...)
	}
	return out
}

// Respond turns rows (n × hidden) of one side into responses to the tokens.
func (x *Anchor) Respond(s Rows, sideB bool) Rows { return x.respond(s, sideB, nil) }

func (x *Anchor) respond(s Rows, sideB bool, room *scratch) Rows {
	tokens, d := x.a, x.da
	if sideB {
		tokens, d = x.b, x.db
	}
	out := Rows{Raw: room.floats(s.N * x.n), N: s.N, Dim: x.n}
	dense.MulNT(out.Raw, s.Raw, tokens, s.N, x.n, d)
	return out
}
