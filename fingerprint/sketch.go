package fingerprint

import (
	"context"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/degenerate"
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
	Eligible []bool // units that can be told apart; see eligible
	Trend    int    // Kendall's S of the lengths of eligible units against their positions
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

// units is how many units of an axis are sketched, whose vectors are dim of the
// values that a unit has in all. What is published of a matrix, in words of 32
// bits, stays below a quarter of its rows plus columns: its Stats come first,
// the sketches get two thirds of the rest, the probes what is left. From version
// 2 on no more than one in sketchedShare of a matrix' values is sketched, so that
// whoever knew these values knew next to nothing of the matrix.
func units(version, length, dim, all int) int {
	n := max(0, min(sketchUnits, length/2, unspent(length, dim)*2/3*32/SketchBits))
	if version > 1 {
		n = min(n, length*all/(sketchedShare*dim))
	}
	return n
}

const sketchedShare = 22

// unspent is the room that Stats leave of a matrix, in words.
func unspent(rows, cols int) int {
	room := (rows + cols) / 4
	if room >= statsRoom {
		room -= statsWords
	}
	return room
}

// sampled lists n units of an axis that are sketched.
func sampled(length, n int) []int {
	at := [2]int{length, n}
	if units, ok := samples.Load(at); ok {
		return slices.Clone(units.([]int))
	}
	units := rng.New(sketchSeed, "units of "+strconv.Itoa(length)).Sample(length, n)
	if samplesHeld.Add(1) <= mostSamples {
		samples.Store(at, slices.Clone(units))
	}
	return units
}

// samples holds the units of axes that were met first: most fingerprints have few
// different axes.
var (
	samples     sync.Map
	samplesHeld atomic.Int64
)

const mostSamples = 4096

// minSketched is the fewest units that are worth a sketch.
const minSketched = 8

// sketch reads an axis' units and projects them. Sums of values with signs are
// added in stored order, so the bits are the same on every machine.
func (a *axis) sketch(ctx context.Context) (*Sketch, error) {
	n, d := len(a.units), a.dim
	x := make([]float32, n*d)
	if err := a.read(ctx, x, a.units); err != nil {
		return nil, err
	}
	s := &Sketch{Axis: a.name, Length: a.length, Dim: d, Units: a.units, Eligible: eligible(x, n, d)}
	if degenerate.Units(x, n, d) != "" {
		clear(s.Eligible)
	}
	s.Trend = trend(x, n, d, s.Eligible)
	s.Words = project(centre(x, n, d, s.Eligible), n, d)
	return s, nil
}

// project takes the signs of random ±1 combinations, some at a time.
func project(x []float64, n, d int) []uint64 {
	words := make([]uint64, n*sketchWords)
	flips := make([][atOnce]uint64, (d+63)/64)
	for b := 0; b < SketchBits; b += atOnce {
		for q := range atOnce {
			for k, m := range projection(b+q, d) {
				flips[k][q] = ^m
			}
		}
		for i := range n {
			var sums [atOnce]float64
			combine(&sums, x[i*d:(i+1)*d], flips)
			for q, v := range sums {
				if v > 0 {
					words[i*sketchWords+(b+q)/64] |= 1 << ((b + q) % 64)
				}
			}
		}
	}
	return words
}

// projection draws the signs of one combination of d values.
func projection(b, d int) []uint64 {
	signs := rng.New(sketchSeed, "projection "+strconv.Itoa(b)+" of "+strconv.Itoa(d))
	mask := make([]uint64, (d+63)/64)
	for k := range mask {
		mask[k] = signs.Uint64()
	}
	return mask
}

// atOnce is how many combinations are added at a time.
const atOnce = 16

// combinePlain adds values with signs that bits flip, as combination does: value k in
// sum q where bit k%64 of flips[k/64][q] is set.
func combinePlain(sums *[atOnce]float64, x []float64, flips [][atOnce]uint64) {
	for q := 0; q < atOnce; q += 4 {
		var a, b, c, d float64
		for k := 0; k < len(x); k += 64 {
			f := &flips[k/64]
			m0, m1, m2, m3 := f[q], f[q+1], f[q+2], f[q+3]
			for _, v := range x[k:min(k+64, len(x))] {
				u := math.Float64bits(v)
				a += math.Float64frombits(u ^ m0<<63)
				b += math.Float64frombits(u ^ m1<<63)
				c += math.Float64frombits(u ^ m2<<63)
				d += math.Float64frombits(u ^ m3<<63)
				m0, m1, m2, m3 = m0>>1, m1>>1, m2>>1, m3>>1
			}
		}
		sums[q], sums[q+1], sums[q+2], sums[q+3] = a, b, c, d
	}
}

// combination adds values with the signs in mask.
func combination(x []float64, mask []uint64) float64 {
	sum := 0.0
	for k, v := range x {
		if mask[k/64]>>(k%64)&1 == 1 {
			sum += v
		} else {
			sum -= v
		}
	}
	return sum
}

// centre subtracts from every value the mean of its unit and then, over the
// eligible units, the mean of its feature. Units that are not eligible are 0.
func centre(x []float32, n, d int, ok []bool) []float64 {
	out := make([]float64, len(x))
	count := 0
	for i := range n {
		if !ok[i] {
			continue
		}
		count++
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
		mean /= float64(max(1, count))
		for i := range n {
			if ok[i] {
				out[i*d+k] -= mean
			}
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
	return s.Axis == o.Axis && s.Alike(o) && s.Trend == o.Trend && slices.Equal(s.Units, o.Units) && slices.Equal(s.Eligible, o.Eligible) && slices.Equal(s.Words, o.Words)
}

// room is how many words of 32 bits may be published of a tensor: a quarter of
// rows plus columns, of the least generous way to see it as a matrix.
func room(t *tensor.Tensor) int64 {
	n := len(t.Shape)
	if n < 2 {
		return 0
	}
	cols, rows := t.Shape[n-1], t.Rows()
	first := t.Shape[0]
	sum := min(rows+cols, t.Shape[n-2]+cols)
	if first > 0 {
		sum = min(sum, first+rows/first*cols)
	}
	return sum / 4
}
