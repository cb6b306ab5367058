package index

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"sync"
)

// memory is a file system that can fail at any call and lose, as a power cut
// does, any part of what was not synced.
type memory struct {
	mu    sync.Mutex
	nodes map[string]*node
	calls int
	read  int   // bytes
	fail  int   // number of the call that fails; 0 for none
	after bool  // the failing call has its effect, a write half of it
	err   error // what it fails with
}

type node struct {
	now     []byte
	durable []byte
	pending []func(b []byte) []byte // since the last sync
}

var errInjected = errors.New("injected")

func newMemory() *memory { return &memory{nodes: map[string]*node{}, err: errInjected} }

// step counts a call and says whether it fails.
func (m *memory) step() bool {
	m.calls++
	return m.calls == m.fail
}

func (m *memory) open(name string, flag int) (file, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.step() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: m.err}
	}
	n := m.nodes[name]
	if n != nil && flag&os.O_EXCL != 0 {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrExist}
	}
	if n == nil {
		if flag&os.O_CREATE == 0 {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		n = &node{}
		m.nodes[name] = n
	}
	h := &handle{m, n, name}
	if flag&os.O_TRUNC != 0 {
		h.apply(func([]byte) []byte { return nil })
	}
	return h, nil
}

func (m *memory) resolve(name string) (string, error) { return name, nil }
func (m *memory) probe(string) error                  { return m.syncDir("") }

func (m *memory) is(name string, f file) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.nodes[name] == f.(*handle).n
}

func (m *memory) remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.nodes, name)
	return nil
}

func (m *memory) syncDir(string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.step() {
		return m.err
	}
	return nil
}

// crash returns what a power cut might leave: of every file what was synced,
// and any of the later changes, in their order.
func (m *memory) crash(r *rand.Rand) *memory {
	c := newMemory()
	for name, n := range m.nodes {
		b := append([]byte(nil), n.durable...)
		for _, change := range n.pending {
			if r.IntN(2) == 0 {
				b = change(b)
			}
		}
		c.nodes[name] = &node{now: b, durable: append([]byte(nil), b...)}
	}
	return c
}

type handle struct {
	m    *memory
	n    *node
	name string
}

func (h *handle) apply(change func([]byte) []byte) {
	h.n.now = change(h.n.now)
	h.n.pending = append(h.n.pending, change)
}

func (h *handle) ReadAt(p []byte, off int64) (int, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if off >= int64(len(h.n.now)) {
		return 0, io.EOF
	}
	n := copy(p, h.n.now[off:])
	h.m.read += n
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// pages are written one by one, and may be lost one by one.
const page = 512

func (h *handle) WriteAt(p []byte, off int64) (int, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	fails := h.m.step()
	if fails {
		p = p[:len(p)/2]
	}
	if !fails || h.m.after {
		for done := 0; done < len(p); done += page {
			part, at := append([]byte(nil), p[done:min(done+page, len(p))]...), off+int64(done)
			h.apply(func(b []byte) []byte {
				if need := int(at) + len(part); len(b) < need {
					b = append(b, make([]byte, need-len(b))...)
				}
				copy(b[at:], part)
				return b
			})
		}
	}
	if fails {
		return len(p), &fs.PathError{Op: "write", Path: h.name, Err: h.m.err}
	}
	return len(p), nil
}

func (h *handle) Truncate(size int64) error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if h.m.step() {
		return &fs.PathError{Op: "truncate", Path: h.name, Err: h.m.err}
	}
	h.apply(func(b []byte) []byte {
		if int64(len(b)) > size {
			return b[:size:size]
		}
		return append(b, make([]byte, size-int64(len(b)))...)
	})
	return nil
}

func (h *handle) Sync() error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	fails := h.m.step()
	if !fails || h.m.after {
		h.n.durable, h.n.pending = append([]byte(nil), h.n.now...), nil
	}
	if fails {
		return &fs.PathError{Op: "sync", Path: h.name, Err: h.m.err}
	}
	return nil
}

func (h *handle) size() (int64, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	return int64(len(h.n.now)), nil
}

func (h *handle) lock() (func() error, error) { return func() error { return nil }, nil }
func (h *handle) Close() error                { return nil }
