//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package outfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// lockPatience is how long a lock file may stand before a writer gives up.
const lockPatience = time.Minute

// Lock waits for the only right to write to a file: another beside it that only
// one can create. A writer that was killed leaves it; the error says so.
func Lock(f *File) (unlock func() error, err error) { return lockFile(f, lockPatience) }

// TryLock is Lock that does not wait.
func TryLock(f *File) (unlock func() error, err error) { return lockFile(f, 0) }

func lockFile(f *File, patience time.Duration) (unlock func() error, err error) {
	name := f.Name() + ".lock"
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		l, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			return func() error { return errors.Join(l.Close(), os.Remove(name)) }, nil
		}
		if !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrPermission) {
			return nil, err
		}
		if time.Since(begun) >= patience {
			return nil, fmt.Errorf("%s stands: another writer is at work, or was killed; remove the file if so", name)
		}
	}
}
