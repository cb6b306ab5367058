package recipe

import (
	"math"

	"github.com/weightprint/weightprint/formats/tensor"
)

// storage is how finely a type tells numbers apart.
type storage struct {
	bits     int // of the mantissa
	smallest int // exponent of the smallest normal number
	slack    float64
	round    func(float32) float32 // nil where values are not asked to be exactly what a mixture rounds to
}

// A value may be further from the mixture than half a step, by errors of the
// weights: slack, in steps. Single precision is computed with as it is stored, so
// each operation leaves half a step; thirty-two steps pay for a score of them.
const slack, slackSingle = 0.12, 32

// storages lists the types that children are fitted in; another one counts as
// brain floats, coarsely.
var storages = map[tensor.DType]storage{
	tensor.BF16:   {bits: 7, smallest: -126, slack: slack},
	tensor.F16:    {bits: 10, smallest: -14, slack: slack},
	tensor.F32:    {bits: 23, smallest: -126, slack: slackSingle},
	tensor.F64:    {bits: 23, smallest: -126, slack: slackSingle}, // values are decoded to single precision
	tensor.F8E4M3: {bits: 3, smallest: -6, slack: slack},
	tensor.F8E5M2: {bits: 2, smallest: -14, slack: slack},
}

func storageOf(d tensor.DType) storage {
	s, ok := storages[d]
	if !ok {
		s = storages[tensor.BF16]
	}
	s.round = d.Rounding()
	return s
}

// bitsOf is the width of a type's mantissa, 0 where it has none.
func bitsOf(d tensor.DType) int { return storages[d].bits }

// step is the distance between neighbouring numbers at y.
func (s *storage) step(y float32) float64 {
	e := max(int(math.Float32bits(y)>>23&0xff)-127, s.smallest)
	return math.Float64frombits(uint64(e-s.bits+1023) << 52)
}

// Weights are taken for the roundest number that the fit does not exclude:
// nobody mixes with 0.2998.
var grids = []float64{0.05, 0.01, 0.001}

const nearGrid = 2e-4

// nearest is the round number that a weight stands for, also where the weight
// itself was rounded to a coarse type before it was used.
func nearest(w, ci float64, round func(float32) float32) float64 {
	near := max(nearGrid, 2*ci)
	for _, step := range grids {
		n := math.Round(w/step) * step
		if math.Abs(n-w) < near || round != nil && math.Abs(float64(round(float32(n)))-w) < near {
			return n
		}
	}
	return w
}
