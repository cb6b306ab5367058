//go:build !purego

package index

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/simd"
	"github.com/weightprint/weightprint/similarity/sketches"
)

// sparse draws words of which many are zero, all ones, or equal to one another.
func sparse(r *rand.Rand, words ...[]uint64) {
	for _, list := range words {
		for w := range list {
			switch r.IntN(6) {
			case 0:
				list[w] = 0
			case 1:
				list[w] = ^uint64(0)
			case 2:
				list[w] = 0x00ff0000_ff000102 << r.IntN(16)
			default:
				list[w] = r.Uint64()
			}
		}
	}
}

func randomKey(r *rand.Rand) (k key) {
	k.length, k.hidden, k.dim = uint32(r.IntN(3)), uint32(r.IntN(3)), uint16(r.IntN(2))
	sparse(r, k.units[0][:], k.units[1][:], k.units[2][:], k.residual[:], k.tokens[:], k.profiles[0][:], k.profiles[1][:], k.places[:])
	if r.IntN(4) == 0 {
		k.tokens = [4]uint64{}
	}
	return k
}

// Vector instructions give what plain Go gives, of any bytes.
func TestVectorsCompareAsPlainGoDoes(t *testing.T) {
	if !simd.AVX512Popcount {
		t.Skip("the processor does not count bits in vectors")
	}
	r := rand.New(rand.NewPCG(5, 12))
	for range 200 {
		var space keySpace
		var keys []byte
		for range blockSize {
			k := randomKey(r)
			keys = k.encode(le.AppendUint32(keys, uint32(r.IntN(3))), uint16(r.IntN(4)))
		}
		block := space.take(keys)
		a := &asked{key: randomKey(r), root: fingerprint.Digest{byte(r.IntN(3))}}
		near := block.key(r.IntN(blockSize))
		if r.IntN(2) == 0 { // near one of them
			a = askedOf(near[:])
			for i := range a.units {
				a.units[i][r.IntN(unitWords)] ^= r.Uint64() & r.Uint64()
			}
			a.profiles[0][0] ^= 1 << r.IntN(64)
			a.complete()
		} else {
			a.complete()
		}
		s := seek(a)
		s.within([channels]int{r.IntN(400), r.IntN(140), -r.IntN(24), r.IntN(260)})
		var want, got apart
		block.comparePlain(a, s, &want)
		compareAVX512(block.side, s, &got)
		require.Equal(t, want, got)
	}
}

// So they do of records.
func TestVectorsMeasureAsPlainGoDoes(t *testing.T) {
	if !simd.AVX512Popcount {
		t.Skip("the processor does not count bits in vectors")
	}
	r := rand.New(rand.NewPCG(6, 12))
	for range 2000 {
		s, o := randomSummary(r), record{Summary: randomSummary(r)}
		for i := range s.Units {
			sparse(r, s.Units[i][:], o.Units[i][:])
		}
		b := (*[recordBytes]byte)(o.encode())
		require.Equal(t, s.leastApartPlain(b), unitsAVX512(&s.Units, &b[wordsAt]))
		require.Equal(t, s.mostInCommonPlain(b), foundAVX512(&s.Places, &s.Profiles, &b[foundAt], sketches.NearProfile))
	}
}
