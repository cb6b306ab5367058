package index

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/weightprint/weightprint/fingerprint"
)

// Writer adds to an index. Several writers, in one program or many, may be
// open at a time; each Add waits for the others'. A Writer itself is for one
// goroutine.
type Writer struct {
	path    string
	files   files
	f       file
	details file
	seen    header              // of the records that known and first cover
	known   map[string]struct{} // root and name
	first   map[fingerprint.Digest]string
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
	w := &Writer{path: path, files: fs, known: map[string]struct{}{}, first: map[fingerprint.Digest]string{}}
	var err error
	if w.f, err = fs.open(path, os.O_RDWR|os.O_CREATE); err != nil {
		return nil, err
	}
	if w.details, err = fs.open(detailsOf(path), os.O_RDWR|os.O_CREATE); err == nil {
		err = fs.syncDir(path)
	}
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// Close releases the files. Nothing is left to be written.
func (w *Writer) Close() error {
	errs := []error{w.f.Close()}
	if w.details != nil {
		errs = append(errs, w.details.Close())
	}
	return errors.Join(errs...)
}

// Add commits entries; see the function Add.
func (w *Writer) Add(entries ...Entry) (a Added, err error) {
	for _, e := range entries {
		if e.Name == "" || len(e.Name) > maxNameBytes {
			return a, fmt.Errorf("%q: %w", e.Name, ErrName)
		}
	}
	unlock, err := w.f.lock()
	if err != nil {
		return a, fmt.Errorf("%s: lock: %w", w.path, err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if err := w.refresh(); err != nil {
		return a, err
	}
	b := batch{end: w.seen.details, known: map[string]struct{}{}, first: map[fingerprint.Digest]string{}}
	for _, e := range entries {
		if err := b.take(w, e); err != nil {
			return Added{}, err
		}
	}
	if len(b.records) == 0 {
		return b.Added, nil
	}
	next := header{w.seen.seq + 1, w.seen.count + int64(len(b.records)), b.end}
	if err := w.commit(next, b.fixed.Bytes(), b.details.Bytes()); err != nil {
		w.undo()
		return Added{}, fmt.Errorf("%s: adding %d entries, %d bytes in all: %w", w.path, len(b.records), b.fixed.Len()+b.details.Len(), err)
	}
	for i := range b.records {
		w.note(&b.records[i])
	}
	w.seen = next
	return b.Added, nil
}

// batch is what one Add appends.
type batch struct {
	Added
	fixed, details bytes.Buffer
	end            int64 // of the details, in the file
	records        []record
	known          map[string]struct{}
	first          map[fingerprint.Digest]string
}

// take appends an entry that is not there yet.
func (b *batch) take(w *Writer, e Entry) error {
	r := summarise(e)
	if _, ok := w.known[r.key()]; ok {
		b.Known++
		return nil
	}
	if _, ok := b.known[r.key()]; ok {
		b.Known++
		return nil
	}
	n, err := e.Fingerprint.WriteTo(&b.details)
	if err != nil {
		return err
	}
	if n > fingerprint.MaxFileBytes {
		return fmt.Errorf("%q: a fingerprint of %d bytes, more than %d", e.Name, n, fingerprint.MaxFileBytes)
	}
	of, copied := w.first[r.root]
	if !copied {
		of, copied = b.first[r.root]
	}
	if copied && r.flags&flagComplete != 0 {
		b.Copies = append(b.Copies, Copy{r.name, of})
	}
	if !copied {
		b.first[r.root] = r.name
	}
	b.known[r.key()] = struct{}{}
	r.offset, r.size = b.end, n
	b.end += n
	b.fixed.Write(r.encode())
	b.records = append(b.records, r)
	b.New++
	return nil
}

// key is what an entry must not share with another.
func (r *record) key() string { return string(r.root[:]) + r.name }

func (w *Writer) note(r *record) {
	w.known[r.key()] = struct{}{}
	if _, ok := w.first[r.root]; !ok {
		w.first[r.root] = r.name
	}
}

// refresh reads what others committed since.
func (w *Writer) refresh() error {
	h, err := readHeader(w.path, w.f)
	if err != nil {
		return err
	}
	if h.count < w.seen.count {
		return fmt.Errorf("%s: %w: it has become shorter", w.path, ErrCorrupt)
	}
	x := &Index{path: w.path, f: w.f, header: h}
	err = x.each(w.seen.count, h.count, func(_ int64, r *record) error {
		w.note(r)
		return nil
	})
	if err != nil {
		return err
	}
	if h.seq == 0 {
		h.seq = 1
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
func (w *Writer) commit(h header, fixed, details []byte) error {
	for _, step := range []struct {
		f  file
		b  []byte
		at int64
	}{
		{w.details, details, w.seen.details},
		{w.f, fixed, headerBytes + w.seen.count*recordBytes},
		{w.f, h.encode(), h.slot()},
	} {
		if _, err := step.f.WriteAt(step.b, step.at); err != nil {
			return err
		}
		if err := step.f.Sync(); err != nil {
			return err
		}
	}
	return nil
}

// undo gives the room of a failed commit back, where that is possible. If the
// header cannot be read the files are left as they are: what is not committed
// is not read.
func (w *Writer) undo() {
	h, err := readHeader(w.path, w.f)
	if err != nil || h != w.seen {
		return
	}
	_ = w.details.Truncate(h.details)
	_ = w.f.Truncate(headerBytes + h.count*recordBytes)
}
