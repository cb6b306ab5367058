package fingerprint

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"github.com/weightprint/weightprint/formats/tensor"
)

// pass streams tensors through workers. Leaves are read in any order and put
// together in order, so nothing of the result depends on who read what.
type pass struct {
	workers int
	chunk   int
	count   map[*tensor.Tensor]bool // whose values are counted
	sinks   map[*tensor.Tensor][]sink
}

// sink is given values of a tensor as they are read, from several workers at
// once but no value twice.
type sink interface {
	wants(first, n int64) bool
	take(first int64, values []float32)
}

func newPass(o *Options) *pass {
	p := &pass{workers: o.Workers, chunk: o.ChunkBytes, count: map[*tensor.Tensor]bool{}, sinks: map[*tensor.Tensor][]sink{}}
	if p.workers <= 0 {
		p.workers = min(runtime.GOMAXPROCS(0), mostWorkers)
	}
	if p.chunk <= 0 {
		p.chunk = defaultChunk
	}
	p.chunk = min(max(p.chunk, leastChunk), mostChunk)
	return p
}

const (
	defaultChunk = 4 << 20
	leastChunk   = 4 << 10
	mostWorkers  = 8 // each holds some 20 MB
	mostChunk    = 64 << 20

	// leastJob is how many stored bytes a job has at least: handing its counts
	// over costs as much as counting some ten thousand values.
	leastJob = 1 << 20
)

// job is a run of leaves of one tensor, read by one worker.
type job struct {
	of          *whole
	first, last int64 // leaves
	leaves      []Digest
	stored      []Digest
	bare        bool
	err         error
	done        chan struct{}
}

// whole collects what is known of a tensor while its leaves come in.
type whole struct {
	layout
	tree   Tree
	stored Tree
	blocks [rowBlocks]Tree
	bare   bool // the stored bytes are not at hand

	mu     sync.Mutex
	counts *histogram // nil when not asked for
}

// run streams the tensors in the given order and calls finished for each, in
// that order.
func (p *pass) run(ctx context.Context, ts []*tensor.Tensor, finished func(*whole) error) error {
	ctx, cancel := context.WithCancel(ctx)
	work, ordered := make(chan *job), make(chan *job, 2*p.workers)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for range p.workers {
		wg.Go(func() {
			h := newHasher(p.chunk)
			for j := range work {
				j.err = p.do(ctx, h, j)
				close(j.done)
			}
		})
	}
	wg.Go(func() {
		defer close(work)
		defer close(ordered)
		for _, t := range ts {
			if !p.dispatch(ctx, t, ordered, work) {
				return
			}
		}
	})
	for j := range ordered {
		select {
		case <-j.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if j.err != nil {
			return j.err
		}
		j.merge()
		if j.last == j.of.leaves() {
			if err := finished(j.of); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// dispatch cuts a tensor into jobs of about a chunk, or a MiB. A tensor without values
// is one job without leaves.
func (p *pass) dispatch(ctx context.Context, t *tensor.Tensor, ordered, work chan<- *job) bool {
	w := &whole{layout: layoutOf(t)}
	if p.count[t] {
		w.counts = new(histogram)
	}
	bytes := max(1, t.StoredBytes()/max(1, w.leaves())) // of a leaf
	step := max(1, max(int64(p.chunk), leastJob)/bytes)
	for first, end := int64(0), w.leaves(); first == 0 || first < end; first += step {
		j := &job{of: w, first: first, last: min(first+step, end), done: make(chan struct{})}
		for _, to := range []chan<- *job{ordered, work} {
			select {
			case to <- j:
			case <-ctx.Done():
				return false
			}
		}
	}
	return true
}

// do reads the leaves of a job.
func (p *pass) do(ctx context.Context, h *hasher, j *job) error {
	t := j.of.t
	h.countFor(j.of)
	sinks := p.sinks[t]
	last, rest := j.of.leaf(j.last - 1)
	for i := j.first; i < j.last; i++ {
		first, n := j.of.leaf(i)
		wanted := slices.ContainsFunc(sinks, func(s sink) bool { return s.wants(first, n) })
		r, err := h.leaf(ctx, t, first, n, last+rest, wanted)
		if err != nil {
			return err
		}
		j.leaves, j.bare = append(j.leaves, r.leaf), j.bare || r.bare
		if r.free {
			j.stored = append(j.stored, r.stored)
		}
		for _, s := range sinks {
			if wanted {
				s.take(first, r.floats)
			}
		}
	}
	j.of.add(h.counts)
	return nil
}

// countFor makes the hasher count values where the tensor asks for it.
func (h *hasher) countFor(w *whole) {
	h.counts = nil
	if w.counts != nil {
		if h.table == nil {
			h.table = new(counter)
		}
		h.counts = h.table
	}
}

// add moves the counts of one job over.
func (w *whole) add(c *counter) {
	if c == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	c.moveTo(w.counts)
}

// merge puts the digests of a job behind those of the jobs before it.
func (j *job) merge() {
	w := j.of
	w.bare = w.bare || j.bare
	per := max(1, (w.leaves()+rowBlocks-1)/rowBlocks)
	for k, d := range j.leaves {
		w.tree.Add(d)
		w.blocks[(j.first+int64(k))/per].Add(d)
	}
	for _, d := range j.stored {
		w.stored.Add(d)
	}
}

// digest is the value digest of the tensor.
func (w *whole) digest() Digest { return tensorDigest(w.t.Shape, w.tree.Root()) }
