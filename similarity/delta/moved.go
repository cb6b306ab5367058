package delta

import (
	"context"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/rng"
)

// probes is how many rows are looked for.
const probes = 64

// Moved is the share of sampled rows of b that are found, nearly unchanged, at
// another row of a: rows of a vocabulary in new order.
func Moved(ctx context.Context, a, b *roles.Matrix, seed []byte) (float64, error) {
	at := rng.New(seed, "moved rows of "+b.Role).Sample(b.Rows, probes)
	rows := make([]float32, len(at)*b.Cols)
	if err := b.Gather(ctx, rows, at); err != nil {
		return 0, err
	}
	normalise(rows, b.Cols)
	best, where := make([]float32, len(at)), make([]int, len(at))
	const together = 1024
	buf := make([]float32, together*a.Cols)
	c := make([]float32, len(at)*together)
	all := a.All()
	for first := 0; first < len(all); first += together {
		part := all[first:min(first+together, len(all))]
		block := buf[:len(part)*a.Cols]
		if err := a.Gather(ctx, block, part); err != nil {
			return 0, err
		}
		normalise(block, a.Cols)
		dense.MulNT(c[:len(at)*len(part)], rows, block, len(at), len(part), a.Cols)
		for j := range at {
			for i := range part {
				if x := c[j*len(part)+i]; x > best[j] {
					best[j], where[j] = x, first+i
				}
			}
		}
	}
	moved := 0
	for j := range at {
		if best[j] > 0.8 && where[j] != at[j] {
			moved++
		}
	}
	return float64(moved) / float64(max(1, len(at))), nil
}

func normalise(x []float32, d int) {
	for r := 0; r+d <= len(x); r += d {
		row := x[r : r+d]
		if n := dense.Norm(row); n > 0 {
			for k := range row {
				row[k] = float32(float64(row[k]) / n)
			}
		}
	}
}
