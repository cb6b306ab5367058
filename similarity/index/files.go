package index

import (
	"io"
	"os"
	"path/filepath"
)

// files is the part of the file system that an index uses; tests put a failing
// one in its place.
type files interface {
	open(name string, flag int) (file, error)
	rename(from, to string) error
	remove(name string) error
	syncDir(name string) error // the folder that holds name
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
	f, err := os.OpenFile(name, flag, 0o644)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (disk) rename(from, to string) error { return os.Rename(from, to) }
func (disk) remove(name string) error     { return os.Remove(name) }

// syncDir makes a new name durable. Systems that cannot sync a folder need
// not.
func (disk) syncDir(name string) error {
	d, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer d.Close()
	return ignoreUnsupported(d.Sync())
}

type osFile struct{ *os.File }

func (f osFile) size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (f osFile) lock() (func() error, error) { return lock(f.File) }
