package source

import (
	"container/list"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/saferio"
)

// Files opens files and keeps at most a number of them open at a time, so
// that a checkpoint of a thousand shards needs few descriptors. It is safe
// for concurrent use.
type Files struct {
	mu   sync.Mutex
	most int
	open *list.List // of *File, most recently used first
}

// maxOpen is how many files a Files keeps open unless told otherwise, where the
// system allows a process so many.
const maxOpen = 64

// reserved is how many descriptors are left to the rest of the process.
const reserved = 32

// NewFiles returns a Files that keeps at most n files open; for n ≤ 0 it is 64,
// or a quarter of what the system leaves where that is less: a comparison opens
// several checkpoints.
func NewFiles(n int) *Files {
	if n <= 0 {
		n = min(maxOpen, max(1, (descriptors()-reserved)/4))
	}
	return &Files{most: n, open: list.New()}
}

// File is a regular file. Between reads it may be closed; when it is opened
// again it must be the same file, unchanged.
type File struct {
	files *Files
	path  string // for opening
	label string // for errors
	info  fs.FileInfo
	id    Identity

	f    *os.File      // nil when closed; guarded by files.mu
	busy int           // reads under way
	elem *list.Element // in files.open
	gone bool          // closed for good
}

// Open opens the regular file at path without blocking; pipes, devices,
// sockets and folders are refused at once. label names it in errors.
func (s *Files) Open(path, label string) (*File, error) {
	f, info, err := openRegular(path, label)
	if err != nil {
		return nil, err
	}
	x := &File{files: s, path: path, label: label, info: info, f: f}
	s.mu.Lock()
	defer s.mu.Unlock()
	x.elem = s.open.PushFront(x)
	s.shrink()
	return x, nil
}

// openRegular opens and checks before anything is read.
func openRegular(path, label string) (*os.File, fs.FileInfo, error) {
	f, info, err := saferio.Open(path)
	var other *saferio.NotRegularError
	switch {
	case errors.As(err, &other):
		return nil, nil, tensor.Errorf(tensor.ErrNotModel, label, -1, "file", "%s", other.What())
	case err != nil:
		return nil, nil, tensor.Errorf(err, label, -1, "file", "cannot be opened: %v", cause(err))
	}
	return f, info, nil
}

// cause strips the path that os puts into its errors: the label names it.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// shrink closes idle files, the longest unused first. The caller holds mu.
func (s *Files) shrink() {
	for e := s.open.Back(); e != nil && s.open.Len() > s.most; {
		x, before := e.Value.(*File), e.Prev()
		if x.busy == 0 {
			x.f.Close()
			x.f = nil
			s.open.Remove(e)
		}
		e = before
	}
}

// acquire makes sure the file is open and keeps it so until release.
func (x *File) acquire() (*os.File, error) {
	s := x.files
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.gone {
		return nil, fs.ErrClosed
	}
	if x.f == nil {
		f, info, err := openRegular(x.path, x.label)
		if err != nil {
			return nil, err
		}
		if err := x.same(info); err != nil {
			f.Close()
			return nil, err
		}
		x.f = f
		x.elem = s.open.PushFront(x)
	} else {
		s.open.MoveToFront(x.elem)
	}
	x.busy++
	s.shrink()
	return x.f, nil
}

func (x *File) release() {
	x.files.mu.Lock()
	defer x.files.mu.Unlock()
	x.busy--
}

// same requires that the file is still the one that was opened.
func (x *File) same(now fs.FileInfo) error {
	switch {
	case !os.SameFile(x.info, now):
		return tensor.Errorf(tensor.ErrChanged, x.label, -1, "file", "another file has taken its place while it was being read")
	case now.Size() != x.info.Size():
		return tensor.Errorf(tensor.ErrChanged, x.label, -1, "file", "changed while being read: %d -> %d bytes", x.info.Size(), now.Size())
	case !now.ModTime().Equal(x.info.ModTime()):
		return tensor.Errorf(tensor.ErrChanged, x.label, -1, "file", "changed while being read")
	}
	return nil
}

// ReadAt reads from the file. Bytes that were there when it was opened and
// are no longer give tensor.ErrChanged.
func (x *File) ReadAt(p []byte, off int64) (int, error) {
	f, err := x.acquire()
	if err != nil {
		return 0, err
	}
	defer x.release()
	n, err := f.ReadAt(p, off)
	if errors.Is(err, io.EOF) && off+int64(len(p)) <= x.info.Size() {
		if info, statErr := f.Stat(); statErr == nil {
			if changed := x.same(info); changed != nil {
				return n, changed
			}
		}
		return n, tensor.Errorf(tensor.ErrChanged, x.label, off+int64(n), "file", "it ends here while being read")
	}
	return n, err
}

// Verify requires that the file is unchanged since it was opened.
func (x *File) Verify() error {
	f, err := x.acquire()
	if err != nil {
		return err
	}
	defer x.release()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := x.same(info); err != nil {
		return err
	}
	if info, err = os.Stat(x.path); err != nil {
		return tensor.Errorf(tensor.ErrChanged, x.label, -1, "file", "removed while being read")
	}
	return x.same(info)
}

// Identity is what the store that the file lies in calls its content.
func (x *File) Identity() Identity { return x.id }

// Size is the size when the file was opened.
func (x *File) Size() int64 { return x.info.Size() }

// Close closes the file for good.
func (x *File) Close() error {
	s := x.files
	s.mu.Lock()
	defer s.mu.Unlock()
	x.gone = true
	if x.f == nil {
		return nil
	}
	s.open.Remove(x.elem)
	err := x.f.Close()
	x.f = nil
	return err
}
