package axis

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What was taken back is lent again, the smallest that has room; what is lent is nobody
// else's, and room that is too small for anything makes place for more.
func TestScratchLendsAgain(t *testing.T) {
	s := &scratch{}
	big, small := s.floats(100), s.floats(10)
	big[0], small[0] = 1, 2
	mark := s.mark()
	inner := s.floats(5)
	s.release(mark)
	require.Same(t, &inner[0], &s.floats(4)[0])
	require.NotSame(t, &big[0], &s.floats(50)[0])
	s.release(0)
	require.Same(t, &small[0], &s.floats(10)[0])
	require.Same(t, &big[0], &s.floats(60)[0])
	s.release(0)
	n := len(s.free)
	require.Len(t, s.floats(1000), 1000)
	require.Len(t, s.free, n-1, "the largest that is too small makes place")
	require.Len(t, (*scratch)(nil).floats(3), 3)
}
