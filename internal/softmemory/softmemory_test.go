package softmemory

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

// The mark follows what is in use, and comes back.
func TestMarkFollowsMemory(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	lastLive = 0
	held := make([]byte, 2*highMark)
	runtime.GC()
	moveLimit()
	require.Equal(t, int64(lowMark), debug.SetMemoryLimit(-1), "one count alone may be of garbage")
	runtime.GC()
	moveLimit()
	require.GreaterOrEqual(t, debug.SetMemoryLimit(-1), int64(len(held)*5/4))
	runtime.KeepAlive(held)
	held = nil
	runtime.GC()
	moveLimit()
	require.Equal(t, int64(lowMark), debug.SetMemoryLimit(-1))
}

// What holds more than a little is not held to the lower mark.
func TestMarks(t *testing.T) {
	for live, limit := range map[int64]int64{0: lowMark, 38 << 20: lowMark, 42 << 20: highMark, 100 << 20: highMark, 160 << 20: 200 << 20, 200 << 20: most, 213 << 20: most, 214 << 20: 214 << 20 * 5 / 4} {
		require.Equal(t, limit, limitFor(live), "%d", live)
	}
}
