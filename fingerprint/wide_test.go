package fingerprint

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Sums of values with random signs are those of one combination after the other, bit for
// bit, of any number of values.
func TestCombineByDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 200 {
		x := make([]float64, n)
		for i := range x {
			x[i] = r.NormFloat64()
		}
		flips, masks := make([][atOnce]uint64, (n+63)/64), [atOnce][]uint64{}
		for k := range flips {
			for q := range atOnce {
				flips[k][q] = r.Uint64()
				masks[q] = append(masks[q], ^flips[k][q])
			}
		}
		var got, plain [atOnce]float64
		combine(&got, x, flips)
		combinePlain(&plain, x, flips)
		for q := range atOnce {
			want := combination(x, masks[q])
			require.Equal(t, math.Float64bits(want), math.Float64bits(got[q]), "%d values, sum %d", n, q)
			require.Equal(t, math.Float64bits(want), math.Float64bits(plain[q]), "%d values, sum %d", n, q)
		}
	}
}

// A NaN is found wherever it stands, and infinities are none.
func TestHalvesAreFinite(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		raw := make([]byte, 2*(1+r.IntN(150)))
		for i := 0; i < len(raw); i += 2 {
			binary.LittleEndian.PutUint16(raw[i:], uint16(r.Uint32())&0xbfff)
		}
		put := func(v uint16) { binary.LittleEndian.PutUint16(raw[2*r.IntN(len(raw)/2):], v|uint16(r.IntN(2))<<15) }
		h := hasher{raw: raw}
		require.True(t, h.halvesAreFinite())
		put(0x7f80)
		require.True(t, h.halvesAreFinite(), "an infinity")
		put(0x7f81 + uint16(r.IntN(127)))
		require.False(t, h.halvesAreFinite(), "a NaN among %d bytes", len(raw))
	}
}

// Where a row begins decides only what the whole row decides as well.
func TestFormulasByTheWholeRow(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	seen := map[bool]int{}
	for i := range 3000 {
		row := make([]float32, 250+r.IntN(400))
		noise := math.Pow(10, -4*r.Float64())
		rate, from := r.Float64(), r.IntN(len(row))
		for k := range row {
			row[k] = float32(math.Sin(rate * float64(k)))
			if i%2 == 0 || k >= from {
				row[k] += float32(noise * r.NormFloat64())
			}
		}
		square, apart := recurrence(row)
		want := square == 0 || apart <= formula*square
		require.Equal(t, want, tabular(row))
		seen[want]++
	}
	require.Greater(t, min(seen[true], seen[false]), 300)
}
