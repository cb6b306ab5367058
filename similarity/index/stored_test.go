package index

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// randomSummary has places and profiles that another may have too, or lacks a part.
func randomSummary(r *rand.Rand) (s Summary) {
	s.Length, s.Dim, s.Hidden = uint32(r.IntN(2)), uint32(r.IntN(2)), uint32(r.IntN(2))
	for _, words := range s.fields() {
		for w := range words {
			words[w] = r.Uint64()
		}
	}
	for i := range s.Places {
		for t := range summaryPlaces {
			place := []uint64{0, 1, 0x8000, NoPlace}[r.IntN(4)]
			shift := t % 4 * 16
			s.Places[i][t/4] = s.Places[i][t/4]&^(NoPlace<<shift) | place<<shift
		}
		for t := range s.Profiles[i] {
			s.Profiles[i][t] = []uint64{0, 0x1111, math.MaxUint64, 1<<12 - 1, 1<<13 - 1}[r.IntN(5)]
		}
	}
	if r.IntN(3) > 0 {
		s.Tokens[r.IntN(tokenWords)] = r.Uint64()
	}
	return s
}

// apartPlainly counts bit by bit and token by token.
func apartPlainly(s, o *Summary) (d [channels]int) {
	differ := func(a, b []uint64) (n int) {
		for i := range 64 * len(a) {
			n += int((a[i/64] ^ b[i/64]) >> (i % 64) & 1)
		}
		return n
	}
	d = [channels]int{math.MaxInt, math.MaxInt, 0, math.MaxInt}
	for i := range s.Units {
		for j := range o.Units {
			if s.Length > 0 && s.Length == o.Length && s.Dim == o.Dim {
				d[0] = min(d[0], differ(s.Units[i][:], o.Units[j][:]))
			}
		}
	}
	if s.Hidden > 0 && s.Hidden == o.Hidden {
		d[1] = differ(s.Residual[:], o.Residual[:])
	}
	for i := range s.Places {
		for j := range o.Places {
			n := 0
			for t := range summaryPlaces {
				a, b := uint16(s.Places[i][t/4]>>(t%4*16)), uint16(o.Places[j][t/4]>>(t%4*16))
				if a == b && a != NoPlace {
					n++
				}
			}
			for t, p := range s.Profiles[i] {
				q := o.Profiles[j][t]
				if apart := bits.OnesCount64(p ^ q); p != 0 && q != 0 && (apart <= 12 || apart >= 52) {
					n += 2
				}
			}
			d[found] = min(d[found], -n)
		}
	}
	if s.Tokens != [tokenWords]uint64{} && o.Tokens != [tokenWords]uint64{} {
		d[3] = differ(s.Tokens[:], o.Tokens[:])
	}
	return d
}

// Distances from a record in its stored form are those from its summary.
func TestDistancesFromStoredRecords(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	for range 500 {
		s, o := randomSummary(r), record{Summary: randomSummary(r)}
		if r.IntN(4) == 0 {
			o.Units[r.IntN(summaryLayers)] = s.Units[r.IntN(summaryLayers)]
		}
		want, b := apartPlainly(&s, &o.Summary), (*[recordBytes]byte)(o.encode())
		require.Equal(t, want, s.distances(&o.Summary))
		for c := range channels {
			require.Equal(t, want[c], s.apartStored(c, b), "kind %d", c)
			// Nothing that the distance asks for lies outside of what is touched.
			for i := range b {
				if i < stretches[c][0] || i >= stretches[c][1] {
					b[i] ^= 0xff
				}
			}
			if c != 1 { // it asks for the length of the axis, which stands with those of all
				require.Equal(t, want[c], s.apartStored(c, b), "kind %d", c)
			}
			b = (*[recordBytes]byte)(o.encode())
		}
	}
}
