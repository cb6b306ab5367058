package carry

import (
	"context"

	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/forward"
)

// Units can be planted in sets that sum to nothing: silu(g)·u − silu(−g)·u = g·u,
// and that is taken off again by units with the two rows exchanged. Only the first
// of them agrees with the other side. So where units of the same layer can take back
// what the agreeing ones give, they are removed with them: of the others, each
// counts with a weight in [0, 1] such that the sum of all outputs is least.

const (
	cancelled = 0.02 // what may be left of the square of the sum where it is taken back
	sweeps    = 200  // of the descent, coordinate by coordinate
	hopeless  = 0.2  // what may be left after a quarter of them
	widest    = 8192 // units of the largest layer that is looked at
)

// companions looks for them layer by layer.
type companions struct {
	sets  map[int]*set      // what agrees
	left  map[int][]float32 // what is left of each unit, for layers with companions
	count int
}

// look looks at one layer at work.
func (c *companions) look(ctx context.Context, x forward.Activity) error {
	if c.sets[x.Layer] == nil {
		return nil
	}
	set := c.sets[x.Layer].units
	rest := x.Width - len(set)
	if len(set) == 0 || rest == 0 || x.Width > widest {
		return nil
	}
	down, err := columns(ctx, x.Down)
	if err != nil {
		return err
	}
	weights, share := cancel(newOutputs(x, down.Raw, set))
	if share > cancelled {
		return nil
	}
	left := make([]float32, x.Width)
	k := 0
	for u := range left {
		if set[u] {
			continue
		}
		left[u] = float32(1 - weights[k])
		if weights[k] > 0.5 {
			c.count++
		}
		k++
	}
	if c.left == nil {
		c.left = map[int][]float32{}
	}
	c.left[x.Layer] = left
	return nil
}

// outputs are inner products of what units write: between the others, of each with
// the sum of the agreeing ones, and of that sum with itself.
type outputs struct {
	among []float64 // others × others
	with  []float64
	size  float64
}

// newOutputs works on units seen over all tokens: what unit j writes is a_j⊗d_j,
// and the inner product of two of them is (a_j·a_k)(d_j·d_k).
func newOutputs(x forward.Activity, down []float32, set map[int]bool) outputs {
	h := len(down) / x.Width
	var acts, writes []float32
	sum := make([]float32, x.Tokens*h)
	for u := range x.Width {
		act := make([]float32, x.Tokens)
		for t := range act {
			act[t] = x.Units[t*x.Width+u]
		}
		d := down[u*h : (u+1)*h]
		if !set[u] {
			acts, writes = append(acts, act...), append(writes, d...)
			continue
		}
		for t, a := range act {
			for k, w := range d {
				sum[t*h+k] += float32(a * w)
			}
		}
	}
	n := x.Width - len(set)
	ga, gd := make([]float32, n*n), make([]float32, n*n)
	dense.Gram(ga, acts, n, x.Tokens)
	dense.Gram(gd, writes, n, h)
	o := outputs{among: make([]float64, n*n), with: make([]float64, n), size: dense.Norm(sum)}
	for i := range ga {
		o.among[i] = float64(float64(ga[i]) * float64(gd[i]))
	}
	seen := make([]float32, x.Tokens)
	for j := range n {
		dense.SerialNT(seen, sum, writes[j*h:(j+1)*h], x.Tokens, 1, h)
		for t, s := range seen {
			o.with[j] += float64(float64(s) * float64(acts[j*x.Tokens+t]))
		}
	}
	o.size = float64(o.size * o.size)
	return o
}

// cancel finds the weights and what they leave of the square of the sum.
func cancel(o outputs) (weights []float64, share float64) {
	n := len(o.with)
	weights = make([]float64, n)
	slope := append([]float64(nil), o.with...) // half the derivative
	for sweep := range sweeps {
		if sweep == sweeps/4 && o.left(weights, slope) > hopeless {
			break
		}
		moved := 0.0
		for j := range n {
			own := o.among[j*n+j]
			if own <= 0 {
				continue
			}
			to := min(1, max(0, weights[j]-slope[j]/own))
			if step := to - weights[j]; step != 0 {
				weights[j] = to
				for k := range slope {
					slope[k] += float64(step * o.among[j*n+k])
				}
				moved = max(moved, step, -step)
			}
		}
		if moved < 1e-4 {
			break
		}
	}
	return weights, o.left(weights, slope)
}

// left is the share of the square of the sum that weights leave.
func (o *outputs) left(weights, slope []float64) float64 {
	if o.size == 0 {
		return 1
	}
	left := o.size
	for j, w := range weights {
		left += float64(w * (o.with[j] + slope[j]))
	}
	return max(0, left) / o.size
}
