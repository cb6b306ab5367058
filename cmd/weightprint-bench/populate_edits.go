package main

import (
	"bytes"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

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

// multiplied is every matrix times a factor.
func multiplied(m *zoo.Model, factor float32) {
	inner(m, func(v []float32, _, _ int) {
		for i := range v {
			v[i] *= factor
		}
	})
}

// projected loses a direction from all that writes to the residual stream.
func projected(r *rand.Rand, m, _ *zoo.Model) {
	t, ok := m.Tensor(embeddings)
	if !ok {
		return
	}
	hidden := int(t.Shape[1])
	away := normals(r, hidden)
	size := math.Sqrt(float64(hidden)) * rootMean(away)
	for i := range away {
		away[i] /= size
	}
	for _, t := range m.Tensors() {
		v := m.Values(t.Name)
		switch {
		case t.Name == embeddings:
			for row := range slices.Chunk(v, hidden) {
				without(row, away, 1)
			}
		case strings.HasSuffix(t.Name, "o_proj.weight"), strings.HasSuffix(t.Name, "down_proj.weight"):
			cols := int(t.Shape[1])
			for k := range cols {
				without(v[k:], away, cols)
			}
		}
	}
}

// without takes a direction of length 1 out of every stride-th value.
func without(v []float32, away []float64, stride int) {
	sum := 0.0
	for i, x := range away {
		sum += float64(v[i*stride]) * x
	}
	for i, x := range away {
		v[i*stride] -= float32(sum * x)
	}
}

func rootMean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	return math.Sqrt(sum / float64(len(v)))
}

// headed has another head, drawn.
func headed(r *rand.Rand, m, _ *zoo.Model) {
	v := m.Values(head)
	size := rootMeanSquare(v)
	for i := range v {
		v[i] = float32(size * r.NormFloat64())
	}
}
