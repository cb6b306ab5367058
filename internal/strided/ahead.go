package strided

import (
	"io"
	"slices"
	"sync"
)

// ahead reads whole panels where much of a view is read. Elements of a
// transposed matrix that follow one another lie apart, and those beside them
// are wanted soon: many rows at once cost little more than one.
type ahead struct {
	r     io.ReaderAt // the view
	total int64       // bytes

	mu     sync.Mutex
	kept   []panel // the latest last
	counts []count // of panels that are not kept, the latest last
}

// panel is a part of a view, the number-th of panelBytes each.
type panel struct {
	number int64
	b      []byte
}

// count is how many bytes of a panel were asked for.
type count struct{ number, n int64 }

const (
	panelBytes = 4 << 20
	maxKept    = 2              // panels of one view: readers by turns are in two
	maxViews   = 8              // views that keep panels
	worth      = panelBytes / 8 // bytes asked for of a panel that make it worth reading
	maxCounts  = 16
)

// views are those that keep panels, the latest last.
var views struct {
	mu  sync.Mutex
	all []*ahead
}

// ReadAt fills p with the bytes from off on.
func (a *ahead) ReadAt(p []byte, off int64) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	done := 0
	for done < len(p) {
		at := off + int64(done)
		if at >= a.total {
			return done, io.EOF
		}
		number := at / panelBytes
		part := p[done:min(int64(len(p)), int64(done)+(number+1)*panelBytes-at)]
		n, err := a.part(part, at, number)
		if done += n; n < len(part) {
			return done, err
		}
	}
	return done, nil
}

// part reads within one panel.
func (a *ahead) part(p []byte, at, number int64) (int, error) {
	b := a.find(number)
	if b == nil {
		if !a.worth(number, int64(len(p))) {
			return a.r.ReadAt(p, at)
		}
		var err error
		if b, err = a.fetch(number); err != nil {
			return 0, err
		}
	}
	n := copy(p, b[at-number*panelBytes:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (a *ahead) find(number int64) []byte {
	for _, x := range a.kept {
		if x.number == number {
			return x.b
		}
	}
	return nil
}

// worth tells whether to read a panel whole: much of it was asked for, or the
// one before it was read so.
func (a *ahead) worth(number, n int64) bool {
	if a.find(number-1) != nil {
		return true
	}
	i := slices.IndexFunc(a.counts, func(c count) bool { return c.number == number })
	if i < 0 {
		if len(a.counts) == maxCounts {
			a.counts = slices.Delete(a.counts, 0, 1)
		}
		i = len(a.counts)
		a.counts = append(a.counts, count{number, 0})
	}
	a.counts[i].n += n
	return a.counts[i].n >= worth
}

// fetch reads a panel and keeps it.
func (a *ahead) fetch(number int64) ([]byte, error) {
	b := make([]byte, min(panelBytes, a.total-number*panelBytes))
	if n, err := a.r.ReadAt(b, number*panelBytes); n < len(b) {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	if len(a.kept) == maxKept {
		a.kept = slices.Delete(a.kept, 0, 1)
	}
	a.kept = append(a.kept, panel{number, b})
	a.enter()
	return b, nil
}

// enter lets the view that fetched least lately give up its panels.
func (a *ahead) enter() {
	views.mu.Lock()
	var old *ahead
	if i := slices.Index(views.all, a); i >= 0 {
		views.all = slices.Delete(views.all, i, i+1)
	} else if len(views.all) == maxViews {
		old = views.all[0]
		views.all = slices.Delete(views.all, 0, 1)
	}
	views.all = append(views.all, a)
	views.mu.Unlock()
	if old != nil && old.mu.TryLock() { // one that is reading gives them up when it is the oldest again
		old.kept = nil
		old.mu.Unlock()
	}
}
