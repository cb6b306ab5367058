package redteam

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/zoo"
)

// TokenRecovery attacks the sketch of little-used tokens: signs of products
// among rows of an embedding that is base plus edit.
func TokenRecovery(ctx context.Context, rows, cols int, relative float64, steps int) (Result, error) {
	e := NewEdit(2, rows, cols, relative)
	r := Result{Attack: "recover a rank-one edit from signs of little-used tokens, base known", Setting: fmt.Sprintf("embedding of %d×%d, edit of %g %% of the matrix", rows, cols, 100*relative)}
	m := zoo.Random(rand.New(rand.NewPCG(6, 6)), zoo.Shape{Layers: 1, Hidden: cols, Width: 8, Heads: 1, KVHeads: 1, HeadDim: cols, Vocab: rows, Untied: true}, zoo.Quirks{})
	x := m.Values("model.embed_tokens.weight")
	for i := range x {
		x[i] = float32(e.Base[i] + e.Delta[i])
	}
	f, err := fingerprint.Compute(ctx, m, nil)
	if err != nil {
		return r, err
	}
	if f.Tokens == nil {
		r.Outcome, r.Holds = "not published: the edit shows as a direction", true
		return r, nil
	}
	found := e.Error(e.RecoverProducts(f.Tokens.Rows, f.Tokens.Table(), steps))
	r.Outcome = fmt.Sprintf("relative error %.4f; %d of %d rows are sketched", found, len(f.Tokens.Rows), rows)
	r.Holds = found >= enough
	return r, nil
}

// TokenRecoveryUnbounded shows that the attack works where the signs of all
// pairs of all rows are known.
func TokenRecoveryUnbounded(steps int) Result {
	e := NewEdit(2, 192, 12, 0.5)
	rows, table := make([]int, e.Rows), make([]int8, e.Rows*e.Rows)
	w := make([]float64, len(e.Base))
	for i := range w {
		w[i] = e.Base[i] + e.Delta[i]
	}
	for j := range rows {
		rows[j] = j
		for i := range j {
			table[j*e.Rows+i] = 1
			if dot(w[j*e.Cols:(j+1)*e.Cols], w[i*e.Cols:(i+1)*e.Cols]) < 0 {
				table[j*e.Rows+i] = -1
			}
		}
	}
	found := e.Error(e.RecoverProducts(rows, table, steps))
	return Result{Attack: "the same attack", Setting: "192×12, edit of 50 %, the signs of all pairs: the attack works", Outcome: fmt.Sprintf("relative error %.4f", found), Holds: found < 0.5}
}

// RecoverProducts attacks signs of products among rows: logistic regression of
// the signs on the two factors of the edit, by Adam from several random starts;
// the start that explains the signs best counts.
func (e *Edit) RecoverProducts(rows []int, table []int8, steps int) []float64 {
	const starts = 4
	r := rand.New(rand.NewPCG(9, 9))
	base := e.rowsOf(e.Base, rows)
	n, d := len(rows), e.Cols
	scale := 1 / math.Sqrt(dot(base, base)/float64(len(base)))
	for i := range base {
		base[i] *= scale // of unit size
	}
	var best []float64
	least := math.Inf(1)
	for range starts {
		x := normal(r, n+d, 0.3) // u, then v
		var loss float64
		o := adam{first: make([]float64, n+d), second: make([]float64, n+d)}
		for range steps {
			var g []float64
			loss, g = logistic(base, x[:n], x[n:], table)
			o.step(x, g)
		}
		if loss < least {
			least, best = loss, outer(x[:n], x[n:])
		}
	}
	out := make([]float64, len(e.Delta))
	for i, row := range rows {
		copy(out[row*d:], best[i*d:(i+1)*d])
	}
	return out
}

// logistic is the loss of explaining signs of products among the rows base+u·v,
// and its gradient.
func logistic(base, u, v []float64, table []int8) (loss float64, gradient []float64) {
	const sharp = 4
	n, d := len(u), len(v)
	x, down := outer(u, v), make([]float64, n*d)
	for i := range x {
		x[i] += base[i]
	}
	pairs := 0.0
	for j := range n {
		for i := range j {
			sign := float64(table[j*n+i])
			if sign == 0 {
				continue
			}
			pairs++
			a, b := x[j*d:(j+1)*d], x[i*d:(i+1)*d]
			z := sharp * sign * dot(a, b) / math.Sqrt(float64(d))
			loss += math.Log1p(math.Exp(-z))
			slope := -sharp * sign / math.Sqrt(float64(d)) / (1 + math.Exp(z))
			for k := range d {
				down[j*d+k] += slope * b[k]
				down[i*d+k] += slope * a[k]
			}
		}
	}
	gradient = make([]float64, n+d)
	for i := range n {
		row := down[i*d : (i+1)*d]
		gradient[i] = dot(row, v) / pairs
		for k := range d {
			gradient[n+k] += row[k] * u[i] / pairs
		}
	}
	return loss / pairs, gradient
}

// adam is the optimiser of that name (Kingma and Ba, 2015).
type adam struct {
	first, second []float64
	taken         float64
}

func (o *adam) step(x, g []float64) {
	const rate, mean, spread = 0.03, 0.9, 0.999
	o.taken++
	for i := range x {
		o.first[i] = mean*o.first[i] + (1-mean)*g[i]
		o.second[i] = spread*o.second[i] + (1-spread)*g[i]*g[i]
		m, s := o.first[i]/(1-math.Pow(mean, o.taken)), o.second[i]/(1-math.Pow(spread, o.taken))
		x[i] -= rate * m / (math.Sqrt(s) + 1e-8)
	}
}
