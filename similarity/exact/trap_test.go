package exact_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/zoo"
)

// traps turn both networks into what looks alike without common origin: every
// one is put into the gate and up matrices of two independent networks, the
// same way in both.
var traps = []struct {
	name string
	fill func(x []float32, rows, cols int)
}{
	{"all zero", func(x []float32, _, _ int) { clear(x) }},
	{"one constant", func(x []float32, _, _ int) {
		for i := range x {
			x[i] = 0.5
		}
	}},
	{"constant rows", func(x []float32, _, cols int) {
		for i := range x {
			x[i] = float32(i / cols)
		}
	}},
	{"half of the rows constant", func(x []float32, rows, cols int) {
		for i := range rows / 2 * cols {
			x[i] = float32(i / cols)
		}
	}},
	{"sorted by size", func(x []float32, _, cols int) {
		for i := range x {
			x[i] *= float32(math.Exp(float64(i/cols) * 0.2))
		}
	}},
	{"sinusoids", func(x []float32, _, cols int) {
		for i := range x {
			x[i] = float32(math.Sin(float64(i/cols) * math.Pow(1e-3, float64(i%cols)/float64(cols))))
		}
	}},
	{"discrete Fourier basis", func(x []float32, _, cols int) {
		for i := range x {
			x[i] = float32(math.Cos(math.Pi / float64(cols) * (float64(i%cols) + 0.5) * float64(i/cols)))
		}
	}},
	{"lower triangle", func(x []float32, _, cols int) {
		for i := range x {
			x[i] = 0
			if i%cols <= i/cols {
				x[i] = 1
			}
		}
	}},
	{"identity", func(x []float32, _, cols int) {
		for i := range x {
			x[i] = 0
			if i%cols == i/cols%cols {
				x[i] = 1
			}
		}
	}},
	{"identity and noise", func(x []float32, _, cols int) {
		for i := range x {
			x[i] *= 0.1
			if i%cols == i/cols%cols {
				x[i] += float32(math.Sqrt(float64(cols)))
			}
		}
	}},
	{"identity and as much noise", func(x []float32, _, cols int) {
		for i := range x {
			if i%cols == i/cols%cols {
				row := x[i/cols*cols : (i/cols+1)*cols]
				x[i] += float32(dense.Norm(row))
			}
		}
	}},
	{"shifted diagonal", func(x []float32, _, cols int) {
		for i := range x {
			if i%cols == (i/cols+7)%cols {
				x[i] += 1
			}
		}
	}},
	{"windowed Fourier basis", func(x []float32, _, cols int) {
		for i := range x {
			at := float64(i%cols) + 0.5
			x[i] = float32(math.Cos(2*math.Pi/float64(cols)*at*float64(i/cols)*0.37) * math.Pow(math.Sin(math.Pi*at/float64(cols)), 2))
		}
	}},
	{"triangular filters", func(x []float32, rows, cols int) {
		for i := range x {
			at, centre := float64(i%cols), float64(i/cols)/float64(rows)*float64(cols)
			x[i] = float32(math.Max(0, 1-math.Abs(at-centre)/6))
		}
	}},
	{"not a number", func(x []float32, _, _ int) {
		for i := range x {
			x[i] = float32(math.NaN())
		}
	}},
	{"one shared direction", func(x []float32, _, cols int) {
		for i := range x {
			x[i] += float32(math.Sin(float64(i % cols)))
		}
	}},
	{"a trend along the axis", func(x []float32, rows, cols int) {
		for i := range x {
			x[i] += float32(i/cols)/float32(rows)*float32(math.Cos(float64(i%cols))) + float32(math.Sin(float64(i/cols)/9)*math.Sin(float64(i%cols)/3))
		}
	}},
}

// No trap makes the MLPs of two independent networks related: their tests give
// no p-value, or none below what a relation needs.
func TestTrapsAccuseNobody(t *testing.T) {
	cases := 300
	if testing.Short() {
		cases = 20
	}
	for _, trap := range traps {
		t.Run(trap.name, func(t *testing.T) {
			t.Parallel()
			for i := range cases {
				r := rand.New(rand.NewPCG(uint64(i), 99))
				s := zoo.Shape{Layers: 1 + i%2, Hidden: 24 + r.IntN(40), Width: 64, Heads: 2, KVHeads: 2, HeadDim: 16, Vocab: 40}
				a, b := zoo.Random(r, s, zoo.Quirks{}), zoo.Random(r, s, zoo.Quirks{})
				for _, m := range []*zoo.Model{a, b} {
					for _, name := range []string{"model.layers.0.mlp.gate_proj.weight", "model.layers.0.mlp.up_proj.weight"} {
						trap.fill(m.Values(name), s.Width, s.Hidden)
					}
				}
				for _, e := range run(t, a, b, uint64(i), 0) {
					if e.P != nil {
						require.Greater(t, e.P.Log10(), -7.0, "%s of %s", e.Test, e.Axis)
					}
				}
			}
		})
	}
}
