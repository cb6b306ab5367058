//go:build !nonet && !js

package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/weightprint/weightprint/formats/tensor"
)

// spool is what a server sends of a file behind its beginning, on this machine's disk:
// one request, from end to end, in whatever order it is read. Where the connection
// breaks, another asks for what is missing.
type spool struct {
	once  sync.Once
	ended chan struct{} // closed when nothing is written any more; nil before the first read

	mu   sync.Mutex
	file *os.File
	have int64         // of the file, bytes before this are there
	err  error         // why no more will come
	more chan struct{} // closed when have or err has changed
}

// spooled tells whether bytes up to end are read from the disk.
func (r *Remote) spooled(end int64) bool { return r.client.o.Spool != "" && end > firstBytes }

// readSpool fills p, of which a part lies behind the beginning of the file.
func (r *Remote) readSpool(p []byte, off int64) error {
	if n := firstBytes - off; n > 0 {
		if err := r.read(p[:n], off); err != nil {
			return err
		}
		p, off = p[n:], firstBytes
	}
	r.spool.begin(r)
	file, err := r.spool.wait(r.ctx, off+int64(len(p)))
	if err == nil {
		_, err = file.ReadAt(p, off-firstBytes)
	}
	if err != nil && r.ctx.Err() != nil {
		return r.ended()
	}
	return err
}

// begin asks the server, once.
func (s *spool) begin(r *Remote) {
	s.once.Do(func() {
		s.have, s.more, s.ended = firstBytes, make(chan struct{}), make(chan struct{})
		s.file, s.err = os.CreateTemp(r.client.o.Spool, "weightprint-*.part")
		if s.err != nil {
			s.err = tensor.Errorf(s.err, r.label, -1, "spool", "cannot be made: %v", cause(s.err))
			close(s.ended)
			return
		}
		_ = os.Remove(s.file.Name()) // where open files can be removed, nothing stays behind whatever happens
		go func() {
			defer close(s.ended)
			if err := s.fill(r); err != nil {
				s.came(0, err)
			}
		}()
	})
}

// fill writes until all is there. Attempts are counted anew whenever something came.
func (s *spool) fill(r *Remote) error {
	for s.have < r.size {
		before := s.have
		r.mu.Lock()
		host := r.at.Host
		r.mu.Unlock()
		err := r.client.retry(r.ctx, host, r.label, r.client.allowance(r.size-s.have), func(ctx context.Context) error { return s.stream(ctx, r) })
		if err != nil && (s.have == before || r.ctx.Err() != nil || !passing(err)) {
			return err
		}
	}
	return nil
}

// stream makes one request for what is missing, where redirects led the first time or,
// where that address has expired, from the start. It gives up where nothing comes for
// long.
func (s *spool) stream(ctx context.Context, r *Remote) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	patience := r.client.allowance(wholeStep)
	silent := time.AfterFunc(patience, func() { cancel(fmt.Errorf("%w: nothing came for long", ErrSlow)) })
	defer silent.Stop()
	missing := tensor.Span{Lo: s.have, Hi: r.size}
	err := r.anew(func(at place) error {
		return r.rangedAt(ctx, at, missing, func(a *http.Response) error {
			return s.take(a, r, func() { silent.Reset(patience) })
		})
	})
	if err != nil {
		return cmp.Or(slow(ctx), err)
	}
	return nil
}

// take writes a body to the disk as it comes, and calls after each step.
func (s *spool) take(a *http.Response, r *Remote, step func()) error {
	if n := r.size - s.have; a.ContentLength >= 0 && a.ContentLength != n {
		return fmt.Errorf("%w: Content-Length is %d for %d bytes", ErrAnswer, a.ContentLength, n)
	}
	buf := make([]byte, wholeStep)
	for s.have < r.size {
		n, err := io.ReadAtLeast(a.Body, buf[:min(int64(len(buf)), r.size-s.have)], 1)
		r.client.received.Add(int64(n))
		if n > 0 {
			if _, err := s.file.WriteAt(buf[:n], s.have-firstBytes); err != nil {
				return tensor.Errorf(err, r.label, s.have, "spool", "cannot be written: %v; its folder needs room for the largest shard, for all of a model of shards", cause(err))
			}
			s.came(int64(n), nil)
			step()
		}
		if err != nil {
			return broken(err)
		}
	}
	return nil
}

// came notes that so much more is there, or that no more will come.
func (s *spool) came(n int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.have, s.err = s.have+n, err
	close(s.more)
	s.more = make(chan struct{})
}

// wait waits until all before end is there.
func (s *spool) wait(ctx context.Context, end int64) (*os.File, error) {
	for {
		s.mu.Lock()
		file, have, err, more := s.file, s.have, s.err, s.more
		s.mu.Unlock()
		switch {
		case have >= end && file != nil:
			return file, nil
		case err != nil:
			return nil, err
		}
		select {
		case <-more:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// close removes what was written. The requests were ended before.
func (s *spool) close() error {
	s.once.Do(func() {}) // nothing begins after this
	if s.ended == nil {
		return nil
	}
	<-s.ended
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if gone := os.Remove(s.file.Name()); !errors.Is(gone, os.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}
