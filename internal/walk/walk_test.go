package walk

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

type broken struct{}

func (broken) ReadAt([]byte, int64) (int, error) { return 0, errors.New("no disk") }

// Records come one after another, steps within and beyond what was read ahead end in the
// same place, and nothing is read beyond the end.
func TestReader(t *testing.T) {
	text := strings.Repeat("0123456789abcdef", 8)
	for _, step := range []int64{0, 1, 12, 16, 17, 100} {
		r := New("f", strings.NewReader(text), int64(len(text)), 16)
		head, err := r.Take(4, "head")
		require.NoError(t, err)
		require.Equal(t, text[:4], string(head))
		require.NoError(t, r.Skip(step, "values"))
		n, err := r.Number("number")
		require.NoError(t, err)
		at := 4 + step
		require.Equal(t, text[at:at+4], string([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}))
		require.Equal(t, at+4, r.At)
		_, err = r.Take(r.Size, "all")
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.ErrorIs(t, r.Skip(r.Size, "all"), io.ErrUnexpectedEOF)
		require.Equal(t, at+4, r.At)
	}
	_, err := New("f", broken{}, 10, 16).Number("number")
	require.ErrorContains(t, err, "no disk")
}
