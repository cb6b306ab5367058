package index

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/dense"
)

// Index is an open index. It shows what was committed when it was opened and
// is safe for concurrent use.
type Index struct {
	path    string
	files   files
	f       file
	details file // nil where nothing was ever added
	header
	quarantined int
	bad         []Bad              // records that cannot be read
	dead        map[int64]struct{} // records that are no entries: bad, removed, and notes of removals
	live        []int64            // records that are entries; nil for all
}

// Open reads an index and checks every record. Records that cannot be read are
// left out and listed by Bad. An index that is not there is ErrMissing.
// Close it after use.
func Open(path string) (*Index, error) { return open(disk{}, path) }

func open(fs files, path string) (*Index, error) {
	path, err := fs.resolve(path)
	if err != nil {
		return nil, err
	}
	x := &Index{path: path, files: fs}
	x.f, err = fs.open(path, os.O_RDONLY)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w (%w)", path, ErrMissing, os.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	if x.header, err = readHeader(path, x.f); err == nil {
		err = x.sort()
	}
	if err == nil && x.count > 0 {
		x.details, err = fs.open(detailsOf(path), os.O_RDONLY)
	}
	if err != nil {
		x.Close()
		return nil, err
	}
	return x, nil
}

// sorted is what a look at some of the records found.
type sorted struct {
	bad         []Bad
	removals    []int64 // records that note a removal
	removed     []int64 // records that are removed
	quarantined []int64
	err         error
}

// sort verifies every record, on all processors, and tells entries from what
// is none.
func (x *Index) sort() error {
	parts := make([]sorted, runtime.GOMAXPROCS(0))
	n := int64(len(parts))
	dense.Parallel(len(parts), func(w int) {
		parts[w].err = x.each(x.count*int64(w)/n, x.count*int64(w+1)/n, parts[w].look)
	})
	x.dead = map[int64]struct{}{}
	var quarantined []int64
	for _, p := range parts {
		if p.err != nil {
			return p.err
		}
		x.bad = append(x.bad, p.bad...)
		quarantined = append(quarantined, p.quarantined...)
		for _, i := range slices.Concat(p.removals, p.removed) {
			x.dead[i] = struct{}{}
		}
	}
	x.bad = slices.DeleteFunc(x.bad, func(b Bad) bool { _, gone := x.dead[b.Number]; return gone })
	for _, b := range x.bad {
		x.dead[b.Number] = struct{}{}
	}
	for _, i := range quarantined {
		if _, gone := x.dead[i]; !gone {
			x.quarantined++
		}
	}
	if len(x.dead) > 0 {
		x.live = make([]int64, 0, max(0, x.count-int64(len(x.dead))))
		for i := range x.count {
			if _, gone := x.dead[i]; !gone {
				x.live = append(x.live, i)
			}
		}
	}
	return nil
}

func (s *sorted) look(i int64, r *record, bad error) error {
	switch {
	case bad != nil:
		s.bad = append(s.bad, Bad{i, "", bad})
	case r.flags&flagRemoval != 0:
		s.removals, s.removed = append(s.removals, i), append(s.removed, r.offset)
	case r.flags&flagQuarantined != 0:
		s.quarantined = append(s.quarantined, i)
	}
	return nil
}

func detailsOf(path string) string { return path + ".details" }

// Close releases the files.
func (x *Index) Close() error {
	var errs []error
	for _, f := range []file{x.f, x.details} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// Current tells whether the index still shows what is committed at its path.
func (x *Index) Current() (bool, error) {
	h, err := readHeader(x.path, x.f)
	return h == x.header && x.files.is(x.path, x.f), err
}

// readRecords is how many records are read at a time.
const readRecords = 256

// each reads records [first, last) in order. Of one that does not hold it tells
// what is wrong, and r is nil.
func (x *Index) each(first, last int64, visit func(i int64, r *record, bad error) error) error {
	buf := make([]byte, min(readRecords, last-first)*recordBytes)
	for i := first; i < last; {
		n := min(readRecords, last-i)
		part := buf[:n*recordBytes]
		if _, err := x.f.ReadAt(part, headerBytes+i*recordBytes); err != nil {
			return fmt.Errorf("%s: record %d: %w", x.path, i, err)
		}
		for ; len(part) > 0; part = part[recordBytes:] {
			if err := visitRecord(i, part[:recordBytes], x.header.details, visit); err != nil {
				return err
			}
			i++
		}
	}
	return nil
}

func visitRecord(i int64, b []byte, details int64, visit func(i int64, r *record, bad error) error) error {
	r, err := decode(b)
	switch {
	case err != nil:
	case r.flags&flagRemoval != 0 && r.offset >= i:
		err = fmt.Errorf("%w: the removal of a later record, %d", ErrCorrupt, r.offset)
	case r.flags&flagRemoval == 0 && (r.size > details || r.offset > details-r.size):
		err = fmt.Errorf("%w: details of %d bytes at %d, of %d", ErrCorrupt, r.size, r.offset, details)
	}
	if err != nil {
		return visit(i, nil, err)
	}
	return visit(i, &r, nil)
}

// Len is the number of entries.
func (x *Index) Len() int {
	if x.live != nil {
		return len(x.live)
	}
	return int(x.count)
}

// Number is that of the record which holds an entry.
func (x *Index) Number(entry int) int64 {
	if x.live != nil {
		return x.live[entry]
	}
	return int64(entry)
}

// Quarantined is how many entries hold nothing that can be tested. They are
// found by equal content only.
func (x *Index) Quarantined() int { return x.quarantined }

// Bad lists the records that cannot be read, by number. Nothing is known of
// their names.
func (x *Index) Bad() []Bad { return slices.Clone(x.bad) }

// Names lists the entries in the order in which they were added.
func (x *Index) Names() ([]string, error) {
	out := make([]string, 0, x.Len())
	err := x.entries(func(_ int64, r *record) error {
		out = append(out, r.name)
		return nil
	})
	return out, err
}

// entries reads the records of all entries.
func (x *Index) entries(visit func(i int64, r *record) error) error {
	return x.each(0, x.count, func(i int64, r *record, bad error) error {
		if _, gone := x.dead[i]; gone {
			return nil
		}
		if bad != nil { // it was whole when the index was opened
			return fmt.Errorf("%s: record %d: %w", x.path, i, bad)
		}
		return visit(i, r)
	})
}

// Entry reads one entry with its details; the first is 0.
func (x *Index) Entry(i int) (Entry, error) { return x.At(context.Background(), x.Number(i)) }

// At reads the entry that a record holds.
func (x *Index) At(_ context.Context, number int64) (e Entry, err error) {
	err = x.each(number, number+1, func(i int64, r *record, bad error) error {
		if bad != nil {
			return fmt.Errorf("%s: record %d: %w", x.path, i, bad)
		}
		e.Name = r.name // also of details that cannot be read
		e, err = x.entry(r)
		return err
	})
	return e, err
}

// entry reads the details of a record.
func (x *Index) entry(r *record) (Entry, error) {
	p, err := fingerprint.Read(io.NewSectionReader(x.details, r.offset, r.size))
	if err != nil {
		return Entry{Name: r.name}, fmt.Errorf("%s: offset %d: %w", detailsOf(x.path), r.offset, err)
	}
	if ContentOf(p) != r.root {
		return Entry{Name: r.name}, fmt.Errorf("%s: offset %d: %w: the details are of another model", detailsOf(x.path), r.offset, ErrCorrupt)
	}
	return Entry{r.name, p}, nil
}
