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
// the indexes are merged, apart from an index that stood there empty. It is one
// commit: nobody sees a part of it, and of several that merge or add to one name
// the first wins; a merge to an index with entries is os.ErrExist. Records that
// cannot be read are an error: remove them, or merge what they came from.
func Merge(to string, from ...string) error { return merge(disk{}, to, from) }

// source is one record of one index to be merged.
type source struct {
	record
	of *Index
}

func merge(fs files, to string, from []string) (err error) {
	w, err := openWriter(fs, to) // nothing is made yet
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if w.f != nil {
		if h, err := readHeader(to, w.f); err != nil || h.count > 0 {
			return cmp.Or(err, exists(to))
		}
	}
	var all []source
	for _, path := range from {
		x, err := open(fs, path)
		if err != nil {
			return err
		}
		defer x.Close()
		if err := x.verify(); err != nil {
			return err
		}
		if bad := x.Bad(); len(bad) > 0 {
			return fmt.Errorf("%s: record %d: %w; index check lists such records, index remove --number takes them out", path, bad[0].Number, bad[0].Err)
		}
		if err := x.entries(func(_ int64, r *record) error {
			all = append(all, source{*r, x})
			return nil
		}); err != nil {
			return err
		}
	}
	if all, err = unique(all); err != nil {
		return err
	}
	return w.merge(all)
}

func exists(path string) error {
	return fmt.Errorf("%s exists: %w; a merge writes a new index", path, os.ErrExist)
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

// bytes reads the details of an entry, which must be those of its record.
func (s *source) bytes() ([]byte, error) {
	if _, err := s.of.entry(&s.record); err != nil {
		return nil, err
	}
	b := make([]byte, s.size)
	if _, err := io.ReadFull(io.NewSectionReader(s.of.details, s.offset, s.size), b); err != nil {
		return nil, fmt.Errorf("%s: offset %d: %w", detailsOf(s.of.path), s.offset, err)
	}
	return b, nil
}

// merge commits all entries at once to an index that holds nothing.
func (w *Writer) merge(all []source) (err error) {
	unlock, err := w.acquire()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if w.seen.count > 0 {
		return exists(w.path)
	}
	next, err := w.fill(all)
	if err == nil {
		err = w.commitHeader(next)
	}
	if err != nil {
		w.undo(next)
		w.abandon()
		return fmt.Errorf("%s: merging %d entries: %w", w.path, len(all), err)
	}
	w.seen, w.made, w.madeDetails = next, false, false
	return nil
}

// fill writes details and records and puts them on disk. What lay in the
// details was never committed.
func (w *Writer) fill(all []source) (header, error) {
	h := header{seq: w.seen.seq + 1}
	if err := w.details.Truncate(0); err != nil {
		return h, err
	}
	records := make([]byte, 0, readRecords*recordBytes)
	flush := func() error {
		_, err := w.f.WriteAt(records, headerBytes+h.count*recordBytes)
		h.count += int64(len(records) / recordBytes)
		records = records[:0]
		return err
	}
	for _, s := range all {
		b, err := s.bytes()
		if err != nil {
			return h, err
		}
		if _, err := w.details.WriteAt(b, h.details); err != nil {
			return h, err
		}
		s.offset = h.details
		h.details += s.size
		if records = append(records, s.encode()...); len(records) == cap(records) {
			if err := flush(); err != nil {
				return h, err
			}
		}
	}
	if err := flush(); err != nil {
		return h, err
	}
	if err := errors.Join(w.details.Sync(), w.f.Sync()); err != nil {
		return h, err
	}
	if err := w.cut(&h); err != nil {
		return h, err
	}
	w.extendColumn(&h)
	return h, nil
}

// commitHeader makes what was written count.
func (w *Writer) commitHeader(h header) error {
	if _, err := w.f.WriteAt(h.encode(), h.slot()); err != nil {
		return err
	}
	return w.f.Sync()
}
