package outfile

import (
	"errors"
	"fmt"
	"os"

	"github.com/weightprint/weightprint/internal/escape"
)

// Append opens a file of records to go on with, or a new one. The caller looks
// at what stands there, whole, and writes nothing unless all of it is records. No
// other program that opens it so can write to it until it is closed.
func Append(name string, r *Rules) (*File, error) {
	t := &Target{name: name, rules: *r}
	t.rules.Ours = func([]byte) bool { return true }
	var err error
	if t.path, err = resolve(name); err != nil {
		return nil, err
	}
	before, err := t.check()
	if err != nil {
		return nil, err
	}
	f, err := OpenFile(t.path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	if now, err := f.Stat(); err != nil || before != nil && !os.SameFile(before, now) {
		return nil, errors.Join(fmt.Errorf("%s: another file has taken its place", escape.Printable(name)), err, f.Close())
	}
	if f.unlock, err = TryLock(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := SyncFolder(t.path); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
