package delta_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/similarity/delta"
)

// vocabulary is n trained rows: a mean, a few directions that many share, and
// noise, with other scales in other dimensions.
func vocabulary(r *rand.Rand, n, d int) []float32 {
	mean, scale := make([]float64, d), make([]float64, d)
	for k := range d {
		mean[k], scale[k] = 0.5*r.NormFloat64(), math.Exp(0.4*r.NormFloat64())
	}
	topics := make([][]float64, 6)
	for i := range topics {
		topics[i] = make([]float64, d)
		for k := range d {
			topics[i][k] = r.NormFloat64()
		}
	}
	x := make([]float32, n*d)
	for i := range n {
		var w [6]float64
		for j := range w {
			w[j] = 0.5 * r.NormFloat64()
		}
		for k := range d {
			v := mean[k] + scale[k]*r.NormFloat64()
			for j := range w {
				v += scale[k] * w[j] * topics[j][k]
			}
			x[i*d+k] = float32(v)
		}
	}
	return x
}

// Rows that were made from the trained ones are told from rows of the same
// training, and from rows that were set aside before it, whatever the seed.
func TestAddedRows(t *testing.T) {
	const n, e, d = 600, 96, 96
	const trials = 40
	profile := func(x []float32, k int) (mean, dev float64) {
		for i := range n {
			mean += float64(x[i*d+k]) / n
		}
		for i := range n {
			dev += math.Pow(float64(x[i*d+k])-mean, 2) / n
		}
		return mean, math.Sqrt(dev)
	}
	for _, c := range []struct {
		name string
		row  func(r *rand.Rand, mean, dev, drift float64) float64
		want delta.Added
	}{
		{"drawn with mean and deviation", func(r *rand.Rand, mean, dev, _ float64) float64 { return mean + dev*r.NormFloat64() }, delta.DrawnAlike},
		{"at the mean", func(r *rand.Rand, mean, _, _ float64) float64 { return mean + 1e-4*r.NormFloat64() }, delta.AtTheMean},
		{"trained with the others", nil, delta.NotShown},
		{"drawn from the initialisation", func(r *rand.Rand, _, _, _ float64) float64 { return 0.8 * r.NormFloat64() }, delta.NotShown},
		{"set aside and drifted", func(r *rand.Rand, _, _, drift float64) float64 { return drift + 0.5*r.NormFloat64() }, delta.NotShown},
		{"set aside and drifted to one point", func(_ *rand.Rand, _, _, drift float64) float64 { return drift }, delta.NotShown},
		{"zero", func(*rand.Rand, float64, float64, float64) float64 { return 0 }, delta.NotShown},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(trials) {
				r := rand.New(rand.NewPCG(seed, 0xadd))
				x := vocabulary(r, n+e, d)
				for k := range d {
					mean, dev := profile(x, k)
					drift := mean + 0.3*r.NormFloat64() // towards the mean, as far as noise lets it
					for i := n; c.row != nil && i < n+e; i++ {
						x[i*d+k] = float32(c.row(r, mean, dev, drift))
					}
				}
				m := model{plain("model.embed_tokens.weight", tensor.F32, encoders[tensor.F32](x), n+e, d)}
				got, err := delta.AddedRows(context.Background(), pairOf(m, m).Match().Matrices[0].B, n, []byte{byte(seed)})
				require.NoError(t, err)
				require.Equal(t, c.want, got, "seed %d", seed)
			}
		})
	}
}
