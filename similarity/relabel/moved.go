package relabel

import (
	"math"
	"slices"

	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/equality"
)

// Moved sums up the matrices that the orders found move at all.
type Moved struct {
	Matrices int // that were moved and look trained on both sides
	Equal    int // of these, those that then hold the same values
	Values   int // values of the equal ones that need more than half precision
}

// fine are the bits of a float32 that no float16 or bfloat16 fills alone: two trainings
// that come to the same unit agree in the bits above long before they agree in these.
const fine = 1<<13 - 1

// mostly is the share of fine values that must be the same bit for bit. Two trainings
// that went on until nothing changed may share some of the last bits by chance.
const mostly = 0.99

// moved holds the values of matrices against each other, bit for bit, in the orders
// found. Matrices that stay in their places are left out, as strangers share tables.
func moved(pairs []align.GenericPair, blocks []block, rows []order, feeds []feed) (m Moved) {
	for k := range blocks {
		x, shape := &blocks[k], pairs[k].B.Dims()
		if inPlace(rows[k]) && inPlace(feeds[k].order) || !equality.Learned(x.a, shape) || !equality.Learned(x.b, shape) {
			continue
		}
		m.Matrices++
		if same, n := x.equal(rows[k], feeds[k].order); n > 0 && float64(same) >= mostly*float64(n) {
			m.Equal++
			m.Values += n
		}
	}
	return m
}

func inPlace(o order) bool { return slices.Equal(o, identity(len(o))) }

// equal counts fine values of A, and those of them that B has bit for bit.
func (x *block) equal(rows, inputs order) (same, n int) {
	b, w := x.fed(x.b, nil, inputs), x.cols()
	for i, j := range rows {
		for c := range w {
			u := math.Float32bits(x.a[i*w+c])
			if u&fine == 0 {
				continue
			}
			n++
			if u == math.Float32bits(b[j*w+c]) {
				same++
			}
		}
	}
	return same, n
}
