package index

import (
	"errors"
	"fmt"
	"slices"
)

// ErrNoEntry is returned for an entry to be removed that is not there.
var ErrNoEntry = errors.New("no such entry")

// Remove takes all entries of the given names, and the records of the given
// numbers, out of the index at path, and returns how many that were. Either all
// are removed or none; a name or number that is not there is ErrNoEntry.
//
// Nothing is overwritten: a removal is a record of its own, so that readers
// and a killed writer always see a whole index. Merge leaves out what is removed.
func Remove(path string, names []string, numbers []int64) (int, error) {
	return remove(disk{}, path, names, numbers)
}

func remove(fs files, path string, names []string, numbers []int64) (n int, err error) {
	x, err := open(fs, path) // must be there
	if err != nil {
		return 0, err
	}
	if err := x.Close(); err != nil {
		return 0, err
	}
	w, err := openWriter(fs, path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	return w.remove(names, numbers)
}

func (w *Writer) remove(names []string, numbers []int64) (n int, err error) {
	unlock, err := w.acquire()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	x := &Index{path: w.path, files: w.files, f: w.f, details: w.details, header: w.seen}
	if err := x.verify(); err != nil {
		return 0, err
	}
	gone, err := x.find(names, numbers)
	if err != nil {
		return 0, err
	}
	var fixed []byte
	for i := range gone {
		fixed = append(fixed, gone[i].encode()...)
	}
	next := header{seq: w.seen.seq + 1, count: w.seen.count + int64(len(gone)), details: w.seen.details}
	if err := w.append(next, fixed, nil); err != nil {
		return 0, fmt.Errorf("%s: removing %d entries: %w", w.path, len(gone), err)
	}
	for i := range gone {
		w.note(&gone[i])
	}
	return len(gone), nil
}

// find makes the notes that remove entries.
func (x *Index) find(names []string, numbers []int64) (gone []record, err error) {
	found := map[string]bool{}
	err = x.entries(func(i int64, r *record) error {
		named := slices.Contains(names, r.name)
		if named || slices.Contains(numbers, i) {
			gone = append(gone, record{name: r.name, root: r.root, offset: i, flags: flagRemoval})
			found[r.name] = found[r.name] || named
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, b := range x.Bad() {
		if slices.Contains(numbers, b.Number) {
			gone = append(gone, record{offset: b.Number, flags: flagRemoval})
		}
	}
	for _, name := range names {
		if !found[name] {
			return nil, fmt.Errorf("%s: %q: %w", x.path, name, ErrNoEntry)
		}
	}
	for _, n := range numbers {
		if !slices.ContainsFunc(gone, func(r record) bool { return r.offset == n }) {
			return nil, fmt.Errorf("%s: number %d: %w", x.path, n, ErrNoEntry)
		}
	}
	return gone, nil
}
