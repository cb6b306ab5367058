package zoo

import (
	"math"
	"math/rand/v2"
)

// LikeTrained gives the units of gated MLPs two traits that training leaves: a unit is
// long or short in all of its matrices, and gates point one way a little.
func LikeTrained(r *rand.Rand, m *Model) {
	m.eachMLP(func(gate, up, down dense) {
		common, typical := make([]float32, gate.cols), rootMeanSquare(gate.v)
		for k := range common {
			common[k] = 0.3 * typical * float32(r.NormFloat64())
		}
		for u := range gate.rows {
			size := float32(math.Exp(r.NormFloat64() / 3))
			for k := range gate.cols {
				gate.v[u*gate.cols+k] = size * (gate.v[u*gate.cols+k] + common[k])
				up.v[u*up.cols+k] *= size
				down.v[k*down.cols+u] *= size
			}
		}
	})
}

func rootMeanSquare(x []float32) float32 {
	sum := 0.0
	for _, v := range x {
		sum += float64(float64(v) * float64(v))
	}
	return float32(math.Sqrt(sum / float64(len(x))))
}
