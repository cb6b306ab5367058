package index

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/dense"
)

// Index is an open index. It shows what was committed when it was opened and
// is safe for concurrent use.
type Index struct {
	path    string
	files   files
	f       file // nil where there is no file
	details file
	header
	quarantined int
}

// Open reads an index and checks every record; a file that is not there is an
// empty index. Close it after use.
func Open(path string) (*Index, error) { return open(disk{}, path) }

func open(fs files, path string) (*Index, error) {
	x := &Index{path: path, files: fs}
	f, err := fs.open(path, os.O_RDONLY)
	if errors.Is(err, os.ErrNotExist) {
		return x, nil
	}
	if err != nil {
		return nil, err
	}
	x.f = f
	if x.header, err = readHeader(path, f); err == nil {
		x.quarantined, err = x.checked()
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

// checked verifies every record, on all processors, and counts those in
// quarantine.
func (x *Index) checked() (quarantined int, err error) {
	parts := runtime.GOMAXPROCS(0)
	found, errs := make([]int, parts), make([]error, parts)
	dense.Parallel(parts, func(w int) {
		errs[w] = x.each(x.count*int64(w)/int64(parts), x.count*int64(w+1)/int64(parts), func(_ int64, r *record) error {
			if r.flags&flagQuarantined != 0 {
				found[w]++
			}
			return nil
		})
	})
	for w := range parts {
		quarantined += found[w]
		err = cmp.Or(err, errs[w])
	}
	return quarantined, err
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

// readRecords is how many records are read at a time.
const readRecords = 256

// each reads and checks records [first, last) in order.
func (x *Index) each(first, last int64, visit func(i int64, r *record) error) error {
	buf := make([]byte, min(readRecords, last-first)*recordBytes)
	for i := first; i < last; {
		n := min(readRecords, last-i)
		part := buf[:n*recordBytes]
		if _, err := x.f.ReadAt(part, headerBytes+i*recordBytes); err != nil {
			return fmt.Errorf("%s: record %d: %w", x.path, i, err)
		}
		for ; len(part) > 0; part = part[recordBytes:] {
			r, err := decode(part[:recordBytes])
			if err == nil && r.offset+r.size > x.header.details {
				err = fmt.Errorf("%w: details end at %d of %d", ErrCorrupt, r.offset+r.size, x.header.details)
			}
			if err != nil {
				return fmt.Errorf("%s: record %d: %w", x.path, i, err)
			}
			if err := visit(i, &r); err != nil {
				return err
			}
			i++
		}
	}
	return nil
}

// Len is the number of entries.
func (x *Index) Len() int { return int(x.count) }

// Quarantined is how many entries hold nothing that can be tested. They are
// found by equal content only.
func (x *Index) Quarantined() int { return x.quarantined }

// Names lists the entries in the order in which they were added.
func (x *Index) Names() ([]string, error) {
	out := make([]string, 0, x.count)
	err := x.each(0, x.count, func(_ int64, r *record) error {
		out = append(out, r.name)
		return nil
	})
	return out, err
}

// Entry reads one entry with its details.
func (x *Index) Entry(i int) (Entry, error) {
	var e Entry
	err := x.each(int64(i), int64(i)+1, func(_ int64, r *record) (err error) {
		e, err = x.entry(r)
		return err
	})
	return e, err
}

// entry reads the details of a record.
func (x *Index) entry(r *record) (Entry, error) {
	p, err := fingerprint.Read(io.NewSectionReader(x.details, r.offset, r.size))
	if err != nil {
		return Entry{}, fmt.Errorf("%s: offset %d: %w", detailsOf(x.path), r.offset, err)
	}
	if contentOf(p) != r.root {
		return Entry{}, fmt.Errorf("%s: offset %d: %w: the details are of another model", detailsOf(x.path), r.offset, ErrCorrupt)
	}
	return Entry{r.name, p}, nil
}
