package outfile

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
)

// fault is asked before every call that changes the file system.
var fault atomic.Pointer[func(op, name string) error]

// Inject makes calls fail for tests: what f returns for a call is its error,
// and the call is not made. Calls are create, write, truncate, chmod, sync,
// close of what was written to, rename and sync-folder; those that only clean up
// never fail.
func Inject(f func(op, name string) error) (restore func()) {
	before := fault.Swap(&f)
	return func() { fault.Store(before) }
}

func failing(op, name string) error {
	f := fault.Load()
	if f == nil {
		return nil
	}
	if err := (*f)(op, name); err != nil {
		return &fs.PathError{Op: op, Path: name, Err: err}
	}
	return nil
}

// File is an open regular file.
type File struct {
	*os.File
	writes bool         // it is not only read from
	unlock func() error // nil where it is not locked for as long as it is open
}

// OpenFile opens a regular file as os.OpenFile does, without waiting for
// whoever is at the other end of a pipe. Folders, pipes, devices and sockets
// are refused.
func OpenFile(name string, flag int, mode fs.FileMode) (*File, error) {
	if flag&os.O_CREATE != 0 {
		if err := failing("create", name); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(name, flag|nonblock, mode)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = regular(info)
	}
	if err != nil {
		f.Close() // nothing was written
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &File{File: f, writes: flag&(os.O_WRONLY|os.O_RDWR) != 0}, nil
}

// ErrNotRegular is returned for what is no regular file.
var ErrNotRegular = errors.New("not a regular file")

func regular(info fs.FileInfo) error {
	if info.Mode().IsRegular() {
		return nil
	}
	return fmt.Errorf("%s, %w", kindOf(info.Mode()), ErrNotRegular)
}

func kindOf(m fs.FileMode) string {
	for _, k := range []struct {
		bit  fs.FileMode
		name string
	}{{fs.ModeDir, "a folder"}, {fs.ModeNamedPipe, "a pipe"}, {fs.ModeSocket, "a socket"}, {fs.ModeDevice, "a device"}} {
		if m&k.bit != 0 {
			return k.name
		}
	}
	return "something else"
}

func (f *File) Write(p []byte) (int, error) {
	if err := failing("write", f.Name()); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

// WriteString is Write for a string.
func (f *File) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

// WriteAt writes at an offset.
func (f *File) WriteAt(p []byte, off int64) (int, error) {
	if err := failing("write", f.Name()); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, off)
}

// Truncate changes the size.
func (f *File) Truncate(size int64) error {
	if err := failing("truncate", f.Name()); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

// Chmod changes the mode.
func (f *File) Chmod(mode fs.FileMode) error {
	if err := failing("chmod", f.Name()); err != nil {
		return err
	}
	return f.File.Chmod(mode)
}

// Sync puts what was written on the disk.
func (f *File) Sync() error {
	if err := failing("sync", f.Name()); err != nil {
		return err
	}
	return f.File.Sync()
}

// Close closes the file, also where it fails.
func (f *File) Close() error {
	var err error
	if f.writes {
		err = failing("close", f.Name())
	}
	if f.unlock != nil {
		err = errors.Join(err, f.unlock())
	}
	return errors.Join(err, f.File.Close())
}

func rename(from, to string) error {
	if err := failing("rename", to); err != nil {
		return err
	}
	return os.Rename(from, to)
}

// SyncFolder makes the names in the folder of a file durable. Systems that
// cannot sync a folder need not.
func SyncFolder(name string) error {
	dir := filepath.Dir(name)
	if err := failing("sync-folder", dir); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(ignoreUnsupported(d.Sync()), d.Close())
}

// temporary creates a file under a random name beside another. O_EXCL follows
// no link that somebody put there.
func temporary(beside string, mode fs.FileMode) (*File, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return nil, err
	}
	name := filepath.Join(filepath.Dir(beside), ".weightprint-"+hex.EncodeToString(b[:])+".tmp")
	return made(func() (*File, string, error) {
		f, err := OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		return f, name, err
	})
}
