package main

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/weightprint/weightprint/internal/zoo"
)

// layersOf counts the layers of a model.
func layersOf(m *zoo.Model) (n int) {
	for {
		if _, ok := m.Tensor(fmt.Sprintf("model.layers.%d.input_layernorm.weight", n)); !ok {
			return n
		}
		n++
	}
}

// layer is one of a model.
type layer struct {
	of *zoo.Model
	at int
}

// layered is m with these layers instead of its own.
func layered(m *zoo.Model, layers []layer) *zoo.Model {
	out := zoo.New()
	out.Meta = m.Meta
	for _, t := range m.Tensors() {
		if !strings.HasPrefix(t.Name, "model.layers.") {
			out.Add(t.Name, append([]float32(nil), m.Values(t.Name)...), t.Shape...)
		}
	}
	for to, l := range layers {
		from := fmt.Sprintf("model.layers.%d.", l.at)
		for _, t := range l.of.Tensors() {
			if part, ok := strings.CutPrefix(t.Name, from); ok {
				out.Add(fmt.Sprintf("model.layers.%d.%s", to, part), append([]float32(nil), l.of.Values(t.Name)...), t.Shape...)
			}
		}
	}
	return out
}

// span lists some layers of a model.
func span(m *zoo.Model, from, to int) (out []layer) {
	for i := from; i < to; i++ {
		out = append(out, layer{m, i})
	}
	return out
}

// thinned lacks one layer between the first and the last.
func thinned(r *rand.Rand, m, _ *zoo.Model) *zoo.Model {
	n := layersOf(m)
	if n < 3 {
		return m
	}
	out := 1 + r.IntN(n-2)
	return layered(m, append(span(m, 0, out), span(m, out+1, n)...))
}

// deepened has two layers twice, or the only one.
func deepened(r *rand.Rand, m, _ *zoo.Model) *zoo.Model {
	n := layersOf(m)
	k := min(2, n)
	at := r.IntN(n - k + 1)
	return layered(m, append(span(m, 0, at+k), span(m, at, n)...))
}

// reordered has two layers that follow each other the other way round.
func reordered(r *rand.Rand, m, _ *zoo.Model) *zoo.Model {
	all := span(m, 0, layersOf(m))
	if len(all) > 1 {
		at := r.IntN(len(all) - 1)
		all[at], all[at+1] = all[at+1], all[at]
	}
	return layered(m, all)
}

// worded has more tokens, whose rows are drawn.
func worded(r *rand.Rand, m, _ *zoo.Model) *zoo.Model {
	out := zoo.New()
	out.Meta = m.Meta
	for _, t := range m.Tensors() {
		v, shape := append([]float32(nil), m.Values(t.Name)...), append([]int64(nil), t.Shape...)
		if t.Name == embeddings || t.Name == head {
			more, size := 64*shape[1], rootMeanSquare(v)
			for _, x := range normals(r, int(more)) {
				v = append(v, float32(size*x))
			}
			shape[0] += 64
		}
		out.Add(t.Name, v, shape...)
	}
	return out
}

// stacked is the beginning of one sibling under the end of another, the middle of both.
func stacked(_ *rand.Rand, m, other *zoo.Model) *zoo.Model {
	n := layersOf(m)
	return layered(m, append(span(m, 0, n-n/3), span(other, n/3, n)...))
}

// spliced is the beginning of one sibling under the rest of another.
func spliced(_ *rand.Rand, m, other *zoo.Model) *zoo.Model {
	n := layersOf(m)
	return layered(m, append(span(m, 0, n/2), span(other, n/2, n)...))
}
