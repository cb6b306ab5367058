//go:build linux || darwin || freebsd || netbsd || openbsd

package index

import (
	"errors"
	"os"
	"syscall"
)

// lock waits for the only right to write. The system gives it back when a
// writer is killed.
func lock(f *os.File) (unlock func() error, err error) {
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	return func() error { return syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }, err
}

// ignoreUnsupported forgives file systems whose folders cannot be synced.
func ignoreUnsupported(err error) error {
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil
	}
	return err
}
