package delta

import "github.com/weightprint/weightprint/formats/roles"

// centred sums up two matrices without the means that norms take away: of rows that read
// what a LayerNorm gives, with its gains folded in, or of columns that write where only
// LayerNorms read. Whatever is added there changes nothing that a network computes.
type centred struct {
	rows, columns bool
	cols          int
	gains         [2][]float32
	read          int       // rows so far
	sumA, sumB    []float64 // of columns
	Folded
}

// newCentred follows matrices of which both sides are so; else nil.
func newCentred(a, b *roles.Matrix, gains [2][]float32) *centred {
	c := &centred{rows: a.ReadsCentred && b.ReadsCentred, columns: a.WritesCentred && b.WritesCentred, cols: b.Cols, gains: gains}
	if c.rows == c.columns { // neither; or both, of square matrices whose place is not known
		return nil
	}
	if c.columns {
		c.sumA, c.sumB = make([]float64, c.cols), make([]float64, c.cols)
	}
	return c
}

// add follows some rows of either side.
func (c *centred) add(a, b []float32) {
	if c == nil {
		return
	}
	for first := 0; first < len(a); first += c.cols {
		c.row(a[first:first+c.cols], b[first:first+c.cols])
	}
}

func (c *centred) row(a, b []float32) {
	var sumA, sumB float64
	for k, v := range a {
		x, y := float64(v), float64(b[k])
		if c.rows && c.gains[0] != nil {
			x, y = x*float64(c.gains[0][k]), y*float64(c.gains[1][k])
		}
		c.AA += float64(x * x)
		c.BB += float64(y * y)
		c.AB += float64(x * y)
		sumA += x
		sumB += y
		if c.columns {
			c.sumA[k] += x
			c.sumB[k] += y
		}
	}
	if c.rows {
		c.less(sumA, sumB, len(a))
	}
	c.read++
	c.N += int64(len(a))
}

// less takes the mean of n values of either side out of the sums.
func (c *centred) less(sumA, sumB float64, n int) {
	c.AA -= float64(sumA * sumA / float64(n))
	c.BB -= float64(sumB * sumB / float64(n))
	c.AB -= float64(sumA * sumB / float64(n))
}

// result is what was found; nothing of columns that were not read whole.
func (c *centred) result(complete bool) Folded {
	if c == nil || c.columns && !complete {
		return Folded{}
	}
	for k := range c.sumA {
		c.less(c.sumA[k], c.sumB[k], c.read)
	}
	return c.Folded
}
