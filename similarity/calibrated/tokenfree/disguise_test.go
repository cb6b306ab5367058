package tokenfree_test

import (
	"math"
	"math/rand/v2"

	"github.com/weightprint/weightprint/internal/basis"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/similarity/mlp"
)

// normal draws n standard normal values.
func normal(r *rand.Rand, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(r.NormFloat64())
	}
	return out
}

// disguised permutes units, flips and trades scale between up and down, turns
// the residual stream and adds noise relative to each matrix.
func disguised(r *rand.Rand, blocks []mlp.Block, noise float64) []mlp.Block {
	h := blocks[0].Hidden
	turn := basis.Orthonormal(normal(r, h*h), h, h)
	var out []mlp.Block
	for _, b := range blocks {
		order := r.Perm(b.Units)
		by := make([]float32, b.Units)
		for i := range by {
			by[i] = float32(math.Exp(r.NormFloat64())) * float32(1-2*r.IntN(2))
		}
		one := mlp.Block{Units: b.Units, Hidden: h}
		one.First = changed(r, b.First, order, by, turn, h, noise)
		one.Second = changed(r, b.Second, order, by, turn, h, noise)
		out = append(out, one)
	}
	return out
}

func changed(r *rand.Rand, views []mlp.View, order []int, by, turn []float32, h int, noise float64) []mlp.View {
	var out []mlp.View
	for v, x := range views {
		rows := make([]float32, len(x.Rows))
		size := dense.Norm(x.Rows) / math.Sqrt(float64(len(rows)))
		for i, from := range order {
			scale := float32(1)
			if x.Equivariant {
				scale = by[i]
				if v == 1 {
					scale = 1 / scale
				}
			}
			for k := range h {
				rows[i*h+k] = scale * (x.Rows[from*h+k] + float32(noise*size*r.NormFloat64()))
			}
		}
		turned := make([]float32, len(rows))
		dense.MulNT(turned, rows, turn, len(order), h, h)
		out = append(out, mlp.View{Rows: turned, Equivariant: x.Equivariant})
	}
	return out
}
