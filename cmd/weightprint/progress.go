package main

import (
	"context"
	"encoding/json"
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
	"github.com/weightprint/weightprint/report"
)

// progressForms are the ways to show progress.
var progressForms = []string{"terminal", "json"}

// follow returns what shows how far work has come, as the flags of the running
// command ask for, and what ends the showing. On a terminal work of less than half a
// second shows nothing; elsewhere, nothing is shown unless JSON is asked for.
func follow(ctx context.Context, w io.Writer, quiet bool) (tell func(report.Progress), stop func()) {
	if networkOf(ctx).progress == "json" {
		return func(p report.Progress) {
			if line, err := json.Marshal(map[string]report.Progress{"progress": p}); err == nil {
				fmt.Fprintf(w, "%s\n", line)
			}
		}, func() {}
	}
	if quiet || !isTerminal(w) {
		return nil, func() {}
	}
	start := time.Now()
	return func(p report.Progress) {
			if took := time.Since(start); took > 500*time.Millisecond {
				fmt.Fprintf(w, "\r%s\x1b[K", stageLine(p, took, terminalWidth(w)))
			}
		}, func() {
			fmt.Fprint(w, "\r\x1b[K")
		}
}

// stageLine is a line of progress that names the stage, where there are several.
func stageLine(p report.Progress, took time.Duration, columns int) string {
	if p.Steps < 2 {
		return progressLine(p.Read, p.Total, took, columns)
	}
	stage := fmt.Sprintf("%d/%d %s: ", p.Step, p.Steps, p.Stage)
	return stage + progressLine(p.Read, p.Total, took, columns-len(stage))
}

// watch shows how much has been read of models that are read whole, unless
// --quiet says otherwise, until stop is called.
func watch(c *cobra.Command, models ...*formats.Checkpoint) (stop func()) {
	quiet, _ := c.Flags().GetBool("quiet") // every verb has it
	tell, end := follow(c.Context(), c.ErrOrStderr(), quiet)
	if tell == nil {
		return end
	}
	p := report.Progress{Stage: "read", Step: 1, Steps: 1}
	for _, m := range models {
		p.Total += m.BytesTotal()
	}
	now := func() {
		p.Read = 0
		for _, m := range models {
			p.Read += m.BytesRead()
		}
		tell(p)
	}
	ended := every(500*time.Millisecond, now)
	return func() {
		ended()
		now()
		end()
	}
}

// every calls do again and again until stop is called; none follows that.
func every(pause time.Duration, do func()) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(pause)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				do()
			}
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
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
