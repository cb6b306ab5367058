// Package untrained tells rows of an embedding that training left where the
// random initialisation put them from others. All it computes is the same to
// the bit on every machine, and unchanged when rows change their sign.
package untrained

import (
	"fmt"
	"math"

	"github.com/weightprint/weightprint/internal/degenerate"
	"github.com/weightprint/weightprint/internal/dense"
)

// Test and Null name the exact test that such rows allow, on weights and on
// fingerprints, and its null hypothesis.
const (
	Test = "token-signs"
	Null = "A and B come from independent random initialisations, which give each row of the embedding either sign alike, and training left the tested rows there"
)

// Random rows have no direction stronger than the edge that Marchenko and
// Pastur give, with room for the few rows that there are, and their cosines
// are together as large as chance makes them: many weak directions would show
// there. Rows that were kept apart from each other are not random either, nor are
// those of which some resemble one another much more than others: clusters can
// fill all directions alike, and show in the fourth powers of the cosines.
const (
	strongest = 1.2
	largest   = 1.1
	smallest  = 0.9
	heaviest  = 1.3
)

// Floor is the least correlation of cosines that is a finding, however many there
// are. Whoever knows no more of a network than the signs that its fingerprint
// publishes, a third of them, can make rows of his own whose cosines correlate
// with its at √⅓·√(2/π) = 0.46, and at 0.49 among the 64 of 96 rows that serve him
// best. SignFloor is what cosines at Floor make of signs: 2/π·arcsin ½.
const Floor, SignFloor = 0.5, 1.0 / 3

// Cosines are those among n rows of d values, as they are: taking their mean
// off would mix their signs.
func Cosines(x []float32, n, d int) []float64 {
	unit := make([]float64, n*d)
	for i := range n {
		row := unit[i*d : (i+1)*d]
		for k, v := range x[i*d : (i+1)*d] {
			row[k] = float64(v)
		}
		norm := math.Sqrt(dense.LanesDot64(row, row))
		for k := range row {
			row[k] /= norm + 1e-30
		}
	}
	return gram(unit, n, d)
}

// gram holds the products of all pairs of rows.
func gram(x []float64, n, d int) []float64 {
	g := make([]float64, n*n)
	dense.Parallel(n, func(i int) {
		for j := range i + 1 {
			g[i*n+j] = dense.LanesDot64(x[i*d:(i+1)*d], x[j*d:(j+1)*d])
		}
	})
	for i := range n {
		for j := range i {
			g[j*n+i] = g[i*n+j]
		}
	}
	return g
}

// Why says in what n rows of d values, with the given cosines, differ from a
// random initialisation, or "".
func Why(x []float32, cosines []float64, n, d int) string {
	if why := degenerate.Units(x, n, d); why != "" {
		return why
	}
	second, fourth := 0.0, 0.0
	for i := range n {
		for _, c := range cosines[i*n : i*n+i] {
			square := float64(c * c)
			second += square
			fourth += float64(square * square)
		}
	}
	pairs, dim := float64(n*(n-1))/2, float64(d)
	if e := second * dim / pairs; !(e <= largest && e >= smallest) {
		return fmt.Sprintf("squared cosines are %.2g times as large as random ones", e)
	}
	if e := fourth * dim * (dim + 2) / (3 * pairs); !(e <= heaviest) {
		return fmt.Sprintf("some rows resemble one another: fourth powers of cosines are %.2g times as large as random ones", e)
	}
	if directed(cosines, n, d) {
		return fmt.Sprintf("a direction is more than %g times as strong as random ones", strongest)
	}
	return ""
}

// directed tells whether the largest eigenvalue of the Gram matrix of unit rows
// is beyond the edge. The trace of the matrix' 64th power, in units of the
// limit, holds the 64th powers of all eigenvalues: one beyond the limit alone
// makes it exceed 1.
func directed(cosines []float64, n, d int) bool {
	edge := 1 + math.Sqrt(float64(n)/float64(d))
	limit := strongest * edge * edge
	power := make([]float64, n*n)
	for i, v := range cosines {
		power[i] = v / limit
	}
	for range 6 { // a symmetric matrix times itself
		power = gram(power, n, n)
	}
	trace := 0.0
	for i := range n {
		trace += power[i*n+i]
	}
	return !(trace <= 1)
}

// Explained bounds how strongly the cosines among rows of two networks may
// correlate by what the networks learned in common and by chance: over so many
// pairs of the rows that both have in common of n untouched ones. Where squared
// cosines add up to at most largest times what chance makes of them, give or
// take four standard deviations of √(2/pairs), the rest may be of common
// learning, and all of it among the common rows: of the squares there it is at
// most a share s on either side, and cosines correlate at no more than the
// geometric mean of the shares. Chance adds 6.5 standard deviations of 1/√pairs.
func Explained(n, common, pairs int) float64 {
	all, among := float64(n)*float64(n-1)/2, float64(common)*float64(common-1)/2
	chance := 1 - float64(4*math.Sqrt(2/all))
	learned := largest - chance
	s := learned / (learned + chance*among/all)
	return s + 6.5/math.Sqrt(float64(max(1, pairs)))
}
