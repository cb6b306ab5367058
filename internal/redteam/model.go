package redteam

import (
	"context"
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/internal/zoo"
)

// publicSeed is that of published sketches, as docs/FORMAT.md gives it.
var publicSeed = []byte("weightprint.sketch/1")

// projections are the ±1 vectors of sketches under a seed, as docs/FORMAT.md
// gives them: of published ones under publicSeed, of answers under the
// challenge's digest.
func projections(seed []byte, dim, bits int) [][]float64 {
	out := make([][]float64, bits)
	for b := range out {
		s := rng.New(seed, "projection "+strconv.Itoa(b)+" of "+strconv.Itoa(dim))
		out[b] = make([]float64, dim)
		var word uint64
		for k := range dim {
			if k%64 == 0 {
				word = s.Uint64()
			}
			out[b][k] = float64(int(word>>(k%64)&1)*2 - 1)
		}
	}
	return out
}

// copyOf reads a model into memory, where it can be changed.
func copyOf(ctx context.Context, m tensor.Model) (*zoo.Model, error) {
	out := zoo.New()
	out.Meta = m.Metadata()
	for _, t := range m.Tensors() {
		v := make([]float32, t.Len())
		if err := t.Data.ReadValues(ctx, v, 0); err != nil {
			return nil, err
		}
		out.Add(t.Name, v, t.Shape...)
	}
	return out, nil
}

// relativeChange is |b − a| / |a| over all values of all tensors.
func relativeChange(a, b *zoo.Model) float64 {
	var change, all float64
	for _, t := range a.Tensors() {
		was, is := a.Values(t.Name), b.Values(t.Name)
		for i, v := range was {
			change += float64(is[i]-v) * float64(is[i]-v)
			all += float64(v) * float64(v)
		}
	}
	return math.Sqrt(change / all)
}

// normal draws n Gaussian values.
func normal(r *rand.Rand, n int, size float64) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = size * r.NormFloat64()
	}
	return v
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

func norm(a []float64) float64 { return math.Sqrt(dot(a, a)) }
