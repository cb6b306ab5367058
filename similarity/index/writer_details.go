package index

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/weightprint/weightprint/fingerprint"
)

func (w *Writer) lookAtDetails(h header, err error) error {
	if err != nil {
		return err
	}
	w.details, err = w.files.open(detailsOf(w.path), os.O_RDWR)
	switch {
	case err == nil:
		return errors.Join(w.soundDetails(h), w.leaveDetails()) // opened again with the right to write
	case errors.Is(err, os.ErrNotExist) && h.details == 0:
		w.details = nil
		return nil
	}
	w.details = nil
	return missingDetails(w.path, err)
}

// openDetails opens the details, which hold at least what is committed, and
// before the first commit nothing that another program wrote.
func (w *Writer) openDetails(h header) (err error) {
	name := detailsOf(w.path)
	if w.details == nil {
		w.details, err = w.files.open(name, os.O_RDWR)
		if errors.Is(err, os.ErrNotExist) && h.details == 0 {
			w.details, err = w.files.open(name, os.O_RDWR|os.O_CREATE)
			w.madeDetails = err == nil
		}
		if err != nil {
			w.details = nil
			return missingDetails(w.path, err)
		}
		if err := w.files.syncDir(w.path); err != nil {
			return err
		}
	}
	return w.soundDetails(h)
}

func (w *Writer) soundDetails(h header) error {
	name := detailsOf(w.path)
	size, err := w.details.size()
	if err != nil {
		return err
	}
	if size < h.details {
		return fmt.Errorf("%s: %w: %d bytes are committed, the file has %d", name, ErrCorrupt, h.details, size)
	}
	if h.details > 0 || size == 0 {
		return nil
	}
	return w.ownDetails(name, size)
}

// ownDetails requires that details of which nothing is committed begin as a
// killed writer may have left them.
func (w *Writer) ownDetails(name string, size int64) error {
	b := make([]byte, min(size, int64(len(fingerprint.Magic))))
	if _, err := w.details.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for i, x := range b {
		if x != 0 && x != fingerprint.Magic[i] {
			return fmt.Errorf("%s: it stands where the details of the index would: %w", name, ErrForeign)
		}
	}
	return nil
}

// leaveDetails closes the details.
func (w *Writer) leaveDetails() error {
	err := w.details.Close()
	w.details = nil
	return err
}
