package main

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
	held := make([]byte, 2*softMemory)
	runtime.GC()
	moveLimit()
	require.GreaterOrEqual(t, debug.SetMemoryLimit(-1), int64(len(held)*5/4))
	runtime.KeepAlive(held)
	held = nil
	runtime.GC()
	moveLimit()
	require.Equal(t, int64(softMemory), debug.SetMemoryLimit(-1))
}
