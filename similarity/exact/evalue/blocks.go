package evalue

import (
	"math"

	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/rng"
)

// BlockSize is how many labels are weighed against all their orders at once.
const BlockSize = 10

// Table holds how like the units of B (rows) are to those of A (columns), in
// the same order of labels on both sides: n×n, row-major. The diagonal is the
// likeness of namesakes.
type Table struct {
	Likeness []float32
	N        int
	Name     string // draws the blocks, together with the seed
}

// likenesses are the correlations that the bets of Blocks are best for.
var likenesses = []float64{0.015, 0.03, 0.06, 0.12, 0.3, 0.8}

// Blocks returns the logarithm of the block-permanent e-value of independent
// axes. The labels of every axis are split at random into blocks of BlockSize,
// and
//
//	E = Σ_λ w_λ · Π_b exp(λ·tr C_b) / (perm(exp(λ·C_b)) / m!)
//
// over a grid of λ. Under the null each block's labels are in uniformly random
// order, given everything else; the denominator is the mean of the numerator
// over these orders, so every factor has mean 1 given the others, and so has
// E. The scale of λ is taken from all entries of the blocks, which no order of
// their labels alters. Where rows are Gaussian with correlation ρ, the
// likelihood ratio of "same labels" is proportional to the numerator at
// λ = d·ρ/(1−ρ²), d being one over the mean square of the entries.
func Blocks(axes []Table, seed []byte) float64 {
	var all []Bets
	for i := range axes {
		all = append(all, axes[i].Bets(seed))
	}
	return Pool(all...)
}

// Bets are what one axis says for each λ of the grid: the logarithm of the
// product of its blocks' factors.
type Bets []float64

// Bets weighs an axis.
func (t *Table) Bets(seed []byte) Bets { return t.betsInBlocksOf(BlockSize, seed) }

func (t *Table) betsInBlocksOf(size int, seed []byte) Bets {
	logs := make(Bets, len(likenesses))
	blocks := t.blocks(size, seed)
	d := scale(blocks)
	if d == 0 {
		return logs
	}
	bets := make([][]float64, len(blocks))
	dense.Parallel(len(blocks), func(i int) { bets[i] = blocks[i].bets(d) })
	for _, b := range bets {
		for k, v := range b {
			logs[k] += v
		}
	}
	return logs
}

// Pool is the logarithm of the e-value of independent axes together: the mean
// over the grid of the products over axes.
func Pool(axes ...Bets) float64 {
	total := math.Inf(-1)
	for k := range likenesses {
		sum := 0.0
		for _, b := range axes {
			sum += b[k]
		}
		total = logAdd(total, sum-math.Log(float64(len(likenesses))))
	}
	return total
}

// block is the part of a table that belongs to some labels (m×m).
type block struct {
	x []float64
	m int
}

// blocks splits the labels, the last block taking what is left.
func (t *Table) blocks(size int, seed []byte) (out []block) {
	order := rng.New(seed, "label blocks of "+t.Name).Perm(t.N)
	for len(order) > 1 {
		m := min(size, len(order))
		b := block{make([]float64, m*m), m}
		for i, j := range order[:m] {
			for k, l := range order[:m] {
				b.x[i*m+k] = float64(t.Likeness[j*t.N+l])
			}
		}
		order = order[m:]
		out = append(out, b)
	}
	return out
}

// scale is one over the mean square of the entries, each less the mean of its
// block; 0 where they are all alike.
func scale(blocks []block) float64 {
	squares, n := 0.0, 0
	for _, b := range blocks {
		mean := 0.0
		for _, v := range b.x {
			mean += v
		}
		mean /= float64(len(b.x))
		for _, v := range b.x {
			squares += float64((v - mean) * (v - mean))
			n++
		}
	}
	if !(squares > 0) || math.IsInf(squares, 0) {
		return 0
	}
	return float64(n) / squares
}

// bets are the logarithms of one block's factors over the grid.
func (b block) bets(d float64) []float64 {
	out := make([]float64, len(likenesses))
	for k, rho := range likenesses {
		out[k] = b.bet(d * rho / (1 - rho*rho))
	}
	return out
}

// bet is the logarithm of one block's factor.
func (b block) bet(lambda float64) float64 {
	x := make([]float64, len(b.x))
	trace := 0.0
	for i, v := range b.x {
		x[i] = lambda * v
	}
	for i := range b.m {
		trace += x[i*b.m+i]
	}
	orders, _ := math.Lgamma(float64(b.m) + 1)
	return trace - LogPermanent(x, b.m) + orders
}
