package delta

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/align"
)

// Likeness says how alike the rows of all matrices in one kind of role are at
// their own places, beside what the same rows show when they are relabelled at
// random. It describes; it is no test, as not every kind of row may be
// relabelled.
type Likeness struct {
	Role     string // the role without its layer and expert, such as "mlp.up"
	Matrices int
	Rows     int     // in all
	Cosine   float64 // mean cosine of centred rows at the same place
	Mean, SD float64 // of that mean under random relabelling: sums over all pairs of rows, exactly
}

// likenessRows and likenessMatrices bound what Likenesses reads of a kind of
// role.
const (
	likenessRows     = 32
	likenessMatrices = 6
)

// Likenesses compares rows of a few evenly spread matrices of every kind of
// role whose shapes agree, as far as the budget allows.
func Likenesses(ctx context.Context, p *align.Pair, m *align.Matching) ([]Likeness, error) {
	kinds := map[string][]align.MatrixPair{}
	var order []string
	for _, x := range m.Matrices {
		if x.A.Rows != x.B.Rows || x.A.Cols != x.B.Cols || x.B.Rows < 2 {
			continue
		}
		k := kindOf(x.B.Role)
		if kinds[k] == nil {
			order = append(order, k)
		}
		kinds[k] = append(kinds[k], x)
	}
	var out []Likeness
	for _, k := range order {
		l := Likeness{Role: k}
		for _, i := range align.Spread(len(kinds[k]), likenessMatrices) {
			if err := l.add(ctx, p, kinds[k][i]); err != nil {
				return nil, err
			}
		}
		if l.Matrices > 0 {
			out = append(out, l.mean())
		}
	}
	return out, nil
}

// kindOf is a role without its numbers.
func kindOf(role string) string {
	words := slices.DeleteFunc(strings.Split(role, "."), func(w string) bool {
		_, err := strconv.Atoi(w)
		return err == nil || w == "layers"
	})
	return strings.Join(words, ".")
}

// add compares the rows of one pair of matrices. The mean and variance of a
// sum over a random permutation are Hoeffding's (1951).
func (l *Likeness) add(ctx context.Context, p *align.Pair, x align.MatrixPair) error {
	n, d := min(x.B.Rows, likenessRows), x.B.Cols
	if p.Reserve(2*max(x.A.Cost(n), x.B.Cost(n)), 1) == 0 { // a server sends what lies between near rows, too
		return nil
	}
	at := rng.New(p.Seed, "likeness of "+x.B.Role).Sample(x.B.Rows, n)
	if err := tensor.FetchAll(ctx, []tensor.Want{x.A.Want(at), x.B.Want(at)}); err != nil {
		return err
	}
	a, b := make([]float32, n*d), make([]float32, n*d)
	if err := x.A.Gather(ctx, a, at); err != nil {
		return err
	}
	if err := x.B.Gather(ctx, b, at); err != nil {
		return err
	}
	unit(a, n, d)
	unit(b, n, d)
	c := make([]float32, n*n)
	dense.MulNT(c, b, a, n, n, d)
	rows, cols := make([]float64, n), make([]float64, n)
	var all, diagonal, spread float64
	for i := range n {
		for j := range n {
			v := float64(c[i*n+j])
			rows[i] += v / float64(n)
			cols[j] += v / float64(n)
			all += v / float64(n*n)
		}
		diagonal += float64(c[i*n+i]) / float64(n)
	}
	for i := range n {
		for j := range n {
			e := float64(c[i*n+j]) - rows[i] - cols[j] + all
			spread += float64(e * e)
		}
	}
	l.Matrices++
	l.Rows += n
	l.Cosine += diagonal
	l.Mean += all
	l.SD += spread / (float64(n) * float64(n) * float64(n-1))
	return nil
}

// mean turns sums over matrices into means; SD holds variances until then.
func (l Likeness) mean() Likeness {
	k := float64(l.Matrices)
	l.Cosine, l.Mean, l.SD = l.Cosine/k, l.Mean/k, math.Sqrt(l.SD)/k
	return l
}

// unit centres columns over the rows and gives every row length 1; rows that
// vanish stay zero.
func unit(x []float32, n, d int) {
	for j := range d {
		sum := 0.0
		for i := range n {
			sum += finite(x[i*d+j])
		}
		for i := range n {
			x[i*d+j] = float32(finite(x[i*d+j]) - sum/float64(n))
		}
	}
	for i := range n {
		row := x[i*d : (i+1)*d]
		if size := dense.Norm(row); size > 0 {
			for j, v := range row {
				row[j] = float32(float64(v) / size)
			}
		}
	}
}

// finite is x, or 0 for what is no number.
func finite(x float32) float64 {
	if v := float64(x); !math.IsNaN(v) && !math.IsInf(v, 0) {
		return v
	}
	return 0
}
