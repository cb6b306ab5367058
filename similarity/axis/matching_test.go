package axis

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/dense"
)

// all marks n units as eligible.
func all(n int) []bool { return allTrue(n) }

func TestMatcher(t *testing.T) {
	likeness := []float32{ // three units of B × four of A
		.1, .9, .2, .3,
		.8, .95, .1, .1,
		.7, .1, .1, .99,
	}
	for _, c := range []struct {
		name            string
		a, b            []bool
		nearest, mutual []int
	}{
		{"all", all(4), all(3), []int{1, 1, 3}, []int{-1, 1, 3}},
		{"one of A left out", []bool{true, false, true, true}, all(3), []int{3, 0, 3}, []int{-1, 0, 3}},
		{"one of B left out", all(4), []bool{true, false, true}, []int{1, -1, 3}, []int{1, -1, 3}},
		{"none of A", make([]bool, 4), all(3), []int{-1, -1, -1}, []int{-1, -1, -1}},
	} {
		m := NewMatcher([]byte("seed"), "test", c.a, c.b)
		require.Equal(t, c.nearest, m.Nearest(likeness), c.name)
		require.Equal(t, c.mutual, m.Mutual(likeness), c.name)
	}
}

// Units in place are those that the nearest unit says, whatever the numbers of units, with
// ties, infinite values and units that do not take part.
func TestInPlaceEqualsNearest(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	found := 0
	for range 400 {
		na, nb, d := 1+r.IntN(70), 1+r.IntN(70), 1+r.IntN(20)
		values := 1 + r.IntN(6) // few values make ties
		a, b := make([]float32, na*d), make([]float32, nb*d)
		for i := range a {
			a[i] = float32(r.IntN(values) - values/2)
		}
		for i := range b {
			b[i] = float32(r.IntN(values) - values/2)
			if i < len(a) && r.IntN(3) > 0 {
				b[i] = a[i]
			}
			if r.IntN(2000) == 0 {
				b[i] = float32(math.Inf(1))
			}
		}
		okA, okB := all(na), all(nb)
		for i := range okA {
			okA[i] = r.IntN(8) > 0
		}
		for j := range okB {
			okB[j] = r.IntN(8) > 0
		}
		m := NewMatcher([]byte{1}, "test", all(na), all(nb)).Among(okA, okB)
		likeness := make([]float32, nb*na)
		dense.SerialNT(likeness, b, a, nb, na, d)
		want := 0
		for j, i := range m.Nearest(likeness) {
			if i == j {
				want++
			}
		}
		var rows [][]float32
		for j := range nb {
			rows = append(rows, b[j*d:(j+1)*d])
		}
		require.Equal(t, want, m.InPlace(dense.Pack(a, na, d), rows))
		found += want
	}
	require.Greater(t, found, 2000)
}

// Ties go to every place alike: over 2,000 seeds, the share of units that find
// their own place among twelve equal ones is 1/12 within four standard errors.
func TestTiesFavourNoPlace(t *testing.T) {
	const n, seeds = 12, 2000
	equal := make([]float32, n*n)
	own := 0
	for seed := range seeds {
		m := NewMatcher([]byte{byte(seed), byte(seed >> 8)}, "test", all(n), all(n))
		if j := seed % n; m.Nearest(equal)[j] == j {
			own++
		}
	}
	p := 1.0 / n
	require.InDelta(t, p, float64(own)/seeds, 4*0.28/44.7) // √(p(1−p)) = 0.28, √2000 = 44.7
}

// What turns the sign of units changes no match of a view in which signs are
// free.
func TestLikenessIgnoresFreeSigns(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const n = 20
	v, turned := View{SignEquivariant: true, Cosine: make([]float32, n*n)}, View{SignEquivariant: true, Cosine: make([]float32, n*n)}
	for k := range v.Cosine {
		v.Cosine[k] = r.Float32() - .5
		turned.Cosine[k] = v.Cosine[k] * float32(1-2*(k%n%2))
	}
	require.Equal(t, v.Likeness(), turned.Likeness())
	turned.SignEquivariant = false
	require.NotEqual(t, v.Likeness(), turned.Likeness())
}
