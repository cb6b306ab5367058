package delta

import (
	"math"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/similarity/equality"
)

// RowScales are the factors by which the rows of one matrix are those of another, to
// rounding, as where a batch norm was folded into the layer before it.
type RowScales struct {
	Rows []int     // those that were compared and are not all zeros on either side
	By   []float64 // of each of Rows: row of B = By · row of A
	Same bool      // every row of B is A's to rounding; By is nil then

	Learned bool // the rows are most of the matrix, and A's look trained (package equality)
}

// Limits of what is held for a pair of matrices, and below which a row says nothing:
// any two short rows are nearly parallel.
const (
	mostScaled  = 1 << 16
	leastScaled = 4
	scaleSpread = 1e-3 // factors that differ by less are one factor

	factorRoundings = 4 // a factor is the result of a few operations, each rounded
)

// rounded is the relative error of storing a number in a type, twice: a product is
// rounded when it is made, and so were its factors.
func rounded(a, b tensor.DType) float64 {
	worst := 0.0
	for _, t := range []tensor.DType{a, b} {
		switch t {
		case tensor.F32, tensor.F64:
			worst = max(worst, 1.0/(1<<24))
		case tensor.F16:
			worst = max(worst, 1.0/(1<<11))
		case tensor.BF16:
			worst = max(worst, 1.0/(1<<8))
		default:
			return 0
		}
	}
	return 2 * worst
}

// scaler follows the rows of a pair; off once one of them is no multiple.
type scaler struct {
	off  bool
	tol  float64
	all  int // rows of the matrix
	look *equality.Look
	RowScales
}

func newScaler(component string, a, b *roles.Matrix) *scaler {
	s := &scaler{tol: rounded(a.Tensor.DType, b.Tensor.DType), all: b.Rows, look: equality.NewLook(a.Dims())}
	s.off = s.tol == 0 || component != generic || b.Rows > mostScaled || b.Cols < leastScaled
	return s
}

// add follows some rows of either side.
func (s *scaler) add(a, b []float32, rows []int, cols int) {
	if !s.off {
		s.look.Add(a)
	}
	for i, row := range rows {
		if s.off {
			return
		}
		ra, rb := a[i*cols:(i+1)*cols], b[i*cols:(i+1)*cols]
		k, apart, ok := multiple(ra, rb)
		if !ok {
			continue
		}
		if s.off = !(apart <= s.tol); !s.off {
			s.Rows, s.By = append(s.Rows, row), append(s.By, k)
		}
	}
}

// leastNormal is the smallest number of float32 that is stored to full precision; many programs
// write zero for what lies below.
const leastNormal = 0x1p-126

// multiple fits b = k·a and tells how far apart they are then, of b's length. It is
// false for rows of zeros on both sides, or of what becomes zero, which say nothing, and where B's alone
// are: a norm can take its channel out of the network.
func multiple(a, b []float32) (k, apart float64, ok bool) {
	var aa, bb, ab float64
	for i, v := range a {
		x, y := float64(v), float64(b[i])
		aa += float64(x * x)
		bb += float64(y * y)
		ab += float64(x * y)
	}
	if least := float64(len(a)) * leastNormal * leastNormal; bb == 0 || bb < least && aa < least {
		return 0, 0, false
	}
	k = ab / aa
	var dd float64
	for i, v := range a {
		d := float64(b[i]) - float64(k*float64(v))
		dd += float64(d * d)
	}
	return k, math.Sqrt(dd / bb), true
}

// scales is what was found: nothing where a row is no multiple, or where all have one
// factor.
func (s *scaler) scales() RowScales {
	if s.off || len(s.By) == 0 {
		return RowScales{}
	}
	s.Learned = 2*len(s.Rows) >= s.all && s.look.Learned()
	least, most := math.Inf(1), math.Inf(-1)
	for _, k := range s.By {
		least, most = math.Min(least, k), math.Max(most, k)
	}
	if max(math.Abs(least-1), math.Abs(most-1)) <= factorRoundings*s.tol {
		return RowScales{Rows: s.Rows, Same: true, Learned: s.Learned}
	}
	if most-least <= scaleSpread*math.Max(math.Abs(least), math.Abs(most)) {
		return RowScales{}
	}
	return s.RowScales
}
