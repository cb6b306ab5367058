package main

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/weightprint/weightprint/internal/outfile"
)

// grace is how long an interrupted command may take to end by itself: work looks up
// often enough where it can, but a product of large matrices does not.
const grace = 600 * time.Millisecond

const interrupted = "weightprint: interrupted"

// drains is set by a service, which lets running searches end.
var drains atomic.Bool

// endSoon ends the process where the command has not ended within the grace, without
// leaving anything behind that is half written.
func endSoon() {
	time.Sleep(grace)
	if drains.Load() {
		return
	}
	outfile.Sweep()
	fmt.Fprintln(os.Stderr, interrupted)
	os.Exit(exitInterrupted)
}
