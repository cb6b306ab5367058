//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package index

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// lockPatience is how long a lock file may stand before a writer gives up.
const lockPatience = time.Minute

// lock waits for the only right to write: a file beside the index that only
// one can create. A writer that was killed leaves it; the error says so.
func lock(f *os.File) (unlock func() error, err error) {
	name := f.Name() + ".lock"
	for begun := time.Now(); time.Since(begun) < lockPatience; time.Sleep(10 * time.Millisecond) {
		l, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			return func() error { return errors.Join(l.Close(), os.Remove(name)) }, nil
		}
		if !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrPermission) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s stands: another writer is at work, or was killed; remove the file if so", name)
}

func ignoreUnsupported(error) error { return nil }
