package index

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/weightprint/weightprint/internal/outfile"
)

// files is the part of the file system that an index uses; tests put a failing
// one in its place.
type files interface {
	open(name string, flag int) (file, error)
	remove(name string) error
	probe(name string) error             // the folder that holds name can be written to
	syncDir(name string) error           // the folder that holds name
	is(name string, f file) bool         // f is what stands at name
	resolve(name string) (string, error) // without symbolic links, so that FILE and FILE.details stay together
}

// file is an open file.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	Sync() error
	size() (int64, error)
	lock() (unlock func() error, err error)
}

// disk is the real file system.
type disk struct{}

func (disk) open(name string, flag int) (file, error) {
	f, err := outfile.OpenFile(name, flag, 0o666)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (disk) remove(name string) error  { return os.Remove(name) }
func (disk) probe(name string) error   { return outfile.Probe(name) }
func (disk) syncDir(name string) error { return outfile.SyncFolder(name) }

func (disk) is(name string, f file) bool {
	there, err := os.Stat(name)
	if err != nil {
		return false
	}
	here, err := f.(osFile).Stat()
	return err == nil && os.SameFile(there, here)
}

// resolve names what a chain of links ends in; a name at which nothing stands is
// itself. Other writers may make and remove the file between two looks at it, so
// only a link that leads nowhere is an error.
func (disk) resolve(name string) (string, error) {
	for {
		path, err := filepath.EvalSymlinks(name)
		if !errors.Is(err, fs.ErrNotExist) {
			return path, err
		}
		info, missing := os.Lstat(name)
		if errors.Is(missing, fs.ErrNotExist) {
			return name, nil
		}
		if missing != nil || info.Mode()&fs.ModeSymlink != 0 {
			return "", err
		}
	}
}

type osFile struct{ *outfile.File }

func (f osFile) size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (f osFile) lock() (func() error, error) { return outfile.Lock(f.File) }
