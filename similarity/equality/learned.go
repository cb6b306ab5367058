package equality

import (
	"math"

	"github.com/weightprint/weightprint/formats/tensor"
)

// What a matrix must show before equal values in it speak for a common origin.
// Strangers share window functions, Fourier and mel tables, sinusoids and
// masks; those are mostly zeros, repeat few values, change little from row to row, or
// follow from their own beginnings (predictable.go). They also share what was measured
// and not learned, as the graph of places that data come from: distances, similarities
// and polynomials of these, which have one sign or are symmetric, and the bases of such, whose rows
// are orthogonal. Training holds to none of these: of n values that may have either sign all
// have one with chance 2^(1-n).
const (
	leastLearned = 1024     // values
	mostZeros    = 0.75     // share
	watched      = 1 << 14  // values that are looked at for repetition
	fewValues    = 1.0 / 16 // least share of different ones among them
	smoothRows   = 0.9      // largest mean cosine of a row and the next
	squareRows   = 1e-5     // cosines below are right angles, to a rounding
	mostSquare   = 0.9      // share of such rows: a basis that was computed; rows that were learned meet at 1/√d
)

// Look gathers what tells a trained matrix from a table, as its values go by.
type Look struct {
	cols        int64
	n, zeros    int64
	negative    int64
	seen        []uint32
	prev        []float32
	dot, aa, bb float64
	cosines     float64
	rows        int64
	square      int64 // of rows, those at a right angle with the one before
}

// NewLook begins with no values of a tensor of the given shape.
func NewLook(shape []int64) *Look {
	l := &Look{}
	n, _ := tensor.Elements(shape)
	if shape := wide(shape); len(shape) > 1 && n >= leastLearned {
		l.cols = n / shape[0]
		l.prev = make([]float32, min(l.cols, valuesAtOnce))
	}
	return l
}

// Add takes the next values, row by row.
func (l *Look) Add(values []float32) {
	if l.cols == 0 {
		return
	}
	for _, v := range values[:min(int64(len(values)), max(0, watched-l.n))] {
		l.seen = append(l.seen, plain(v))
	}
	for len(values) > 0 {
		at := l.n % l.cols
		k := min(int64(len(values)), l.cols-at)
		l.within(values[:k], at)
		values = values[k:]
		l.n += k
	}
}

// within takes values of one row from column at on. The beginning of very long rows
// speaks for them.
func (l *Look) within(values []float32, at int64) {
	for _, v := range values {
		if v == 0 {
			l.zeros++
		}
		if v < 0 {
			l.negative++
		}
	}
	if at >= int64(len(l.prev)) {
		return
	}
	values = values[:min(int64(len(values)), int64(len(l.prev))-at)]
	prev := l.prev[at:][:len(values)]
	for i, v := range values {
		x, y := float64(prev[i]), float64(v)
		l.dot += float64(x * y)
		l.aa += float64(x * x)
		l.bb += float64(y * y)
	}
	copy(prev, values)
	if at+int64(len(values)) == int64(len(l.prev)) {
		if l.aa > 0 && l.bb > 0 {
			cosine := l.dot / math.Sqrt(float64(l.aa*l.bb))
			if l.cosines += cosine; l.dot != 0 && math.Abs(cosine) < squareRows { // rows of which each is zero where the other is not were pruned
				l.square++
			}
			l.rows++
		}
		l.dot, l.aa, l.bb = 0, 0, 0
	}
}

// repeats tells whether too few different values were among those watched; it stops as
// soon as there are enough.
func (l *Look) repeats() bool {
	enough := fewValues * float64(min(l.n, watched))
	met := make(map[uint32]struct{}, int(enough)+1)
	for _, v := range l.seen {
		if met[v] = struct{}{}; float64(len(met)) >= enough {
			return false
		}
	}
	return true
}

// leastMirrored is how many values must be the same across the diagonal, and no zeros.
const leastMirrored = 6

// symmetric tells whether a square matrix is so, bit for bit, as far as its values were
// watched.
func (l *Look) symmetric() bool {
	if l.cols*l.cols != l.n {
		return false
	}
	mirrored := 0
	for r := range int64(len(l.seen)) / l.cols {
		for c := range r {
			if v := l.seen[r*l.cols+c]; v != l.seen[c*l.cols+r] {
				return false
			} else if v != 0 {
				mirrored++
			}
		}
	}
	return mirrored >= leastMirrored
}

// Learned tells whether the tensor looks like a trained matrix rather than a table that
// strangers share.
func (l *Look) Learned() bool {
	switch {
	case l == nil || l.cols == 0:
		return false
	case float64(l.zeros) > mostZeros*float64(l.n):
		return false
	case l.negative == 0 || l.negative == l.n-l.zeros:
		return false
	case l.repeats() || l.symmetric():
		return false
	}
	return l.rows > 0 && l.cosines/float64(l.rows) < smoothRows && float64(l.square) < mostSquare*float64(l.rows) && !l.predicted()
}

// Learned tells whether values of the given shape, row by row, look like a trained
// matrix rather than a table that strangers share.
func Learned(values []float32, shape []int64) bool {
	l := NewLook(shape)
	l.Add(values)
	return l.Learned()
}
