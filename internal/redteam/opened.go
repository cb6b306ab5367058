package redteam

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/weightprint/weightprint/fingerprint/commitment"
)

// RecoverAnswered attacks a whole response to a challenge that opened q pairs
// of the edited matrix. An opened row less the base is a row of the edit: of a
// rank-one edit that gives away the direction v that all rows share. For every
// sketched pair that was not opened the 128 signs then locate one number, the
// difference of the two rows' coefficients. Rows that were neither sketched nor
// opened stay unknown.
func (e *Edit) RecoverAnswered(ctx context.Context, q int) ([]float64, error) {
	m := e.model(true)
	o, err := commitment.Commit(ctx, m, commitment.Secret{1})
	if err != nil {
		return nil, err
	}
	c, err := commitment.NewChallenge("beacon", q, o.Commitment())
	if err != nil {
		return nil, err
	}
	r, err := commitment.Respond(ctx, m, o, c, "later")
	if err != nil {
		return nil, err
	}
	axis := r.Answer.Axes[0]
	pairs := c.Pairs(axis)
	out := make([]float64, len(e.Delta))
	opened := map[int]bool{}
	var known []float64
	for n, s := range r.Opened(c) {
		opened[s.Pair] = true
		for side, u := range pairs[s.Pair] {
			for k, v := range r.Proofs[n][side].Values(e.Cols) {
				out[u*e.Cols+k] = float64(v) - e.Base[u*e.Cols+k]
			}
			known = append(known, out[u*e.Cols:(u+1)*e.Cols]...)
		}
	}
	v := rankOne(known, 2*len(opened), e.Cols)[:e.Cols]
	if size := norm(v); size > 0 {
		for k := range v {
			v[k] /= size
		}
	}
	seed := c.Digest()
	masks := projections(seed[:], e.Cols, commitment.SketchBits)
	words := r.Answer.Sketches[0].Words
	for p, u := range pairs {
		if opened[p] {
			continue
		}
		t := e.locate(u, v, masks, words[p*commitment.SketchBits/64:])
		for k := range v {
			out[u[0]*e.Cols+k] = t / 2 * v[k]
			out[u[1]*e.Cols+k] = -t / 2 * v[k]
		}
	}
	return out, nil
}

// locate finds the multiple of v in the difference of a pair that agrees with
// most signs.
func (e *Edit) locate(u [2]int, v []float64, masks [][]float64, words []uint64) float64 {
	base := make([]float64, e.Cols)
	for k := range base {
		base[k] = e.Base[u[0]*e.Cols+k] - e.Base[u[1]*e.Cols+k]
	}
	base, dir := around(base), around(v)
	type line struct {
		at, slope float64 // where the sign turns, and which way
		one       bool
	}
	var lines []line
	for b, mask := range masks {
		if slope := dot(mask, dir); slope != 0 {
			lines = append(lines, line{-dot(mask, base) / slope, slope, words[b/64]>>(b%64)&1 == 1})
		}
	}
	slices.SortFunc(lines, func(a, b line) int { return cmp.Compare(a.at, b.at) })
	best, most := 0.0, -1
	for i := range len(lines) - 1 {
		t := (lines[i].at + lines[i+1].at) / 2
		agree := 0
		for _, l := range lines {
			if ((t-l.at)*l.slope > 0) == l.one {
				agree++
			}
		}
		if agree > most || agree == most && math.Abs(t) < math.Abs(best) {
			best, most = t, agree
		}
	}
	return best
}

// around subtracts the mean.
func around(x []float64) []float64 {
	mean := 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	out := make([]float64, len(x))
	for k, v := range x {
		out[k] = v - mean
	}
	return out
}
