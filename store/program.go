package store

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/similarity/index"
	"github.com/weightprint/weightprint/similarity/stats"
)

var errClosed = errors.New("the store is closed")

// ErrNoProgram is returned where the helper program of a database is missing.
var ErrNoProgram = errors.New("its helper program is not installed")

// find looks for a helper program beside this one, then on PATH.
func find(name string) (string, error) {
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), name)
		if path, err := exec.LookPath(beside); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s: %w: %w; make hub-postgres builds it", name, ErrNoProgram, err)
	}
	return path, nil
}

// program is a store behind a helper program.
type program struct {
	name    string
	process *exec.Cmd
	in      io.WriteCloser
	sending sync.Mutex // of to
	to      *gob.Encoder
	mu      sync.Mutex // of what follows
	last    uint64
	waiting map[uint64]chan answer
	broken  error         // set once the stream has ended
	ended   chan struct{} // closed when it has
}

// start runs a helper program for as long as the store is open.
func start(ctx context.Context, path, dsn string, stderr io.Writer) (Store, error) {
	c := exec.Command(path, "serve-store")
	c.Env, c.Stderr = environment(dsn), stderr
	in, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	p := newProgram(filepath.Base(path), in)
	p.process = c
	if err := p.greet(ctx, out); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func newProgram(name string, in io.WriteCloser) *program {
	return &program{name: name, in: in, to: gob.NewEncoder(in), waiting: map[uint64]chan answer{}, ended: make(chan struct{})}
}

// greet waits until the other side says that it is ready and of this version.
func (p *program) greet(ctx context.Context, out io.Reader) error {
	hello := p.expect(0)
	go p.listen(out)
	a, err := p.await(ctx, 0, hello)
	if err == nil && a.Hello != protocol {
		err = fmt.Errorf("%s speaks %q, this program %q: install both of one version", p.name, a.Hello, protocol)
	}
	return err
}

// expect makes room for an answer.
func (p *program) expect(number uint64) chan answer {
	c := make(chan answer, 1)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting[number] = c
	return c
}

// listen hands out answers until the stream ends.
func (p *program) listen(out io.Reader) {
	from := gob.NewDecoder(out)
	for {
		var a answer
		err := from.Decode(&a)
		p.mu.Lock()
		if err != nil {
			p.broken = fmt.Errorf("%s ended before its work was done: %w", p.name, err)
			p.mu.Unlock()
			close(p.ended)
			return
		}
		if c := p.waiting[a.Number]; c != nil {
			delete(p.waiting, a.Number)
			c <- a
		}
		p.mu.Unlock()
	}
}

func (p *program) await(ctx context.Context, number uint64, c chan answer) (answer, error) {
	select {
	case a := <-c:
		return a, nil
	case <-p.ended:
		select { // it may have come last
		case a := <-c:
			return a, nil
		default:
			return answer{}, p.broken
		}
	case <-ctx.Done():
		_ = p.send(&request{Number: number, Do: opCancel})
		return answer{}, ctx.Err()
	}
}

func (p *program) send(r *request) error {
	p.sending.Lock()
	defer p.sending.Unlock()
	return p.to.Encode(r)
}

// call sends a request and waits for its answer.
func (p *program) call(ctx context.Context, r request) (answer, error) {
	p.mu.Lock()
	p.last++
	r.Number = p.last
	p.mu.Unlock()
	if until, ok := ctx.Deadline(); ok {
		r.Left = max(time.Until(until), time.Millisecond)
	}
	c := p.expect(r.Number)
	if err := p.send(&r); err != nil {
		return answer{}, fmt.Errorf("%s: %w", p.name, err)
	}
	a, err := p.await(ctx, r.Number, c)
	if err == nil && a.Fault != "" {
		err = errorOf(a.Fault, a.Kind)
	}
	return a, err
}

func (p *program) Add(ctx context.Context, entries []index.Entry) (index.Added, error) {
	packed, err := packEntries(entries)
	if err != nil {
		return index.Added{}, err
	}
	a, err := p.call(ctx, request{Do: opAdd, Entries: packed})
	return a.Added, err
}

func (p *program) Remove(ctx context.Context, names []string, numbers []int64) (int, error) {
	a, err := p.call(ctx, request{Do: opRemove, Names: names, Numbers: numbers})
	return a.N, err
}

func (p *program) Merge(ctx context.Context, from []string) error {
	_, err := p.call(ctx, request{Do: opMerge, Paths: from})
	return err
}

func (p *program) Save(ctx context.Context, path string) error {
	_, err := p.call(ctx, request{Do: opSave, Paths: []string{path}})
	return err
}

func (p *program) List(ctx context.Context) (*Listed, error) {
	a, err := p.call(ctx, request{Do: opList})
	return &Listed{a.Names, unpackBad(a.Bad)}, err
}

func (p *program) Search(ctx context.Context, f *fingerprint.Fingerprint, top int, level stats.LogP) (*index.Found, error) {
	query, err := fileOf(f)
	if err != nil {
		return nil, err
	}
	a, err := p.call(ctx, request{Do: opSearch, Query: query, Top: top, Level: level})
	if err != nil {
		return nil, err
	}
	return &index.Found{Searched: a.Counted[0], Quarantined: a.Counted[1], Hits: unpackHits(a.Hits), Leads: unpackHits(a.Leads), Skipped: unpackBad(a.Bad)}, nil
}

func (p *program) Check(ctx context.Context) (*Checked, error) {
	a, err := p.call(ctx, request{Do: opCheck})
	return &Checked{Entries: a.N, Bad: unpackBad(a.Bad)}, err
}

func (p *program) Ready(ctx context.Context) error {
	_, err := p.call(ctx, request{Do: opReady})
	return err
}

// patience is how long a helper program may take to end.
const patience = 10 * time.Second

// Close ends the helper program.
func (p *program) Close() error {
	err := p.in.Close()
	late := time.AfterFunc(patience, func() { _ = p.process.Process.Kill() })
	defer late.Stop()
	<-p.ended // Wait would close the stream under the reader
	if gone := p.process.Wait(); err == nil {
		err = gone
	}
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}
