package forward

import (
	"context"
	"math"

	"github.com/weightprint/weightprint/internal/dense"
)

// scores streams the scores of tokens, some of the vocabulary at a time: f is
// given rows × n scores of the words from first on, in order.
func (p *Pass) scores(ctx context.Context, hidden []float32, f func(first, n int, scores []float32)) error {
	m := p.model
	rows := len(hidden) / m.Tower.Hidden
	bias, err := biasOf(ctx, m.head)
	if err != nil {
		return err
	}
	var part []float32
	return blocks(ctx, m.head, func(first, n int, values []float32) error {
		if len(part) < rows*n {
			part = make([]float32, rows*n)
		}
		dense.MulNT(part[:rows*n], hidden, values, rows, n, m.head.Cols)
		for r := range rows {
			row := part[r*n : (r+1)*n]
			if bias != nil {
				plus(row, bias[first:first+n])
			}
			if m.softAnswers > 0 {
				for k, v := range row {
					row[k] = float32(m.bounded(float64(v), m.softAnswers))
				}
			}
		}
		f(first, n, part[:rows*n])
		return nil
	})
}

// Logits returns the scores of all tokens after every token of every variant,
// for small vocabularies: variants × tokens × vocabulary.
func (p *Pass) Logits(ctx context.Context) ([]float32, error) {
	if p.model.head == nil {
		return nil, unsupported("it has no head")
	}
	v := p.model.head.Rows
	out := make([]float32, p.Variants*p.Tokens*v)
	return out, p.scores(ctx, p.Hidden, func(first, n int, scores []float32) {
		for r := range p.Variants * p.Tokens {
			copy(out[r*v+first:r*v+first+n], scores[r*n:(r+1)*n])
		}
	})
}

// divergence adds up the Kullback-Leibler divergence of two distributions while
// their scores stream by. Sums are relative to the greatest scores so far.
type divergence struct {
	mostP, mostQ       float64
	sumP, sumQ, weight float64 // weight: of the difference of scores under P
}

func newDivergence() divergence { return divergence{mostP: math.Inf(-1), mostQ: math.Inf(-1)} }

func (d *divergence) add(p, q []float32) {
	topP, topQ := d.mostP, d.mostQ
	for k := range p {
		topP, topQ = max(topP, float64(p[k])), max(topQ, float64(q[k]))
	}
	down := exp(d.mostP - topP)
	d.sumP, d.weight, d.sumQ = float64(d.sumP*down), float64(d.weight*down), float64(d.sumQ*exp(d.mostQ-topQ))
	d.mostP, d.mostQ = topP, topQ
	for k := range p {
		e := exp(float64(p[k]) - topP)
		d.sumP += e
		d.weight += float64(e * (float64(p[k]) - float64(q[k])))
		d.sumQ += exp(float64(q[k]) - topQ)
	}
}

// nats is the divergence.
func (d *divergence) nats() float64 {
	return max(0, d.weight/d.sumP-(d.mostP+log(d.sumP))+(d.mostQ+log(d.sumQ)))
}

// Change says for every variant but the first how far its output is from the
// first's, averaged over tokens: the Kullback-Leibler divergence of the next
// token in nats, which no token counts in that the network never says; or,
// where there is no head, the squared distance of the last hidden states over
// their squared length.
func (p *Pass) Change(ctx context.Context) ([]float64, error) {
	all, err := p.Changes(ctx)
	out := make([]float64, len(all))
	for i, tokens := range all {
		for _, x := range tokens {
			out[i] += x / float64(len(tokens))
		}
	}
	return out, err
}

// Changes is Change token by token: variants but the first × tokens. Squared distances
// of hidden states are over the mean squared length.
func (p *Pass) Changes(ctx context.Context) ([][]float64, error) {
	if p.model.head == nil {
		return p.hiddenChanges(), nil
	}
	others := p.Variants - 1
	sums := make([]divergence, others*p.Tokens)
	for i := range sums {
		sums[i] = newDivergence()
	}
	err := p.scores(ctx, p.Hidden, func(_, n int, scores []float32) {
		dense.Parallel(len(sums), func(i int) {
			of, token := i/p.Tokens+1, i%p.Tokens
			sums[i].add(scores[token*n:(token+1)*n], scores[(of*p.Tokens+token)*n:][:n])
		})
	})
	if err != nil {
		return nil, err
	}
	out := make([][]float64, others)
	for i := range sums {
		out[i/p.Tokens] = append(out[i/p.Tokens], sums[i].nats())
	}
	return out, nil
}

func (p *Pass) hiddenChanges() [][]float64 {
	per, wide := len(p.Hidden)/p.Variants, p.model.Tower.Hidden
	whole := p.Hidden[:per]
	size := dense.Norm(whole)
	mean := float64(size*size) / float64(p.Tokens)
	out := make([][]float64, p.Variants-1)
	for v := range out {
		other := p.Hidden[(v+1)*per : (v+2)*per]
		for first := 0; first < per; first += wide {
			sum := 0.0
			for k, y := range other[first : first+wide] {
				d := float64(y) - float64(whole[first+k])
				sum += float64(d * d)
			}
			out[v] = append(out[v], sum/mean)
		}
	}
	return out
}

// Sample draws a next token after every token of the first variant; uniform
// gives numbers in [0, 1), always the same ones for a token.
func (p *Pass) Sample(ctx context.Context, uniform func(token int) func() float64) ([]int, error) {
	type draw struct {
		most, sum float64
		token     int
		next      func() float64
	}
	draws := make([]draw, p.Tokens)
	for i := range draws {
		draws[i] = draw{most: math.Inf(-1), next: uniform(i)}
	}
	hidden := p.Hidden[:p.Tokens*p.model.Tower.Hidden]
	err := p.scores(ctx, hidden, func(first, n int, scores []float32) {
		dense.Parallel(len(draws), func(i int) {
			d, row := &draws[i], scores[i*n:(i+1)*n]
			top := d.most
			for _, v := range row {
				top = max(top, float64(v))
			}
			d.sum = float64(d.sum * exp(d.most-top))
			d.most = top
			part := 0.0
			for _, v := range row {
				part += exp(float64(v) - top)
			}
			d.sum += part
			keep, at := d.next(), float64(d.next()*part)
			if float64(keep*d.sum) >= part { // the words so far keep the draw
				return
			}
			for k, v := range row {
				if at -= exp(float64(v) - top); at < 0 || k == n-1 {
					d.token = first + k
					return
				}
			}
		})
	})
	out := make([]int, p.Tokens)
	for i, d := range draws {
		out[i] = d.token
	}
	return out, err
}
