package adversary

import (
	"math"
	"math/rand/v2"
)

// Kinless makes two networks that share something which is no common training.
type Kinless struct {
	Name string
	Make func(r *rand.Rand, b Build, c *Corpus) (x, y *Decoder)
	Want []string // relations that are right
	Say  string   // a word that has to stand among the alternatives where a relation is found
}

var (
	none = []string{"no-evidence", "inconclusive"}
	seed = []string{"shared-init", "inconclusive", "no-evidence"}
)

// School is the training that networks of this package get.
var School = Schooling{Steps: 160, Batch: 5, Long: 32, Rate: 8e-3}

// Grow draws and trains a network.
func Grow(r *rand.Rand, b Build, c *Corpus) *Decoder {
	d := New(r, b)
	d.Train(r, c, School)
	return d
}

// Shared lists them.
var Shared = []Kinless{
	{"one public mask, trained under it", func(r *rand.Rand, b Build, c *Corpus) (*Decoder, *Decoder) {
		s := School
		s.Mask = PublicMask(r, New(r, b), 0.3)
		x, y := New(r, b), New(r, b)
		x.Train(r, c, s)
		y.Train(r, c, s)
		return x, y
	}, none, ""},
	{"one public mask, pruned by it", func(r *rand.Rand, b Build, c *Corpus) (*Decoder, *Decoder) {
		x, y := Grow(r, b, c), Grow(r, b, c)
		m := PublicMask(r, x, 0.3)
		x.mask(m)
		y.mask(m)
		return x, y
	}, none, ""},
	{"one public adapter on both", func(r *rand.Rand, b Build, c *Corpus) (*Decoder, *Decoder) {
		x, y := Grow(r, b, c), Grow(r, b, c)
		one, two := r.Uint64(), r.Uint64()
		x.adapt(rand.New(rand.NewPCG(one, two)), 4, 0.1)
		y.adapt(rand.New(rand.NewPCG(one, two)), 4, 0.1)
		return x, y
	}, none, "public"},
	{"drawn by ZerO", byFormula(zerO), seed, "init"},
	{"drawn by a formula of row and column", byFormula(sines), seed, "init"},
	{"one seed, one corpus, another order", func(r *rand.Rand, b Build, c *Corpus) (*Decoder, *Decoder) {
		x := New(r, b)
		y := x.Clone()
		x.Train(r, c, School)
		y.Train(r, c, School)
		return x, y
	}, append([]string{"related"}, seed...), "init"},
	{"a student of inner states", func(r *rand.Rand, b Build, c *Corpus) (*Decoder, *Decoder) {
		x, y := Grow(r, b, c), New(r, b)
		s := School
		s.Teacher = x
		y.Train(r, c, s)
		return x, y
	}, append([]string{"related"}, seed...), "imitat"},
}

// PublicMask draws zeros for the matrices of the layers of networks like d.
func PublicMask(r *rand.Rand, d *Decoder, density float64) map[string]*Matrix {
	out := map[string]*Matrix{}
	d.visit(func(name string, rows, cols int, _ []float64) {
		if isMatrix(name) {
			out[name] = NewMatrix(rows, cols).each(func(int, int, float64) float64 {
				if r.Float64() < density {
					return 1
				}
				return 0
			})
		}
	})
	return out
}

// adapt adds a random product of low rank to every matrix of the layers, as long as
// part of it.
func (d *Decoder) adapt(r *rand.Rand, rank int, part float64) {
	for _, b := range d.Blocks {
		for _, n := range b.matrices() {
			m := *n.at
			delta := mul(gaussian(r, m.R, rank, 1), gaussian(r, rank, m.C, 1))
			m.plus(delta, part*m.size()/delta.size())
		}
	}
}

// byFormula trains two networks apart that begin with the same values, which anybody
// computes.
func byFormula(fill func(name string, m *Matrix)) func(*rand.Rand, Build, *Corpus) (*Decoder, *Decoder) {
	return func(r *rand.Rand, b Build, _ *Corpus) (*Decoder, *Decoder) { return fromFormula(r, b, School, fill) }
}

// Formulaic trains two networks apart that begin with what a formula gives: one of two,
// in turn.
func Formulaic(r *rand.Rand, b Build, s Schooling, which int) (x, y *Decoder) {
	return fromFormula(r, b, s, []func(string, *Matrix){zerO, sines}[which%2])
}

func fromFormula(r *rand.Rand, b Build, s Schooling, fill func(name string, m *Matrix)) (x, y *Decoder) {
	var out [2]*Decoder
	for i := range out {
		d := New(r, b)
		d.visit(func(name string, rows, cols int, v []float64) {
			if cols > 0 {
				fill(name, &Matrix{rows, cols, v})
			}
		})
		d.Train(r, NewCorpus(r, b.Vocab), s)
		out[i] = d
	}
	return out[0], out[1]
}

// zerO is the initialisation of Zhao, Schäfer, Anandkumar (2022): the identity where
// a matrix narrows, a Hadamard matrix where it widens, zeros where it writes.
func zerO(name string, m *Matrix) {
	writes := writesStream(name)
	m.each(func(i, k int, _ float64) float64 {
		switch {
		case writes:
			return 0
		case m.R <= m.C && i == k:
			return 1
		case m.R <= m.C:
			return 0
		}
		return hadamard(i, k) / math.Sqrt(float64(m.C))
	})
}

// hadamard is an entry of Sylvester's matrix: the parity of the common bits.
func hadamard(i, k int) float64 {
	sign := 1.0
	for x := i & k; x > 0; x &= x - 1 {
		sign = -sign
	}
	return sign
}

// sines is what shaders use for noise.
func sines(_ string, m *Matrix) {
	m.each(func(i, k int, _ float64) float64 {
		_, part := math.Modf(math.Sin(float64((i+1)*(k+1))*12.9898+float64(i+1)*78.233) * 43758.5453)
		return 0.2 * part
	})
}
