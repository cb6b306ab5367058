package main

import (
	"bytes"
	"io"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/weightprint/weightprint/internal/zoo"
)

func bytesAt(data []byte) io.ReaderAt { return bytes.NewReader(data) }

// Tensors that have a row a token.
const (
	embeddings = "model.embed_tokens.weight"
	head       = "lm_head.weight"
)

// inner calls f for every matrix but those that stand for tokens.
func inner(m *zoo.Model, f func(v []float32, rows, cols int)) {
	for _, t := range m.Tensors() {
		if len(t.Shape) == 2 && t.Name != embeddings && t.Name != head {
			f(m.Values(t.Name), int(t.Shape[0]), int(t.Shape[1]))
		}
	}
}

// adapted adds to every matrix one of the given rank, and noise, each of a size relative
// to the matrix.
func adapted(r *rand.Rand, m *zoo.Model, rank int, size, noise float64) {
	inner(m, func(v []float32, rows, cols int) {
		rms := rootMeanSquare(v)
		up, down := normals(r, rows*rank), normals(r, rank*cols)
		scale := size * rms / math.Sqrt(float64(max(1, rank)))
		for i := range rows {
			for k := range cols {
				x := noise * rms * r.NormFloat64()
				for j := range rank {
					x += scale * up[i*rank+j] * down[j*cols+k]
				}
				v[i*cols+k] += float32(x)
			}
		}
	})
}

func rootMeanSquare(v []float32) float64 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum / float64(len(v)))
}

func normals(r *rand.Rand, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = r.NormFloat64()
	}
	return out
}

// blended is a share of the other model, and the rest of this.
func blended(m, other *zoo.Model, share float32) {
	for _, t := range m.Tensors() {
		v, o := m.Values(t.Name), other.Values(t.Name)
		for i := range v {
			v[i] = (1-share)*v[i] + share*o[i]
		}
	}
}

// pruned sets a share of the values of every matrix to zero, the smallest.
func pruned(m *zoo.Model, share float64) {
	inner(m, func(v []float32, _, _ int) {
		sizes := make([]float64, len(v))
		for i, x := range v {
			sizes[i] = math.Abs(float64(x))
		}
		slices.Sort(sizes)
		edge := sizes[int(share*float64(len(sizes)))]
		for i, x := range v {
			if math.Abs(float64(x)) < edge {
				v[i] = 0
			}
		}
	})
}

// coarse rounds every matrix to steps of 4 bits, groups of 32 along the inputs.
func coarse(m *zoo.Model) {
	const group, most = 32, 7
	inner(m, func(v []float32, _, cols int) {
		if cols%group != 0 {
			return
		}
		for g := range slices.Chunk(v, group) {
			largest := 0.0
			for _, x := range g {
				largest = max(largest, math.Abs(float64(x)))
			}
			step := largest / most
			for i, x := range g {
				if step > 0 {
					g[i] = float32(math.Round(float64(x)/step) * step)
				}
			}
		}
	})
}
