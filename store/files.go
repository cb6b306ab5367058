package store

import (
	"context"
	"errors"
	"sync"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/similarity/index"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Files is the store in the two files of an embedded index. Nothing is opened
// before it is needed; what others commit in between is seen by the next call.
func Files(path string) Store { return &files{path: path} }

// FilesInMemory is Files for who searches often: up to so many bytes, 1280 for each entry,
// are held in memory.
func FilesInMemory(path string, bytes int64) Store { return &files{path: path, keep: bytes} }

type files struct {
	path    string
	keep    int64        // bytes held in memory
	reading sync.RWMutex // held for reading as long as open is used
	open    *index.Index
	writing sync.Mutex
	writer  *index.Writer // stays open, as opening reads all records
}

// use gives the index as it is now, opened again where it has changed.
func (s *files) use(do func(x *index.Index) error) error {
	s.reading.RLock()
	if s.open != nil {
		if current, err := s.open.Current(); current && err == nil {
			defer s.reading.RUnlock()
			return do(s.open)
		}
	}
	s.reading.RUnlock()
	if err := s.reopen(); err != nil {
		return err
	}
	s.reading.RLock()
	defer s.reading.RUnlock()
	if s.open == nil {
		return errClosed
	}
	return do(s.open)
}

func (s *files) reopen() (err error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	if s.open != nil {
		if current, err := s.open.Current(); current && err == nil {
			return nil // another call was faster
		}
		err = s.open.Close()
		s.open = nil
	}
	if err == nil {
		s.open, err = index.Open(s.path)
	}
	if err == nil && s.keep > 0 {
		s.open.Keep(s.keep)
	}
	return err
}

func (s *files) Add(_ context.Context, entries []index.Entry) (a index.Added, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.writer == nil {
		if s.writer, err = index.OpenWriter(s.path); err != nil {
			s.writer = nil
			return a, err
		}
	}
	return s.writer.Add(entries...)
}

func (s *files) Remove(_ context.Context, names []string, numbers []int64) (int, error) {
	return index.Remove(s.path, names, numbers)
}

func (s *files) Merge(_ context.Context, from []string) error { return index.Merge(s.path, from...) }

func (s *files) Save(_ context.Context, path string) error { return index.Merge(path, s.path) }

func (s *files) List(context.Context) (*Listed, error) {
	var l Listed
	err := s.use(func(x *index.Index) (err error) {
		l.Bad = x.Bad()
		l.Names, err = x.Names()
		return err
	})
	return &l, err
}

func (s *files) Search(ctx context.Context, f *fingerprint.Fingerprint, top int, level stats.LogP) (found *index.Found, err error) {
	err = s.use(func(x *index.Index) error {
		found, err = x.Search(ctx, f, top, level)
		return err
	})
	return found, err
}

func (s *files) SearchAll(ctx context.Context, fs []*fingerprint.Fingerprint, top int, level stats.LogP) (found []*index.Found, err error) {
	err = s.use(func(x *index.Index) error {
		found, err = x.SearchAll(ctx, fs, top, level)
		return err
	})
	return found, err
}

func (s *files) Ready(context.Context) error {
	return s.use(func(*index.Index) error { return nil })
}

// Flaws are known since the index was opened.
func (s *files) Flaws() (bad []index.Bad, lost []error, err error) {
	err = s.use(func(x *index.Index) (err error) {
		bad = x.Bad()
		lost, err = x.Lost()
		return err
	})
	return bad, lost, err
}

func (s *files) Check(ctx context.Context) (*Checked, error) {
	var c Checked
	err := s.use(func(x *index.Index) (err error) {
		c.Entries = x.Len() + len(x.Bad())
		if c.Bad, err = x.Check(ctx); err == nil {
			c.Header, err = x.CheckHeader()
		}
		return err
	})
	return &c, err
}

func (s *files) Close() error {
	s.reading.Lock()
	defer s.reading.Unlock()
	s.writing.Lock()
	defer s.writing.Unlock()
	var errs []error
	if s.open != nil {
		errs = append(errs, s.open.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.Close())
	}
	s.open, s.writer = nil, nil
	return errors.Join(errs...)
}
