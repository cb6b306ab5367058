// Package softmemory keeps a program's memory near what it has in use.
package softmemory

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// Where the garbage collector begins to work harder, so that what lies between two
// collections does not add up to more than a command needs. A command that holds little
// stays below the lower mark; for one that holds more that would cost too much time.
const (
	lowMark  = 48 << 20
	highMark = 160 << 20
	// most keeps a command below 256 MiB, with what the program and its runtime take
	// besides, as long as what it holds leaves room between collections.
	most = 228 << 20
)

// Limit sets that mark, unless the caller has set one, and moves it up where a command
// holds more: a collector that works against what is in use collects without end, and a
// third of the processor's time went there.
func Limit() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(lowMark)
		afterCollection(moveLimit)
	}
}

// moveLimit leaves a quarter of what is in use for what lies between collections. What
// was asked for while a collection ran counts as in use in this one, so that a slow one
// finds too much: the smaller of two counts.
func moveLimit() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if live[0].Value.Kind() == metrics.KindUint64 {
		now := int64(live[0].Value.Uint64())
		debug.SetMemoryLimit(limitFor(min(now, lastLive)))
		lastLive = now
	}
}

// lastLive is what the collection before found in use; finalizers run one at a time.
var lastLive int64

func limitFor(live int64) int64 {
	needed := live * 5 / 4
	switch {
	case needed <= lowMark:
		return lowMark
	case needed > most && live < most*15/16:
		return most
	}
	return max(highMark, needed)
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
