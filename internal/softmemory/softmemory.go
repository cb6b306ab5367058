// Package softmemory keeps a program's memory near what it has in use.
package softmemory

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// mark is where the garbage collector begins to work harder, so that what lies between
// two collections does not add up to more than a command needs. With what the runtime
// takes beside it, a comparison of networks of a billion weights stays below 64 MiB.
const mark = 46 << 20

// Limit sets that mark, unless the caller has set one, and moves it up where a command
// holds more: a collector that works against what is in use collects without end, and a
// third of the processor's time went there.
func Limit() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(mark)
		afterCollection(moveLimit)
	}
}

// moveLimit leaves two fifths of what is in use for what lies between collections.
func moveLimit() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if live[0].Value.Kind() == metrics.KindUint64 {
		debug.SetMemoryLimit(max(mark, int64(live[0].Value.Uint64())*7/5))
	}
}

// afterCollection calls f after every collection, while the program runs.
func afterCollection(f func()) {
	runtime.SetFinalizer(&sentinel{}, func(*sentinel) {
		f()
		afterCollection(f)
	})
}

// sentinel is garbage; its byte keeps it from sharing the address of other empty values.
type sentinel struct{ _ [16]byte }
