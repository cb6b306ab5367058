//go:build !purego

package dense

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// A processor without AVX2 gives the same bits.
func TestNarrowFillEqualsWide(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for d := 1; d < 50; d++ {
		values := random(r, (tileRows+tileCols)*d)
		var rows [tileRows][]float32
		for i := range rows {
			rows[i] = values[i*d : (i+1)*d]
		}
		var narrow, plain tile
		narrow.fillNarrow(&rows, values[tileRows*d:])
		plain.fillPlain(&rows, values[tileRows*d:])
		for i := range plain {
			require.Equal(t, math.Float32bits(plain[i]), math.Float32bits(narrow[i]), "depth %d, result %d", d, i)
		}
	}
}

// Rows are laid out as plain Go does, and no value beside them.
func TestInterleaveEqualsPlain(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for d := range 40 {
		var rows [4][]float32
		for i := range rows {
			rows[i] = random(r, d)
		}
		got, want := make([]float32, tileCols*d+8), make([]float32, tileCols*d+8)
		interleave(got[:tileCols*d], &rows, d)
		interleavePlain(want[:tileCols*d], &rows, 0, d)
		require.Equal(t, want, got, "%d values", d)
	}
}

func BenchmarkSerialNT(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, s := range [][3]int{{128, 1024, 192}, {64, 64, 2048}, {32, 256, 256}} {
		x, y, dst := random(r, s[0]*s[2]), random(r, s[1]*s[2]), make([]float32, s[0]*s[1])
		b.Run(fmt.Sprint(s), func(b *testing.B) {
			b.SetBytes(int64(2 * s[0] * s[1] * s[2])) // flops
			for b.Loop() {
				SerialNT(dst, x, y, s[0], s[1], s[2])
			}
		})
	}
}
