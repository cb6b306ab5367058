package dense

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every result equals the plain left-to-right sum, bit for bit, whatever the
// shape and the number of workers.
func TestMulNTEqualsDot(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, s := range [][3]int{{1, 1, 1}, {2, 4, 3}, {3, 5, 7}, {33, 9, 64}, {16, 16, 0}, {0, 3, 4}, {50, 41, 129}} {
		n, m, d := s[0], s[1], s[2]
		a, b := random(r, n*d), random(r, m*d)
		want := make([]float32, n*m)
		for i := range n {
			for j := range m {
				want[i*m+j] = Dot(a[i*d:(i+1)*d], b[j*d:(j+1)*d])
			}
		}
		for _, workers := range []int{1, 2, 7} {
			old := runtime.GOMAXPROCS(workers)
			got := make([]float32, n*m)
			MulNT(got, a, b, n, m, d)
			require.Equal(t, want, got, "shape %v, %d workers", s, workers)
			if d > 0 {
				packed := make([]float32, n*m)
				Pack(b, m, d).MulNT(packed, a, n)
				require.Equal(t, want, packed, "packed, shape %v", s)
				checkRows(t, want, a, Pack(b, m, d), s)
			}
			square, whole := make([]float32, n*n), make([]float32, n*n)
			Gram(square, a, n, d)
			MulNT(whole, a, a, n, n, d)
			require.Equal(t, whole, square, "Gram of shape %v, %d workers", s, workers)
			runtime.GOMAXPROCS(old)
		}
	}
}

// checkRows asks for every third row of A and all blocks of B.
func checkRows(t *testing.T, want, a []float32, b *Packed, s [3]int) {
	n, m, d := s[0], s[1], s[2]
	var rows [][]float32
	for i := 0; i < n; i += 3 {
		rows = append(rows, a[i*d:(i+1)*d])
	}
	for block := 0; block*Block < m; block++ {
		got := make([]float32, len(rows)*Block)
		columns := b.Rows(got, rows, block)
		require.Equal(t, min(Block, m-block*Block), columns)
		for i := range rows {
			require.Equal(t, want[3*i*m+block*Block:][:columns], got[i*Block:][:columns], "shape %v, row %d, block %d", s, i, block)
		}
	}
}

// The processor's own way fills a tile as plain Go does, bit for bit, also with
// values that overflow, vanish or are no numbers.
func TestFillEqualsPlain(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	odd := []float32{0, float32(math.Copysign(0, -1)), math.MaxFloat32, math.SmallestNonzeroFloat32, 1e-39, float32(math.Inf(1)), float32(math.NaN())}
	for d := 1; d < 70; d++ {
		values := random(r, (tileRows+tileCols)*d)
		for range d / 8 {
			values[r.IntN(len(values))] = odd[r.IntN(len(odd))]
		}
		var rows [tileRows][]float32
		for i := range rows {
			rows[i] = values[i*d : (i+1)*d]
		}
		var got, want tile
		got.fill(&rows, values[tileRows*d:])
		want.fillPlain(&rows, values[tileRows*d:])
		for i := range got {
			if math.IsNaN(float64(want[i])) {
				require.True(t, math.IsNaN(float64(got[i])), "depth %d, result %d", d, i)
				continue
			}
			require.Equal(t, math.Float32bits(want[i]), math.Float32bits(got[i]), "depth %d, result %d", d, i)
		}
	}
}

func BenchmarkMulNT(b *testing.B) {
	const n, m, d = 64, 1024, 2048
	r := rand.New(rand.NewPCG(1, 2))
	x, y, dst := random(r, n*d), random(r, m*d), make([]float32, n*m)
	b.SetBytes(2 * n * m * d) // flops, so MB/s reads as Mflop/s
	for b.Loop() {
		MulNT(dst, x, y, n, m, d)
	}
}

func random(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}
