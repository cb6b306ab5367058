package postgres

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/weightprint/weightprint/similarity/index"
	"github.com/weightprint/weightprint/store"
)

// DefaultLease is how long a batch of jobs is a worker's.
const DefaultLease = 15 * time.Minute

// Worker works off jobs with the program weightprint. Any number of workers may
// run, on many machines; one that is killed loses nothing but its time.
type Worker struct {
	Store   *Store
	Program string
	Batch   int
	Lease   time.Duration
	Log     io.Writer
}

// Run works until no job can be had, and counts.
func (w *Worker) Run(ctx context.Context) (done, failed int, err error) {
	for {
		jobs, err := w.Store.Claim(ctx, w.Batch, w.Lease)
		if err != nil || len(jobs) == 0 {
			return done, failed, err
		}
		d, f, err := w.batch(ctx, jobs)
		done, failed = done+d, failed+f
		if err != nil {
			return done, failed, err
		}
	}
}

// batch gives the references to one process, which writes a record for each, in
// their order.
func (w *Worker) batch(ctx context.Context, jobs []Job) (done, failed int, err error) {
	var refs strings.Builder
	for _, j := range jobs {
		refs.WriteString(j.Ref + "\n")
	}
	c := exec.CommandContext(ctx, w.Program, "fingerprint", "--stdin", "--ndjson")
	c.Stdin, c.Stderr = strings.NewReader(refs.String()), w.Log
	out, err := c.StdoutPipe()
	if err != nil {
		return 0, 0, err
	}
	if err := c.Start(); err != nil {
		return 0, 0, err
	}
	defer func() {
		_, _ = io.Copy(io.Discard, out)
		err = cmp.Or(err, c.Wait())
	}()
	lines := bufio.NewReader(out)
	for _, j := range jobs {
		text, err := lines.ReadBytes('\n')
		if err != nil {
			return done, failed, fmt.Errorf("%s ended before the record of %q: %w", w.Program, j.Ref, err)
		}
		ok, err := w.record(ctx, j, text)
		switch {
		case errors.Is(err, ErrLease):
			continue
		case err != nil:
			return done, failed, err
		case ok:
			done++
		default:
			failed++
		}
	}
	return done, failed, nil
}

func (w *Worker) record(ctx context.Context, j Job, text []byte) (ok bool, err error) {
	l, f, err := store.ReadLine(text)
	switch {
	case err != nil:
		return false, err
	case f == nil:
		return false, w.Store.Fail(ctx, j, l.Error, false)
	}
	name := j.Ref
	if len(name) > index.MaxNameBytes {
		return false, w.Store.Fail(ctx, j, index.ErrName.Error(), true)
	}
	return true, w.Store.Finish(ctx, j, index.Entry{Name: name, Fingerprint: f})
}
