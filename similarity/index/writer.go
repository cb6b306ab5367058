package index

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
)

// Writer adds to an index. Several writers, in one program or many, may be
// open at a time; each Add waits for the others'. A Writer itself is for one
// goroutine.
type Writer struct {
	path        string
	files       files
	f           file                // nil until there is something to write
	details     file                // the same
	made        bool                // the index was made here and holds nothing yet
	madeDetails bool                // the same of the details
	seen        header              // of the records that known and first cover
	known       map[string]struct{} // root and name
	first       map[fingerprint.Digest]string
	heads       []head                          // of the column of keys, where they are known
	copies      map[fingerprint.Digest][]string // further names of the same content, in order
}

// Added says what became of entries.
type Added struct {
	New    int    // entries that were appended
	Known  int    // entries whose name and content are there already
	Copies []Copy // new names of content that is there under another
}

// Copy is an entry with the values of one before it.
type Copy struct{ Name, Of string }

// Add appends entries to the index at path, which is made if it is not there.
// Either all of them are committed or none.
func Add(path string, entries ...Entry) (Added, error) {
	w, err := OpenWriter(path)
	if err != nil {
		return Added{}, err
	}
	a, err := w.Add(entries...)
	return a, errors.Join(err, w.Close())
}

// OpenWriter opens an index for adding.
func OpenWriter(path string) (*Writer, error) { return openWriter(disk{}, path) }

func openWriter(fs files, path string) (*Writer, error) {
	path, err := fs.resolve(path)
	if err != nil {
		return nil, err
	}
	w := &Writer{path: path, files: fs}
	w.forget()
	if err := w.look(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// look finds out before any work is done whether the index can be written.
// Nothing is made yet.
func (w *Writer) look() (err error) {
	if w.f, err = w.files.open(w.path, os.O_RDWR); err != nil {
		if w.f = nil; !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return w.lookAtDetails(header{}, w.files.probe(w.path))
	}
	h, err := readHeader(w.path, w.f)
	return w.lookAtDetails(h, err)
}

// forget drops what was read of a file that is there no longer.
func (w *Writer) forget() {
	w.f, w.details, w.made, w.madeDetails, w.seen, w.heads = nil, nil, false, false, header{}, nil
	w.known, w.first = map[string]struct{}{}, map[fingerprint.Digest]string{}
	w.copies = map[fingerprint.Digest][]string{}
}

// Close releases the files. Nothing is left to be written.
func (w *Writer) Close() error {
	var errs []error
	for _, f := range []file{w.f, w.details} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	w.forget()
	return errors.Join(errs...)
}

// acquire takes the only right to write and reads what others committed since.
// Who waits for the right to a file that another writer gave up and removed
// begins again with the one that stands there now.
func (w *Writer) acquire() (unlock func() error, err error) {
	for {
		if err := w.openIndex(); err != nil {
			return nil, err
		}
		unlock, err := w.f.lock()
		if err != nil {
			return nil, fmt.Errorf("%s: lock: %w", w.path, err)
		}
		if w.files.is(w.path, w.f) {
			if err = w.refresh(); err == nil {
				return unlock, nil
			}
			w.abandon()
			return nil, errors.Join(err, unlock())
		}
		if err := errors.Join(unlock(), w.Close()); err != nil {
			return nil, err
		}
	}
}

// openIndex opens the index, or makes it.
func (w *Writer) openIndex() (err error) {
	if w.f != nil {
		return nil
	}
	w.f, err = w.files.open(w.path, os.O_RDWR)
	if errors.Is(err, os.ErrNotExist) {
		if w.f, err = w.files.open(w.path, os.O_RDWR|os.O_CREATE|os.O_EXCL); errors.Is(err, os.ErrExist) {
			w.f, err = w.files.open(w.path, os.O_RDWR)
		} else {
			w.made = err == nil
		}
	}
	if err != nil {
		w.f = nil
	}
	return err
}

// abandon removes files that were made here and that nothing was committed to.
// It is called with the right to write.
func (w *Writer) abandon() {
	if !w.made {
		return
	}
	if h, err := readHeader(w.path, w.f); err != nil || h.count > 0 || h.seq > nothing.seq {
		return
	}
	if w.madeDetails {
		_ = w.files.remove(detailsOf(w.path))
	}
	_ = w.files.remove(w.path)
}

// Add commits entries; see the function Add.
func (w *Writer) Add(entries ...Entry) (a Added, err error) {
	for _, e := range entries {
		if e.Name == "" || len(e.Name) > MaxNameBytes {
			return a, fmt.Errorf("%q: %w", e.Name, ErrName)
		}
	}
	if len(entries) == 0 {
		return a, nil
	}
	ready, err := prepare(entries)
	if err != nil {
		return a, err
	}
	unlock, err := w.acquire()
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	b := batch{end: w.seen.details, known: map[string]struct{}{}, first: map[fingerprint.Digest]string{}}
	for i := range ready {
		b.take(w, &ready[i])
	}
	if len(b.records) == 0 {
		return b.Added, nil
	}
	next := header{seq: w.seen.seq + 1, count: w.seen.count + int64(len(b.records)), details: b.end}
	if err := w.append(next, b.fixed.Bytes(), b.details.Bytes()); err != nil {
		return Added{}, fmt.Errorf("%s: adding %d entries, %d bytes in all: %w", w.path, len(b.records), b.fixed.Len()+b.details.Len(), err)
	}
	for i := range b.records {
		w.note(&b.records[i])
	}
	return b.Added, nil
}

// append commits records and details, or takes back what it can.
func (w *Writer) append(next header, fixed, details []byte) error {
	if err := w.commit(&next, fixed, details); err != nil {
		w.undo(next)
		w.abandon()
		return err
	}
	w.seen, w.made, w.madeDetails = next, false, false
	return nil
}

// note keeps in mind what was committed.
func (w *Writer) note(r *record) {
	if r.flags&flagRemoval != 0 {
		delete(w.known, r.key())
		w.drop(r.root, r.name)
		return
	}
	w.known[r.key()] = struct{}{}
	if _, ok := w.first[r.root]; !ok {
		w.first[r.root] = r.name
	} else {
		w.copies[r.root] = append(w.copies[r.root], r.name)
	}
}

// drop forgets a name of some content; the next one becomes the first.
func (w *Writer) drop(root fingerprint.Digest, name string) {
	copies := w.copies[root]
	switch {
	case w.first[root] != name:
		w.copies[root] = slices.DeleteFunc(copies, func(c string) bool { return c == name })
	case len(copies) > 0:
		w.first[root], w.copies[root] = copies[0], copies[1:]
	default:
		delete(w.first, root)
	}
}

// refresh reads what others committed since. Records that cannot be read are
// nothing to it; an index without details is not gone on with.
func (w *Writer) refresh() error {
	h, err := readHeader(w.path, w.f)
	if err != nil {
		return err
	}
	if h.count < w.seen.count || h.seq < w.seen.seq {
		return fmt.Errorf("%s: %w: it has become shorter", w.path, ErrCorrupt)
	}
	if err := w.openDetails(h); err != nil {
		return err
	}
	x := &Index{path: w.path, f: w.f, header: h}
	err = x.each(w.seen.count, h.count, func(_ int64, r *record, _ error) error {
		if r != nil {
			w.note(r)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if h.seq == 0 {
		h = nothing
		err = w.begin(h)
	}
	if err == nil {
		w.seen = h
	}
	return err
}

// begin writes the first header. Whatever lies in the file was never
// committed.
func (w *Writer) begin(h header) error {
	if err := w.f.Truncate(0); err != nil {
		return err
	}
	if err := w.f.Truncate(headerBytes); err != nil {
		return err
	}
	if _, err := w.f.WriteAt(h.encode(), h.slot()); err != nil {
		return fmt.Errorf("%s: beginning an index: %w", w.path, err)
	}
	return w.f.Sync()
}

// commit writes details and records, then the header that counts them; each
// is on disk before the next.
func (w *Writer) commit(h *header, fixed, details []byte) error {
	if err := put(w.details, details, w.seen.details); err != nil {
		return err
	}
	if err := put(w.f, fixed, headerBytes+w.seen.count*recordBytes); err != nil {
		return err
	}
	if err := w.cut(h); err != nil {
		return err
	}
	w.extendColumn(h)
	return put(w.f, h.encode(), h.slot())
}

// cut takes away what a stopped writer left behind the records of a commit, so that
// nothing there is taken for a commit that was lost.
func (w *Writer) cut(h *header) error {
	end := headerBytes + h.count*recordBytes
	if size, err := w.f.size(); err != nil || size <= end {
		return err
	}
	return w.f.Truncate(end)
}

// put writes bytes and waits until they are on disk.
func put(f file, b []byte, at int64) error {
	if _, err := f.WriteAt(b, at); err != nil {
		return err
	}
	return f.Sync()
}

// undo takes a commit back that may have failed in its very last step, and gives
// its room back, where that is possible. If the header cannot be read the files
// are left as they are: what is not committed is not read.
func (w *Writer) undo(next header) {
	h, err := readHeader(w.path, w.f)
	if err == nil && h == next {
		_, _ = w.f.WriteAt(make([]byte, slotBytes), next.slot())
		_ = w.f.Sync()
		h, err = readHeader(w.path, w.f)
	}
	if err != nil || h != w.seen {
		return
	}
	_ = w.details.Truncate(h.details)
	_ = w.f.Truncate(headerBytes + h.count*recordBytes)
}
