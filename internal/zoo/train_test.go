package zoo

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Gradients are those of finite differences, and training learns the chain.
func TestTrain(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	n := NewNet(r, 2, 12, 20, 16)
	c := NewChain(r, 16)
	loss := func() float64 {
		sum := 0.0
		for j, p := range n.forward(3).answer {
			sum -= c[3][j] * math.Log(p)
		}
		return sum
	}
	n.backward(3, n.forward(3), c[3], 1)
	for i, p := range n.params {
		for range 5 {
			k := r.IntN(len(p.w))
			if i == 0 {
				k = 3*p.cols + r.IntN(p.cols)
			}
			const h = 1e-5
			was := p.w[k]
			p.w[k] = was + h
			up := loss()
			p.w[k] = was - h
			down := loss()
			p.w[k] = was
			require.InDelta(t, (up-down)/(2*h), p.g[k], 1e-6, "parameter %d, entry %d", i, k)
		}
		clear(p.g)
	}
	before := loss()
	n.Train(r, c, 200, 16, 5e-3)
	require.Less(t, loss(), before/2)
}
