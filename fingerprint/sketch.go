package fingerprint

import (
	"context"
	"math"
	"math/bits"
	"slices"
	"strconv"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/rng"
)

// Sketch holds one-bit projections of a few units of one axis. Units and
// projections follow from the axis' length and the vectors' dimension alone,
// so two models of one shape are sketched alike.
type Sketch struct {
	Axis     string // such as "layers.3.mlp"
	Length   int    // units of the axis
	Dim      int    // values of a unit
	Units    []int  // positions that were sketched, ascending
	Eligible []bool // units that are neither zero, constant nor duplicates
	Words    []uint64
}

const (
	// SketchBits is the number of projections of a unit.
	SketchBits  = 128
	sketchWords = SketchBits / 64
	sketchUnits = 32
	maxSketches = 48 // axes of a model that are sketched, evenly spread
)

// sketchSeed is public and fixed: published sketches of all models have to be
// comparable. They can therefore be forged, and serve to search, not to prove.
var sketchSeed = []byte("weightprint.sketch/1")

// units is how many units of an axis are sketched: the one-bit numbers
// published of a matrix, counted in words of 32, stay below a quarter of its
// rows plus columns.
func units(length, dim int) int {
	return min(sketchUnits, length/2, (length+dim)/4*32/SketchBits)
}

// minSketched is the fewest units that are worth a sketch.
const minSketched = 8

// sketched is one axis that is sketched, with the matrix that gives its units.
type sketched struct {
	name string
	m    *roles.Matrix
}

// chosen lists what is sketched: the MLP of every layer (48 of them at most),
// or the generic matrices of networks without layers.
func chosen(n *roles.Network) []sketched {
	var all, out []sketched
	for _, t := range n.Towers {
		for _, l := range t.Layers {
			mlps := l.MLPs()
			if len(mlps) == 0 {
				continue
			}
			m := mlps[0].Gate
			if m == nil {
				m = mlps[0].Up
			}
			if m != nil {
				all = append(all, sketched{t.Name + ".layers." + strconv.Itoa(l.Index) + ".mlp", m})
			}
		}
	}
	for _, m := range n.Exchangeable() {
		all = append(all, sketched{m.Role, m})
	}
	for i := range min(len(all), maxSketches) {
		x := all[i*len(all)/min(len(all), maxSketches)]
		if units(x.m.Rows, x.m.Cols) >= minSketched {
			out = append(out, x)
		}
	}
	return out
}

// Sketched says what sketching a model reads, in stored bytes by tensor.
func Sketched(m tensor.Model) map[*tensor.Tensor]int64 {
	reads := map[*tensor.Tensor]int64{}
	for _, x := range chosen(roles.Map(m)) {
		reads[x.m.Tensor] += x.m.Cost(units(x.m.Rows, x.m.Cols))
	}
	return reads
}

// sketches sketches what is chosen.
func sketches(ctx context.Context, n *roles.Network) ([]Sketch, error) {
	var out []Sketch
	for _, x := range chosen(n) {
		s, err := sketch(ctx, x.name, x.m)
		if err != nil {
			return nil, err
		}
		out = append(out, *s)
	}
	return out, nil
}

// sketch reads the units of one matrix and projects them. Sums of values with
// signs are exact products added in stored order, so the bits are the same on
// every machine.
func sketch(ctx context.Context, name string, m *roles.Matrix) (*Sketch, error) {
	s := &Sketch{Axis: name, Length: m.Rows, Dim: m.Cols}
	s.Units = rng.New(sketchSeed, "units of "+strconv.Itoa(m.Rows)).Sample(m.Rows, units(m.Rows, m.Cols))
	n, d := len(s.Units), m.Cols
	x := make([]float32, n*d)
	if err := m.Gather(ctx, x, s.Units); err != nil {
		return nil, err
	}
	if m.Gain != nil {
		gain, err := m.Gain.Read(ctx)
		if err != nil {
			return nil, err
		}
		for i := range x {
			x[i] *= gain[i%d]
		}
	}
	s.Eligible = eligible(x, n, d)
	centred := centre(x, n, d)
	s.Words = make([]uint64, n*sketchWords)
	for b := range SketchBits {
		signs := rng.New(sketchSeed, "projection "+strconv.Itoa(b)+" of "+strconv.Itoa(d))
		mask := make([]uint64, (d+63)/64)
		for k := range mask {
			mask[k] = signs.Uint64()
		}
		for i := range n {
			sum := 0.0
			for k, v := range centred[i*d : (i+1)*d] {
				if mask[k/64]>>(k%64)&1 == 1 {
					sum += v
				} else {
					sum -= v
				}
			}
			if sum > 0 {
				s.Words[i*sketchWords+b/64] |= 1 << (b % 64)
			}
		}
	}
	return s, nil
}

// exceptions is how many values of a unit must differ from its constant.
const exceptions = 8

// eligible marks units that can be told apart: finite, not nearly constant, and
// no exact copy of another.
func eligible(x []float32, n, d int) []bool {
	out := make([]bool, n)
	for i := range out {
		row := x[i*d : (i+1)*d]
		finite, first, last := true, 0, 0
		for _, v := range row {
			finite = finite && !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0)
			if v != row[0] {
				first++
			}
			if v != row[d-1] {
				last++
			}
		}
		out[i] = finite && min(first, last) >= min(exceptions, (d+1)/2)
		for j := range i {
			if out[i] && slices.Equal(row, x[j*d:(j+1)*d]) {
				out[i], out[j] = false, false
			}
		}
	}
	return out
}

// centre subtracts from every value the means of its unit and of its feature.
func centre(x []float32, n, d int) []float64 {
	out := make([]float64, len(x))
	for i := range n {
		mean := 0.0
		for _, v := range x[i*d : (i+1)*d] {
			mean += float64(v)
		}
		mean /= float64(d)
		for k, v := range x[i*d : (i+1)*d] {
			out[i*d+k] = float64(v) - mean
		}
	}
	for k := range d {
		mean := 0.0
		for i := range n {
			mean += out[i*d+k]
		}
		mean /= float64(n)
		for i := range n {
			out[i*d+k] -= mean
		}
	}
	return out
}

// Alike tells whether two sketches can be held against each other.
func (s *Sketch) Alike(o *Sketch) bool {
	return s.Length == o.Length && s.Dim == o.Dim && len(s.Units) == len(o.Units)
}

// Distance is the number of differing bits between unit i of s and unit j of o.
func (s *Sketch) Distance(i int, o *Sketch, j int) int {
	n := 0
	for w := range sketchWords {
		n += bits.OnesCount64(s.Words[i*sketchWords+w] ^ o.Words[j*sketchWords+w])
	}
	return n
}

func (s *Sketch) equal(o *Sketch) bool {
	return s.Axis == o.Axis && s.Alike(o) && slices.Equal(s.Units, o.Units) && slices.Equal(s.Eligible, o.Eligible) && slices.Equal(s.Words, o.Words)
}
