package store

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/weightprint/weightprint/fingerprint"
)

// Serve answers requests about a store until the caller closes its stream or ctx
// ends. It is what a helper program does with its standard streams.
func Serve(ctx context.Context, s Store, in io.Reader, out io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c := &conversation{store: s, out: gob.NewEncoder(out), running: map[uint64]context.CancelFunc{}}
	if err := c.say(answer{Hello: protocol}); err != nil {
		return err
	}
	defer c.calls.Wait()
	defer stop()
	from := gob.NewDecoder(in)
	for {
		var r request
		if err := from.Decode(&r); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		c.begin(ctx, &r)
	}
}

// conversation is the helper's side of the streams.
type conversation struct {
	store   Store
	mu      sync.Mutex // of out and running
	out     *gob.Encoder
	running map[uint64]context.CancelFunc
	calls   sync.WaitGroup
}

func (c *conversation) say(a answer) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.Encode(a)
}

// begin starts a call, or ends one before its time.
func (c *conversation) begin(ctx context.Context, r *request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Do == opCancel {
		if cancel := c.running[r.Number]; cancel != nil {
			cancel()
		}
		return
	}
	var cancel context.CancelFunc
	if r.Left > 0 {
		ctx, cancel = context.WithTimeout(ctx, r.Left)
	} else {
		ctx, cancel = context.WithCancel(ctx)
	}
	c.running[r.Number] = cancel
	c.calls.Go(func() { c.call(ctx, r) })
}

func (c *conversation) call(ctx context.Context, r *request) {
	a := answer{Number: r.Number}
	do := operations[r.Do]
	if do == nil {
		do = func(context.Context, Store, *request, *answer) error { return fmt.Errorf("unknown operation %q", r.Do) }
	}
	if err := do(ctx, c.store, r, &a); err != nil {
		a = answer{Number: r.Number}
		a.Fault, a.Kind = faultOf(err)
	}
	c.mu.Lock()
	c.running[r.Number]()
	delete(c.running, r.Number)
	c.mu.Unlock()
	_ = c.say(a) // a caller who is gone ends the conversation elsewhere
}

// operations carry out requests.
var operations = map[operation]func(ctx context.Context, s Store, r *request, a *answer) error{
	opAdd: func(ctx context.Context, s Store, r *request, a *answer) error {
		entries, err := unpackEntries(r.Entries)
		if err == nil {
			a.Added, err = s.Add(ctx, entries)
		}
		return err
	},
	opRemove: func(ctx context.Context, s Store, r *request, a *answer) (err error) {
		a.N, err = s.Remove(ctx, r.Names, r.Numbers)
		return err
	},
	opMerge: func(ctx context.Context, s Store, r *request, _ *answer) error { return s.Merge(ctx, r.Paths) },
	opSave:  func(ctx context.Context, s Store, r *request, _ *answer) error { return s.Save(ctx, r.Paths[0]) },
	opList: func(ctx context.Context, s Store, _ *request, a *answer) error {
		l, err := s.List(ctx)
		if err == nil {
			a.Names, a.Bad = l.Names, packBad(l.Bad)
		}
		return err
	},
	opSearch: func(ctx context.Context, s Store, r *request, a *answer) error {
		f, err := fingerprint.Decode(r.Query)
		if err != nil {
			return err
		}
		found, err := s.Search(ctx, f, r.Top, r.Level)
		if err == nil {
			a.Counted = [2]int{found.Searched, found.Quarantined}
			a.Hits, a.Leads, a.Bad = packHits(found.Hits), packHits(found.Leads), packBad(found.Skipped)
		}
		return err
	},
	opReady: func(ctx context.Context, s Store, _ *request, _ *answer) error { return s.Ready(ctx) },
	opCheck: func(ctx context.Context, s Store, _ *request, a *answer) error {
		c, err := s.Check(ctx)
		if err == nil {
			a.N, a.Bad = c.Entries, packBad(c.Bad)
		}
		return err
	},
}
