package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/weightprint/weightprint/formats"
)

// progress shows on a terminal how much has been read.
type progress struct {
	w    io.Writer
	done chan struct{}
	wg   sync.WaitGroup
}

// startProgress begins to show what read returns, of at most total bytes, if w
// is a terminal. Work of less than half a second shows nothing.
func startProgress(w io.Writer, quiet bool, total int64, read func() int64) *progress {
	p := &progress{w: w, done: make(chan struct{})}
	if quiet || !isTerminal(w) {
		return p
	}
	p.wg.Go(func() {
		start := time.Now()
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-p.done:
				fmt.Fprint(w, "\r\x1b[K")
				return
			case <-tick.C:
				fmt.Fprintf(w, "\r%s\x1b[K", progressLine(read(), total, time.Since(start), terminalWidth(w)))
			}
		}
	})
	return p
}

// watch shows how much has been read of models that are read whole, unless
// --quiet says otherwise, until stop is called.
func watch(c *cobra.Command, models ...*formats.Checkpoint) (stop func()) {
	total := int64(0)
	for _, m := range models {
		total += m.BytesTotal()
	}
	quiet, _ := c.Flags().GetBool("quiet") // every verb has it
	return startProgress(c.ErrOrStderr(), quiet, total, func() (n int64) {
		for _, m := range models {
			n += m.BytesRead()
		}
		return n
	}).stop
}

// stop clears the line.
func (p *progress) stop() {
	close(p.done)
	p.wg.Wait()
}

// progressLine says how much of total bytes has been read, with a bar where
// there is room, and how long the rest takes at this pace. A comparison may end
// before it has read all that it may.
func progressLine(read, total int64, took time.Duration, columns int) string {
	words := fmt.Sprintf("%.1f MiB read", float64(read)/(1<<20))
	if total <= 0 || read <= 0 {
		return words
	}
	share := min(1, float64(read)/float64(total))
	words = fmt.Sprintf("%.1f of at most %.1f MiB", float64(read)/(1<<20), float64(total)/(1<<20))
	if took > time.Second && share < 1 {
		words += fmt.Sprintf(", at most %v left", time.Duration(float64(took)*(1-share)/share).Round(time.Second))
	}
	if bar := min(30, columns-len(words)-4); bar >= 8 {
		full := int(share * float64(bar))
		return "[" + strings.Repeat("=", full) + strings.Repeat(" ", bar-full) + "] " + words
	}
	return words
}

func isTerminal(w io.Writer) bool {
	f, ok := fileOf(w)
	return ok && term.IsTerminal(int(f.Fd()))
}

// terminalWidth is how wide a terminal is, or what COLUMNS says of it; 80 for anything
// else.
func terminalWidth(w io.Writer) int {
	if f, ok := fileOf(w); ok && isTerminal(w) {
		if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
			return n
		}
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return n
		}
	}
	return 80
}

// colours tells whether words may be coloured: on a terminal, unless NO_COLOR
// is set or the terminal says that it is dumb.
func colours(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
