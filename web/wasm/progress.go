//go:build js

package main

import (
	"syscall/js"
	"time"

	"github.com/weightprint/weightprint/report"
)

// teller passes progress on. A browser's timers stand still while the library works,
// so that reading itself says how far it has come.
type teller struct {
	to   js.Value
	last report.Progress
	when time.Time
}

func (t *teller) stage(p report.Progress) {
	t.last, t.when = p, time.Now()
	t.to.Invoke(p.Stage, p.Step, p.Steps, float64(p.Read), float64(p.Total))
}

// read hears of bytes.
func (t *teller) read(n int64) {
	t.last.Read = min(t.last.Read+n, t.last.Total)
	if t.last.Step > 0 && time.Since(t.when) > 100*time.Millisecond {
		t.stage(t.last)
	}
}
