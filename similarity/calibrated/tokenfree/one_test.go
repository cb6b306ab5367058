package tokenfree

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/similarity/mlp"
)

// What the last round of a fit saw of a layer is what it would show if it were tried on it.
func TestFittedIsTried(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 0xf17))
	block := func(units, hidden int) mlp.Block {
		rows := func() (out []float32) {
			for range units * hidden {
				out = append(out, float32(r.NormFloat64()))
			}
			return out
		}
		return mlp.Gated(rows(), rows(), rows(), units, hidden)
	}
	for _, hidden := range []int{24, 40} {
		opt := (&Options{Units: 50, Dims: 24}).within(t.Context())
		a, b := layersOf([]mlp.Block{block(64, hidden)}, false), layersOf([]mlp.Block{block(72, hidden)}, false)
		dims := min(opt.Dims, hidden)
		x, y := opt.lone(a, dims, false), opt.lone(b, dims, true)
		f := &fit{opt: opt, dims: dims, span: x.span, a: []*directions{x.reduced}, b: []*directions{y.own}}
		f.run([][]int{opt.seed(x.signature, y.signature)})
		tried, _ := f.try(a.at(0), b.at(0))
		require.Positive(t, tried.Agree, "nothing agrees that could be told apart")
		require.Equal(t, tried, f.fitted(0))
	}
}
