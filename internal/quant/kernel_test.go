package quant

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// The processor's own way gives the bits of plain Go, also where scales are
// infinite, vanish or are no numbers.
func TestKernelsEqualPlain(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		runs, run, bias := 1+r.IntN(16), 16*(1+r.IntN(2)), r.IntN(40)
		stride := run + r.IntN(9)
		code := random(r, runs*stride+16)
		for i := range code {
			code[i] >>= min(bias, 2) // codes less the bias fit a byte
		}
		scale, less := numbers(r, 16), numbers(r, 16)
		got, want := make([]float32, runs*run), make([]float32, runs*run)
		scaleCodes(got, code, scale, run, stride, bias)
		scaledRunsPlain(want, code, scale[:runs], run, stride, bias)
		equal(t, want, got, "scaled")
		scaleCodesLess(got, code, scale, less, run)
		affineRunsPlain(want, code, scale[:runs], less, run)
		equal(t, want, got, "affine")

		by, pairs := numbers(r, 2*runs), make([]float32, 32*runs)
		scaleNibbles(pairs, code, by, 16, bias%9)
		expected := make([]float32, 32*runs)
		nibbleRunsPlain(expected, code, by, 16, bias%9)
		equal(t, expected, pairs, "nibbles")

		var five, four, plain [256]float32
		qs, fifth := (*[128]byte)(random(r, 128)), (*[32]byte)(random(r, 32))
		s, l := (*[16]float32)(scale), (*[16]float32)(less)
		fiveBitRuns(&five, qs, fifth, s, l)
		fiveBitRunsPlain(&plain, qs, fifth, s, l)
		equal(t, plain[:], five[:], "five bits")
		fiveBitRuns(&four, qs, &noFifth, s, l)
		fiveBitRunsPlain(&plain, qs, &noFifth, s, l)
		equal(t, plain[:], four[:], "four bits")
	}
}

// Every number in half precision, and bfloat16 numbers of all lengths, widen to the
// same bits, those of NaN included.
func TestCastsEqualPlain(t *testing.T) {
	all := make([]byte, 2<<16)
	for i := range 1 << 16 {
		binary.LittleEndian.PutUint16(all[2*i:], uint16(i))
	}
	for _, n := range []int{0, 1, 15, 16, 17, 33, 1 << 16} {
		for name, way := range map[string][2]func([]float32, []byte){"half": {halves, halvesPlain}, "bfloat": {bfloats, bfloatsPlain}, "single": {floats, floatsPlain}} {
			size := 2
			if name == "single" {
				size = 4
			}
			n := n * 2 / size
			got, want := make([]float32, n), make([]float32, n)
			way[0](got, all[len(all)-size*n:])
			way[1](want, all[len(all)-size*n:])
			for i := range want {
				require.Equal(t, math.Float32bits(want[i]), math.Float32bits(got[i]), "%s number %d of %d", name, i, n)
			}
		}
	}
}

func random(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func numbers(r *rand.Rand, n int) []float32 {
	odd := []float32{0, float32(math.Copysign(0, -1)), math.MaxFloat32, -math.SmallestNonzeroFloat32, 1e-39, float32(math.Inf(1)), float32(math.NaN())}
	x := make([]float32, n)
	for i := range x {
		if x[i] = float32(r.NormFloat64()); r.IntN(4) == 0 {
			x[i] = odd[r.IntN(len(odd))]
		}
	}
	return x
}

// equal holds bits against bits; of what is no number only that it is none.
func equal(t *testing.T, want, got []float32, what string) {
	t.Helper()
	for i, w := range want {
		if w != w && got[i] != got[i] {
			continue
		}
		require.Equal(t, math.Float32bits(w), math.Float32bits(got[i]), "%s, value %d", what, i)
	}
}

// BenchmarkDecode counts bytes of decoded values.
func BenchmarkDecode(b *testing.B) {
	for _, d := range []struct {
		name   string
		size   int
		decode func([]float32, []byte)
	}{{"F16", 512, F16}, {"BF16", 512, BF16}, {"Q4_0", 144, Q4_0}, {"Q8_0", 272, Q8_0}, {"Q4_K", 144, Q4K}, {"Q5_K", 176, Q5K}, {"Q6_K", 210, Q6K}, {"IQ2_XXS", 66, IQ2XXS}, {"TQ1_0", 54, TQ1_0}} {
		b.Run(d.name, func(b *testing.B) {
			const blocks = 256
			dst, src := make([]float32, 256*blocks), make([]byte, d.size*blocks)
			b.SetBytes(int64(4 * len(dst)))
			for b.Loop() {
				d.decode(dst, src)
			}
		})
	}
}
