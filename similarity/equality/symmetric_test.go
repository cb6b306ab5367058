package equality

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Of wide matrices no more than the first rows are watched: what was not seen on both sides
// of the diagonal makes none symmetric.
func TestSymmetryNeedsValuesThatWereSeen(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	of := func(cols int64, mirror bool) *Look {
		l := &Look{cols: cols, n: cols * cols}
		for i := range int64(watched) {
			v := math.Float32bits(float32(r.NormFloat64()))
			if row, col := i/cols, i%cols; mirror && col < row {
				v = l.seen[col*cols+row]
			}
			l.seen = append(l.seen, v)
		}
		return l
	}
	require.True(t, of(3000, true).symmetric(), "five rows show ten values on both sides")
	require.False(t, of(3000, false).symmetric())
	require.False(t, of(5000, true).symmetric(), "three rows show three")
	require.False(t, of(9000, true).symmetric(), "one row shows none")
}
