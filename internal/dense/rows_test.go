package dense

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Passes over rows give what their definitions give, bit for bit, also of values that
// overflow, vanish or are not finite, and touch nothing beyond the row.
func TestRowsByDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	odd := []float32{0, float32(math.Copysign(0, -1)), math.MaxFloat32, math.SmallestNonzeroFloat32, 1e-39, float32(math.Inf(1)), float32(math.Inf(-1))}
	for n := range 70 {
		row := random(r, n+4)
		for range n / 8 {
			row[r.IntN(n)] = odd[r.IntN(len(odd))]
		}
		sums, means, by := wide(r, n+4), wide(r, n+4), wide(r, n+4)
		for name, pass := range map[string]struct {
			run  func(row []float32, sums []float64)
			each func(k int, row []float32, sums []float64)
		}{
			"multiple": {
				func(_ []float32, sums []float64) { AddMultiple(sums, by[0], means[:n]) },
				func(k int, _ []float32, sums []float64) { sums[k] += float64(by[0] * means[k]) },
			},
			"multiple32": {
				func(row []float32, sums []float64) { AddMultiple32(sums, by[0], row[:n]) },
				func(k int, row []float32, sums []float64) { sums[k] += float64(by[0] * float64(row[k])) },
			},
			"add": {
				func(row []float32, sums []float64) { AddTo(sums, row[:n]) },
				func(k int, row []float32, sums []float64) { sums[k] += float64(row[k]) },
			},
			"squares": {
				func(row []float32, sums []float64) { AddSquares(sums, means, row[:n]) },
				func(k int, row []float32, sums []float64) {
					e := float64(row[k]) - means[k]
					sums[k] += float64(e * e)
				},
			},
			"scale": {
				func(row []float32, _ []float64) { Scale(row[:n], row[:n], means, by) },
				func(k int, row []float32, _ []float64) {
					row[k] = float32(float64((float64(row[k]) - means[k]) * by[k]))
				},
			},
			"shift": {
				func(row []float32, _ []float64) { Shift(row[:n], means[0], by[0]) },
				func(k int, row []float32, _ []float64) { row[k] = float32((float64(row[k]) - means[0]) / by[0]) },
			},
		} {
			rowA, rowB := append([]float32(nil), row...), append([]float32(nil), row...)
			sumsA, sumsB := append([]float64(nil), sums...), append([]float64(nil), sums...)
			pass.run(rowA, sumsA)
			for k := range n {
				pass.each(k, rowB, sumsB)
			}
			for k := range row {
				require.True(t, same(float64(rowA[k]), float64(rowB[k])) && same(sumsA[k], sumsB[k]), "%s of %d values: value %d", name, n, k)
			}
		}
	}
}

// So do sums of values and of their sizes.
func TestAddsByDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	for n := range 70 {
		to, more := random(r, n+8), random(r, n+8)
		plain, sizes := append([]float32(nil), to...), append([]float32(nil), to...)
		Add(plain, more[:n])
		AddSizes(sizes, more[:n])
		for k, x := range to {
			p, s := x, x
			if k < n {
				p, s = x+more[k], x+float32(math.Abs(float64(more[k])))
			}
			require.Equal(t, p, plain[k])
			require.Equal(t, s, sizes[k])
		}
	}
}

// So do products, and sums of products in four parts.
func TestProductsByDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(25, 26))
	for n := range 70 {
		row, by := random(r, n+8), random(r, n+8)
		was := append([]float32(nil), row...)
		Multiply(row[:n], by)
		for k := range row {
			want := was[k]
			if k < n {
				want *= by[k]
			}
			require.Equal(t, want, row[k])
		}
		x, y := wide(r, n), wide(r, n+4)
		var s [4]float64
		for k := range x {
			part := k % 4
			if k >= n/4*4 {
				part = 0
			}
			s[part] += float64(x[k] * y[k])
		}
		require.Equal(t, (s[0]+s[1])+(s[2]+s[3]), LanesDot64(x, y))
	}
}

// A value that is not finite is found wherever it stands.
func TestFinite(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	for n := 1; n < 100; n++ {
		row := random(r, n)
		row[r.IntN(n)] = math.MaxFloat32
		require.True(t, Finite(row), "%d values", n)
		row[r.IntN(n)] = float32([]float64{math.Inf(1), math.Inf(-1), math.NaN()}[n%3])
		require.False(t, Finite(row), "%d values", n)
	}
}

// same tells whether two values are the same bits, or both no number.
func same(x, y float64) bool {
	return math.Float64bits(x) == math.Float64bits(y) || math.IsNaN(x) && math.IsNaN(y)
}

func wide(r *rand.Rand, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = r.NormFloat64()
	}
	return out
}

// Lengths and products taken four at a time are those of single rows.
func TestNormsAndDots(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for n := range 11 {
		x, y := random(r, n*37), random(r, n*37)
		for i, s := range Dots(x, y, n, 37) {
			require.Equal(t, Dot(x[i*37:(i+1)*37], y[i*37:(i+1)*37]), s)
		}
		for i, size := range Norms(x, n, 37) {
			require.Equal(t, Norm(x[i*37:(i+1)*37]), size)
		}
	}
	require.Empty(t, Norms(nil, 0, 5))
}
