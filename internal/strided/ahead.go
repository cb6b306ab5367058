package strided

import (
	"io"
	"slices"
	"sync"
)

// ahead reads ahead where a view is read from front to back. Elements of a
// transposed matrix that follow one another lie apart, and those beside them
// are wanted next: many rows at once cost little more than one.
type ahead struct {
	r     io.ReaderAt // the view
	total int64       // bytes

	mu    sync.Mutex
	next  int64 // where a read would go on from the last one
	run   int64 // bytes read front to back so far
	at    int64 // of the panel
	panel []byte
}

const (
	maxPanel  = 4 << 20 // bytes of one view that are kept
	maxPanels = 8       // views that keep some
)

// panels are the views that keep a panel, the latest last.
var panels struct {
	mu    sync.Mutex
	views []*ahead
}

// ReadAt fills p with the bytes from off on.
func (a *ahead) ReadAt(p []byte, off int64) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	sequential := off == a.next && off > 0
	a.next = off + int64(len(p))
	if !sequential {
		a.run = 0
	}
	a.run += int64(len(p))
	switch n := int64(len(p)); {
	case off >= a.at && off+n <= a.at+int64(len(a.panel)):
	case !sequential || n >= maxPanel || off+n > a.total:
		return a.r.ReadAt(p, off)
	default:
		if err := a.fetch(off, max(n, min(a.run, maxPanel, a.total-off))); err != nil {
			return 0, err
		}
	}
	return copy(p, a.panel[off-a.at:]), nil
}

// fetch reads a panel. No more is read ahead than was read before.
func (a *ahead) fetch(off, n int64) error {
	if int64(cap(a.panel)) < n {
		a.panel = make([]byte, n)
	}
	a.at, a.panel = off, a.panel[:n]
	if k, err := a.r.ReadAt(a.panel, off); k < len(a.panel) {
		a.panel = nil
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	a.keep()
	return nil
}

// keep lets the view that read least lately give up its panel.
func (a *ahead) keep() {
	panels.mu.Lock()
	var old *ahead
	if i := slices.Index(panels.views, a); i >= 0 {
		panels.views = slices.Delete(panels.views, i, i+1)
	} else if len(panels.views) == maxPanels {
		old = panels.views[0]
		panels.views = slices.Delete(panels.views, 0, 1)
	}
	panels.views = append(panels.views, a)
	panels.mu.Unlock()
	if old != nil && old.mu.TryLock() { // one that is reading keeps its panel until it is asked again
		old.panel, old.at = nil, 0
		old.mu.Unlock()
	}
}
