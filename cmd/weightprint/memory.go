package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// softMemory is where the garbage collector begins to work harder, so that what
// lies between two collections does not add up to more than a command needs.
const softMemory = 160 << 20

// limitMemory sets that mark, unless the caller has set one, and moves it up where a
// command holds more: a collector that works against what is in use collects without
// end, and a third of the processor's time went there.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
		afterCollection(moveLimit)
	}
}

// moveLimit leaves a quarter of what is in use for what lies between collections.
func moveLimit() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if live[0].Value.Kind() == metrics.KindUint64 {
		debug.SetMemoryLimit(max(softMemory, int64(live[0].Value.Uint64())*5/4))
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
