package fingerprint

import (
	"context"
	"math/bits"
	"strconv"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/rng"
)

// axis is one that is to be sketched.
type axis struct {
	name        string
	length, dim int
	all         int // values of a unit, of which the vectors hold dim
	units       []int
	read        func(ctx context.Context, x []float32, units []int) error // units × dim values
}

// axes lists what is sketched of a network: the residual stream of every
// tower, seen by its tokens; the MLP of every layer (48 of them at most, evenly
// spread); of networks without layers the matrices whose rows are units.
func axes(n *roles.Network, version int) []axis {
	var mlps, out []axis
	for _, t := range n.Towers {
		if x := residual(t); x != nil {
			out = append(out, *x)
		}
		for _, l := range t.Layers {
			if m := selector(l); m != nil {
				mlps = append(mlps, hiddenAxis(t.Name+".layers."+strconv.Itoa(l.Index)+".mlp", roles.Hidden{Matrix: m, Blocks: 1}))
			}
		}
	}
	for _, h := range n.Exchangeable() {
		mlps = append(mlps, hiddenAxis(h.Role, h))
	}
	for i := range min(len(mlps), maxSketches) {
		out = append(out, mlps[i*len(mlps)/min(len(mlps), maxSketches)])
	}
	kept := out[:0]
	for _, x := range out {
		if n := units(version, x.length, x.dim, x.all); uint64(x.length) <= limitLength.most && n >= minSketched {
			x.units = sampled(x.length, n)
			kept = append(kept, x)
		}
	}
	return kept
}

// selector is the matrix whose rows stand for the units of a layer's MLP.
func selector(l *roles.Layer) *roles.Matrix {
	mlps := l.MLPs()
	if len(mlps) == 0 {
		return nil
	}
	if mlps[0].Gate != nil {
		return mlps[0].Gate
	}
	return mlps[0].Up
}

// hiddenAxis is the axis of a matrix' units, with the norm's gain folded in.
func hiddenAxis(name string, m roles.Hidden) axis {
	dim := m.Cols * m.Blocks
	return axis{name: name, length: m.Units(), dim: dim, all: dim, read: func(ctx context.Context, x []float32, units []int) error {
		if err := m.Gather(ctx, x, m.RowsOf(units)); err != nil || m.Gain == nil {
			return err
		}
		gain, err := m.Gain.Read(ctx)
		if err != nil {
			return err
		}
		for i := range x {
			x[i] *= gain[i%m.Cols]
		}
		return nil
	}}
}

// residualTokens is how many tokens stand for the vocabulary.
const residualTokens = 512

// tokens draws tokens by number, below the largest power of two that the
// vocabulary holds, so that a few tokens more change nothing.
func tokens(vocabulary, n int) []int {
	below := 1 << max(0, bits.Len(uint(vocabulary))-1)
	return rng.New(sketchSeed, "tokens of "+strconv.Itoa(below)).Sample(below, n)
}

// residual is the axis of a tower's residual stream: a dimension's values are
// those of some tokens.
func residual(t *roles.Tower) *axis {
	e := t.Embedding
	if e == nil || e.Rows < 2*residualTokens || e.Transposed() {
		return nil
	}
	some := tokens(e.Rows, residualTokens)
	return &axis{name: t.Name + ".residual", length: e.Cols, dim: len(some), all: e.Rows, read: func(ctx context.Context, x []float32, units []int) error {
		row, tables := make([]float32, e.Cols), 0
		for k, token := range some {
			if err := announce(ctx, e, some, k); err != nil {
				return err
			}
			if err := e.Gather(ctx, row, []int{token}); err != nil {
				return err
			}
			if !dense.Varies(row) || tabular(row) {
				tables++
			}
			for i, u := range units {
				x[i*len(some)+k] = row[u]
			}
		}
		if 2*tables > len(some) { // no learned embedding: leave no unit that could be compared
			clear(x)
		}
		return nil
	}}
}
