package index

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// Merge writes the entries of several indexes to a new one, sorted by root and
// name, each once. The result is the same bytes in whatever order and grouping
// the indexes are merged. Nothing stands at the new name before all is on
// disk.
func Merge(to string, from ...string) error { return merge(disk{}, to, from) }

// source is one record of one index to be merged.
type source struct {
	record
	of *Index
}

func merge(fs files, to string, from []string) (err error) {
	if f, err := fs.open(to, os.O_RDONLY); err == nil {
		return errors.Join(fmt.Errorf("%s exists", to), f.Close())
	}
	var all []source
	for _, path := range from {
		x, err := open(fs, path)
		if err != nil {
			return err
		}
		defer x.Close()
		if x.f == nil {
			return fmt.Errorf("%s: %w", path, os.ErrNotExist)
		}
		if err := x.each(0, x.count, func(_ int64, r *record) error {
			all = append(all, source{*r, x})
			return nil
		}); err != nil {
			return err
		}
	}
	if all, err = unique(all); err != nil {
		return err
	}
	return write(fs, to, all)
}

// unique sorts entries and keeps of equal keys the one whose details are
// first in the order of bytes: a choice that no grouping changes.
func unique(all []source) ([]source, error) {
	slices.SortStableFunc(all, func(a, b source) int { return cmp.Compare(a.key(), b.key()) })
	out := all[:0]
	for _, s := range all {
		if n := len(out); n == 0 || out[n-1].key() != s.key() {
			out = append(out, s)
			continue
		}
		last := &out[len(out)-1]
		a, err := last.bytes()
		if err != nil {
			return nil, err
		}
		b, err := s.bytes()
		if err != nil {
			return nil, err
		}
		if bytes.Compare(b, a) < 0 {
			*last = s
		}
	}
	return out, nil
}

// bytes reads the details of an entry.
func (s *source) bytes() ([]byte, error) {
	b := make([]byte, s.size)
	if _, err := io.ReadFull(io.NewSectionReader(s.of.details, s.offset, s.size), b); err != nil {
		return nil, fmt.Errorf("%s: offset %d: %w", detailsOf(s.of.path), s.offset, err)
	}
	return b, nil
}

// write makes a new index beside its name and renames it, details first: the
// index is there once its records are.
func write(fs files, to string, all []source) (err error) {
	temp := to + ".tmp"
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: merging %d entries: %w", to, len(all), err)
			_ = fs.remove(temp)
			_ = fs.remove(detailsOf(temp))
		}
	}()
	if err := fill(fs, temp, all); err != nil {
		return err
	}
	if err := fs.rename(detailsOf(temp), detailsOf(to)); err != nil {
		return err
	}
	if err := fs.rename(temp, to); err != nil {
		return err
	}
	return fs.syncDir(to)
}

// fill writes the two files of an index.
func fill(fs files, path string, all []source) (err error) {
	f, err := fs.open(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	details, err := fs.open(detailsOf(path), os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, details.Close()) }()
	h := header{seq: 1, count: int64(len(all))}
	records := make([]byte, 0, readRecords*recordBytes)
	at := int64(headerBytes)
	flush := func() error {
		_, err := f.WriteAt(records, at)
		at += int64(len(records))
		records = records[:0]
		return err
	}
	for _, s := range all {
		b, err := s.bytes()
		if err != nil {
			return err
		}
		if _, err := details.WriteAt(b, h.details); err != nil {
			return err
		}
		s.offset = h.details
		h.details += s.size
		if records = append(records, s.encode()...); len(records) == cap(records) {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	if err := f.Truncate(headerBytes + h.count*recordBytes); err != nil {
		return err
	}
	if _, err := f.WriteAt(h.encode(), h.slot()); err != nil {
		return err
	}
	return errors.Join(details.Sync(), f.Sync())
}
