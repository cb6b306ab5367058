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
	held := make([]byte, 2*mark)
	runtime.GC()
	moveLimit()
	require.GreaterOrEqual(t, debug.SetMemoryLimit(-1), int64(len(held)*7/5))
	runtime.KeepAlive(held)
	held = nil
	runtime.GC()
	moveLimit()
	require.Equal(t, int64(mark), debug.SetMemoryLimit(-1))
}
