//go:build linux || darwin || freebsd || netbsd || openbsd

package outfile

import (
	"errors"
	"fmt"
	"syscall"
)

// Lock waits for the only right to write to a file. The system gives it back
// when a writer is killed.
func Lock(f *File) (unlock func() error, err error) { return flock(f, syscall.LOCK_EX) }

// TryLock is Lock that does not wait.
func TryLock(f *File) (unlock func() error, err error) {
	unlock, err = flock(f, syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("%s: another program is writing to it", f.Name())
	}
	return unlock, err
}

func flock(f *File, how int) (unlock func() error, err error) {
	for {
		err = syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	return func() error { return syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }, err
}
