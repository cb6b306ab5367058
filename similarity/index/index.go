package index

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/weightprint/weightprint/fingerprint"
)

// Index is an open index. It shows what was committed when it was opened and
// is safe for concurrent use.
type Index struct {
	path    string
	files   files
	f       file
	details file            // nil where nothing was ever added
	column  *column         // nil where keys are made from the records
	kept    *keptBlocks     // keys and records in memory, if any are to be kept
	seen    []atomic.Uint32 // of each record whether its digest was looked at; nil: not noted
	header
	contents  atomic.Pointer[contents]
	verifying sync.Mutex
	verified  bool // contents are of all records
}

// Open opens an index. Blocks of it are verified when they are first looked at; of
// an index without a column of keys every record is read now. Records that cannot
// be read are left out and listed by Bad. An index that is not there is ErrMissing,
// a file that holds nothing ErrEmpty.
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
	x.header, err = readHeader(path, x.f)
	if err == nil && x.seq == 0 {
		err = fmt.Errorf("%s: %w", path, ErrEmpty)
	}
	if err == nil {
		x.column = openColumn(fs, path, x.header)
		err = x.begin()
	}
	if err == nil && x.count > 0 {
		x.details, err = fs.open(detailsOf(path), os.O_RDONLY)
		err = missingDetails(path, err)
	}
	if err != nil {
		x.Close()
		return nil, err
	}
	return x, nil
}

// begin finds out which records are entries.
func (x *Index) begin() error {
	if x.column == nil {
		return x.verify()
	}
	c, err := x.fromColumn()
	if err == nil {
		x.contents.Store(c)
	}
	return err
}

func detailsOf(path string) string { return path + ".details" }

// missingDetails says of an error that it is the details that are missing, if so.
func missingDetails(path string, err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s: %w (%w)", detailsOf(path), ErrDetails, os.ErrNotExist)
	}
	return err
}

// Close releases the files.
func (x *Index) Close() error {
	var errs []error
	for _, f := range []file{x.f, x.details} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	if x.column != nil {
		errs = append(errs, x.column.f.Close())
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
func (x *Index) Len() int { return int(x.count) - len(x.contents.Load().deadSorted) }

// Number is that of the record which holds an entry.
func (x *Index) Number(entry int) int64 { return x.contents.Load().number(int64(entry)) }

// Quarantined is how many entries hold nothing that can be tested. They are
// found by equal content only.
func (x *Index) Quarantined() int { return x.contents.Load().quarantined }

// Bad lists the records that cannot be read, by number, as far as that is known:
// Names and Check read all of them. Nothing is known of their names.
func (x *Index) Bad() []Bad { return slices.Clone(x.contents.Load().bad) }

// Names lists the entries in the order in which they were added.
func (x *Index) Names() ([]string, error) {
	if err := x.verify(); err != nil {
		return nil, err
	}
	out := make([]string, 0, x.Len())
	err := x.entries(func(_ int64, r *record) error {
		out = append(out, r.name)
		return nil
	})
	return out, err
}

// entries reads the records of all entries.
func (x *Index) entries(visit func(i int64, r *record) error) error {
	dead := x.contents.Load().dead
	return x.each(0, x.count, func(i int64, r *record, bad error) error {
		if _, gone := dead[i]; gone {
			return nil
		}
		if bad != nil { // it was whole when it was verified
			return fmt.Errorf("%s: record %d: %w", x.path, i, bad)
		}
		return visit(i, r)
	})
}

// Entry reads one entry with its details; the first is 0.
func (x *Index) Entry(i int) (Entry, error) { return x.At(context.Background(), x.Number(i)) }

// At reads the entry that a record holds.
func (x *Index) At(_ context.Context, number int64) (e Entry, err error) {
	if b := x.wholeRecord(number, x.kept.records(number/blockSize)); b != nil {
		r, err := parse(b)
		if err != nil {
			return e, fmt.Errorf("%s: record %d: %w", x.path, number, err)
		}
		return x.entry(&r)
	}
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

// rooms for details are kept; what is decoded holds none of these bytes.
var rooms = sync.Pool{New: func() any { return new([]byte) }}

// entry reads the details of a record.
func (x *Index) entry(r *record) (Entry, error) {
	room := rooms.Get().(*[]byte)
	defer rooms.Put(room)
	*room = slices.Grow((*room)[:0], int(r.size)) // at most fingerprint.MaxFileBytes; see decode
	b := (*room)[:r.size]
	_, err := x.details.ReadAt(b, r.offset)
	var p *fingerprint.Fingerprint
	if err == nil {
		p, err = fingerprint.Decode(b)
	}
	if err != nil {
		return Entry{Name: r.name}, fmt.Errorf("%s: offset %d: %w", detailsOf(x.path), r.offset, err)
	}
	if contentOf(p, b) != r.root {
		return Entry{Name: r.name}, fmt.Errorf("%s: offset %d: %w: the details are of another model", detailsOf(x.path), r.offset, ErrCorrupt)
	}
	return Entry{r.name, p}, nil
}
