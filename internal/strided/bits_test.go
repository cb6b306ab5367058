package strided

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// Any range of packed numbers is what unpacking byte by byte gives.
func TestBits(t *testing.T) {
	raw := make([]byte, 50_000)
	for i := range raw {
		raw[i] = byte(i*31 + i>>8)
	}
	for _, c := range []struct {
		bits   int64
		signed bool
	}{{4, false}, {4, true}, {2, false}, {2, true}} {
		per := 8 / c.bits
		n := int64(len(raw)-3)*per - 1
		want := make([]byte, n)
		for i := range n {
			v := int(raw[3+i/per]) >> (c.bits * (i % per)) & (1<<c.bits - 1)
			if c.signed && v >= 1<<(c.bits-1) {
				v -= 1 << c.bits
			}
			want[i] = byte(int8(v))
		}
		r := Bits(bytes.NewReader(raw), 3, c.bits, c.signed, n)
		for _, part := range [][2]int64{{0, n}, {1, n}, {n / 3, n/3 + 1}, {7, 70_001}, {n - 5, n}} {
			p := make([]byte, part[1]-part[0])
			k, err := r.ReadAt(p, part[0])
			require.NoError(t, err)
			require.Equal(t, len(p), k)
			require.True(t, bytes.Equal(want[part[0]:part[1]], p), "%d bits %v", c.bits, part)
		}
		k, err := r.ReadAt(make([]byte, 9), n-4)
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, 4, k)
		_, err = Bits(bytes.NewReader(raw[:10]), 3, c.bits, c.signed, n).ReadAt(make([]byte, 100), 0)
		require.Error(t, err)
	}
}
