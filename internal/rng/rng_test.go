package rng

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The streams are part of what a report pins: these values never change.
func TestStreamIsPinned(t *testing.T) {
	s := New([]byte("seed"), "purpose")
	require.Equal(t, [3]uint64{0x14ac7141064cc953, 0xc45981161edc2662, 0xa543b9ec0cfb6064}, [3]uint64{s.Uint64(), s.Uint64(), s.Uint64()})
	require.NotEqual(t, New([]byte("seed"), "p").Uint64(), New([]byte("seedp"), "").Uint64())
}

func TestPermAndSample(t *testing.T) {
	s := New(nil, "test")
	for _, n := range []int{0, 1, 2, 17} {
		p := s.Perm(n)
		slices.Sort(p)
		for i, v := range p {
			require.Equal(t, i, v)
		}
		for m := range n + 2 {
			got := s.Sample(n, m)
			require.Len(t, got, min(m, n))
			require.True(t, slices.IsSorted(got))
			require.Len(t, slices.Compact(got), min(m, n))
		}
	}
}

// Each element of a small permutation group comes up equally often: chi-square
// with 23 degrees of freedom stays below its 99.99 % point, 58.6.
func TestPermIsUniform(t *testing.T) {
	s := New(nil, "uniform")
	count := map[[4]int]int{}
	const draws = 24000
	for range draws {
		count[[4]int(s.Perm(4))]++
	}
	require.Len(t, count, 24)
	chi := 0.0
	for _, c := range count {
		d := float64(c) - draws/24
		chi += d * d / (draws / 24)
	}
	require.Less(t, chi, 58.6)
}
