package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// progress shows on a terminal how much has been read.
type progress struct {
	w    io.Writer
	done chan struct{}
	wg   sync.WaitGroup
}

// startProgress begins to show what read returns, if w is a terminal.
func startProgress(w io.Writer, quiet bool, read func() int64) *progress {
	p := &progress{w: w, done: make(chan struct{})}
	f, ok := w.(*os.File)
	if quiet || !ok || !term.IsTerminal(int(f.Fd())) {
		return p
	}
	p.wg.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-p.done:
				fmt.Fprint(w, "\r\x1b[K")
				return
			case <-tick.C:
				fmt.Fprintf(w, "\r%.1f MiB read\x1b[K", float64(read())/(1<<20))
			}
		}
	})
	return p
}

// stop clears the line.
func (p *progress) stop() {
	close(p.done)
	p.wg.Wait()
}
