package equality

import (
	"math"

	"github.com/weightprint/weightprint/internal/basis"
)

// Rows of transforms follow from their own beginnings: a sinusoid, under any window that
// changes slowly, obeys a linear recurrence of few terms, whatever its frequency, phase
// and length. What training leaves never does, as rows begin as noise and keep some.

// What is fitted: how many terms at most, for so many values each; the most values of a
// row; the share of power that may be left, a thirtieth of the amplitude; and the share of
// rows, or of columns, that must obey.
const (
	mostTerms     = 8
	valuesATerm   = 8
	shortest      = 2 * valuesATerm
	fittedValues  = 1024
	leftOver      = 1e-3
	mostPredicted = 0.9
)

// predicted tells whether rows, or columns, of the values that were watched obey linear
// recurrences of their own.
func (l *Look) predicted() bool {
	cols := int(l.cols)
	rows := len(l.seen) / cols
	if rows == 0 { // the beginning of a row speaks for it
		rows, cols = 1, len(l.seen)
	}
	return l.obey(rows, cols, cols, 1) || l.obey(cols, rows, 1, cols)
}

// obey tells it of n series of so many values, the series, and their values, so far apart.
// It stops as soon as those that are left cannot make up for those that did not obey.
func (l *Look) obey(n, values, apart, step int) bool {
	if values < shortest {
		return false
	}
	filled, predicted := 0, 0
	x := make([]float64, min(values, fittedValues))
	for i := range n {
		power := 0.0
		for k := range x {
			x[k] = float64(math.Float32frombits(l.seen[i*apart+k*step]))
			power += float64(x[k] * x[k])
		}
		if !(power > 0) || math.IsInf(power, 0) {
			continue
		}
		filled++
		if recurrent(x) {
			predicted++
		}
		if left := n - 1 - i; float64(predicted+left) <= mostPredicted*float64(filled+left) {
			return false
		}
	}
	return filled > 0 && float64(predicted) > mostPredicted*float64(filled)
}

// recurrent tells whether least squares of each value on those before it leave next to
// nothing.
func recurrent(x []float64) bool {
	p := min(mostTerms, len(x)/valuesATerm)
	s, right := make([]float64, p*p), make([]float64, p)
	power := 0.0
	for n := p; n < len(x); n++ {
		power += float64(x[n] * x[n])
		for i := range p {
			right[i] += float64(x[n] * x[n-1-i])
			for j := range i + 1 {
				s[i*p+j] += float64(x[n-1-i] * x[n-1-j])
			}
		}
	}
	trace := 0.0
	for i := range p {
		for j := range i {
			s[j*p+i] = s[i*p+j]
		}
		trace += s[i*p+i]
	}
	for i := range p {
		s[i*p+i] += 1e-9 * trace // recurrences of fewer terms leave this singular
	}
	lower, ok := basis.Cholesky(s, p)
	if !ok {
		return false
	}
	c := solve(lower, right, p)
	left := 0.0
	for n := p; n < len(x); n++ {
		e := x[n]
		for i, v := range c {
			e -= float64(v * x[n-1-i])
		}
		left += float64(e * e)
	}
	return power > 0 && left <= leftOver*power
}

// solve gives x of L·Lᵀ·x = y, for a lower triangle of n rows.
func solve(l, y []float64, n int) []float64 {
	x := append([]float64(nil), y...)
	for i := range n {
		for j := range i {
			x[i] -= float64(l[i*n+j] * x[j])
		}
		x[i] /= l[i*n+i]
	}
	for i := n - 1; i >= 0; i-- {
		for j := i + 1; j < n; j++ {
			x[i] -= float64(l[j*n+i] * x[j])
		}
		x[i] /= l[i*n+i]
	}
	return x
}
