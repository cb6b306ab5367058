package delta

import (
	"context"
	"math"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/linalg"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/align"
)

// Spectrum describes the difference of two matrices of one shape as a whole:
// how many directions of it stand out of the rounding of its storage, and
// whether it looks like noise.
type Spectrum struct {
	Rows, Cols int        // the sampled rows, all columns
	Largest    float64    // largest singular value of b−a
	Rounding   float64    // largest that rounding to B's type alone would give
	Flat       float64    // largest that noise of the same size would give
	Rank       int        // singular values above Rounding
	Relative   float64    // |b−a| / |a|
	Kurtosis   float64    // of the entries of b−a
	Levels     [2]float64 // mean number of different values other than 0 in 32 neighbours, of A and B
	Filled     [2]float64 // mean number of values other than 0 in 32 neighbours
	Pattern    [2]int     // n:m zeros that every group of B has and A has not; 0:0 if none
	Histogram  Histogram  // of the entries of b−a, in units of their own size
}

// margin pays for the finite size of the matrices and for noise that is not
// equally strong everywhere.
const margin = 1.15

// Measure reads rows of a pair of matrices of one shape and describes their
// difference. The edge of the singular values of noise of standard deviation
// s on an n×m matrix is s(√n+√m) (Marchenko and Pastur 1967).
func Measure(ctx context.Context, p align.MatrixPair, seed []byte, rows int) (*Spectrum, error) {
	n, m := min(p.B.Rows, rows), p.B.Cols
	at := rng.New(seed, "spectrum of "+p.B.Role).Sample(p.B.Rows, n)
	a, b := make([]float32, n*m), make([]float32, n*m)
	if err := p.A.Gather(ctx, a, at); err != nil {
		return nil, err
	}
	if err := p.B.Gather(ctx, b, at); err != nil {
		return nil, err
	}
	s := &Spectrum{Rows: n, Cols: m, Pattern: pattern(a, b, m)}
	s.Levels[0], s.Filled[0] = levels(a, m)
	s.Levels[1], s.Filled[1] = levels(b, m)
	d := make([]float32, n*m)
	mantissa := mantissaBits(p.B.Tensor.DType)
	var dd, d4, aa, rr float64
	for i := range d {
		x := float64(b[i]) - float64(a[i])
		d[i] = float32(x)
		dd += float64(x * x)
		d4 += float64(float64(x*x) * float64(x*x))
		aa += float64(float64(a[i]) * float64(a[i]))
		u := ulp(b[i], mantissa)
		rr += u * u / 12
	}
	if dd == 0 || aa == 0 {
		return s, nil
	}
	size := float64(n * m)
	s.Histogram.add(d, math.Sqrt(dd/size))
	edge := math.Sqrt(float64(n)) + math.Sqrt(float64(m))
	s.Relative, s.Kurtosis = math.Sqrt(dd/aa), d4*size/(dd*dd)
	s.Rounding, s.Flat = margin*edge*math.Sqrt(rr/size), margin*edge*math.Sqrt(dd/size)
	values, err := singular(d, n, m)
	if err != nil {
		return nil, err
	}
	for _, v := range values {
		s.Largest = math.Max(s.Largest, v)
	}
	// The Gram matrix is computed in float32: its roots mean nothing below
	// a thousandth of the largest.
	s.Rounding = math.Max(s.Rounding, 1e-3*s.Largest)
	for _, v := range values {
		if v > s.Rounding {
			s.Rank++
		}
	}
	return s, nil
}

// singular returns the singular values of d by way of its smaller Gram matrix.
func singular(d []float32, n, m int) ([]float64, error) {
	if n > m {
		t := make([]float32, len(d))
		for i := range n {
			for j := range m {
				t[j*n+i] = d[i*m+j]
			}
		}
		d, n, m = t, m, n
	}
	// Differences are scaled to unit size: their squares must not underflow.
	scale := dense.Norm(d)
	unit := make([]float32, len(d))
	for i, x := range d {
		unit[i] = float32(float64(x) / scale)
	}
	gram := make([]float32, n*n)
	dense.Gram(gram, unit, n, m)
	wide := make([]float64, n*n)
	for i, g := range gram {
		wide[i] = float64(g)
	}
	values, err := linalg.SymEigenvalues(wide, n)
	if err != nil {
		return nil, err
	}
	for i, v := range values {
		values[i] = scale * math.Sqrt(math.Max(v, 0))
	}
	return values, nil
}

// mantissaBits is how many bits a plain type stores of a number's fraction.
func mantissaBits(t tensor.DType) int {
	if bits, ok := map[tensor.DType]int{tensor.BF16: 7, tensor.F16: 10, tensor.F8E4M3: 3, tensor.F8E5M2: 2}[t]; ok {
		return bits
	}
	return 23
}

// ulp is the distance between neighbouring numbers around x.
func ulp(x float32, bits int) float64 {
	e := int(math.Float32bits(x) >> 23 & 0xff)
	if e == 0 {
		return 0
	}
	return math.Ldexp(1, e-127-bits)
}

// group is the smallest number of neighbours that share a scale in common
// quantised layouts.
const group = 32

// levelRows is how many rows are enough to count levels on.
const levelRows = 32

// levels is the mean number of different values, and of values, other than 0
// among 32 neighbours.
func levels(x []float32, cols int) (different, filled float64) {
	n := 0.0
	var sorted [group]float32
	for r := 0; r+cols <= min(len(x), levelRows*cols); r += cols {
		for c := 0; c+group <= cols; c += group {
			copy(sorted[:], x[r+c:])
			slices.Sort(sorted[:])
			for i, v := range sorted {
				if v == 0 {
					continue
				}
				filled++
				if i == 0 || v != sorted[i-1] {
					different++
				}
			}
			n++
		}
	}
	n = math.Max(n, 1)
	return different / n, filled / n
}

// pattern finds an n:m mask along the inputs: every group of m values of B
// has at least n zeros, as A has not.
func pattern(a, b []float32, cols int) [2]int {
	for _, nm := range [][2]int{{2, 4}, {4, 8}, {1, 4}} {
		if cols%nm[1] == 0 && masked(b, nm) > 0.995 && masked(a, nm) < 0.5 {
			return nm
		}
	}
	return [2]int{}
}

// masked is the share of groups with at least n zeros.
func masked(x []float32, nm [2]int) float64 {
	hit := 0
	for i := 0; i+nm[1] <= len(x); i += nm[1] {
		zeros := 0
		for _, v := range x[i : i+nm[1]] {
			if v == 0 {
				zeros++
			}
		}
		if zeros >= nm[0] {
			hit++
		}
	}
	return float64(hit*nm[1]) / float64(max(1, len(x)))
}

// LowRank tells whether the difference is a few directions and rounding.
func (s *Spectrum) LowRank() bool { return s.Rank > 0 && s.Rank <= min(s.Rows, s.Cols)/4 }

// Noise tells whether the difference is more than rounding, without a leading
// direction, and of Gaussian entries.
func (s *Spectrum) Noise() bool {
	return s.Largest > 0 && s.Rank > min(s.Rows, s.Cols)/2 && s.Largest <= s.Flat && s.Kurtosis > 2.5 && s.Kurtosis < 4
}

// Coarse tells whether the values of B lie on far fewer levels than A's: they
// were quantised to four bits or fewer and stored as plain numbers.
func (s *Spectrum) Coarse() bool {
	return s.Levels[1] > 0 && s.Levels[1] <= 16 && s.Levels[1] <= 0.7*s.Filled[1] && s.Levels[0] >= 0.8*s.Filled[0]
}
