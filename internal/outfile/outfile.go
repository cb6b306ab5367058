package outfile

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/weightprint/weightprint/internal/escape"
)

// Target is a place for an output that was found good before the work began.
type Target struct {
	name  string // as it was given
	path  string // behind symbolic links
	rules Rules
}

// Prepare looks at the place that an output shall take: what stands there,
// whether it may be replaced, and whether its folder can be written to. Errors
// of what must not be replaced are ErrPlace. Nothing is left behind.
func Prepare(name string, r *Rules) (*Target, error) {
	t := &Target{name: name, rules: *r}
	var err error
	if t.path, err = resolve(name); err != nil {
		return nil, err
	}
	if _, err := t.check(); err != nil {
		return nil, err
	}
	return t, Probe(t.path)
}

// Probe finds out whether a file can be made in the folder of name, and leaves
// nothing behind.
func Probe(name string) error {
	f, err := temporary(name, 0o600)
	if err == nil {
		err = errors.Join(f.Close(), discard(f.Name()))
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %w", escape.Printable(name), ErrUnwritable, cause(err))
	}
	return nil
}

// cause strips the temporary name that os puts into its errors.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// Write writes the output beside its place, makes it durable, and puts it
// there. After an error what stood there before stands there still, or nothing
// does; only where the last step failed, syncing the folder, a file that was
// replaced stays replaced, by the whole output.
func (t *Target) Write(write func(io.Writer) error) error {
	if err := t.put(write); err != nil {
		if errors.Is(err, ErrPlace) {
			return err
		}
		return fmt.Errorf("%s: %w", escape.Printable(t.name), err)
	}
	return nil
}

func (t *Target) put(write func(io.Writer) error) (err error) {
	f, err := temporary(t.path, cmp.Or(t.rules.Mode, 0o666))
	if err != nil {
		return err
	}
	defer discard(f.Name()) // also after a panic in write; gone where all went well
	err = fill(f, write)
	var before fs.FileInfo
	if err == nil {
		before, err = t.check() // the work may have taken hours
	}
	if err == nil && before != nil {
		err = f.Chmod(before.Mode().Perm())
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := whole(func() error { return t.publish(f.Name()) }); err != nil {
		return err
	}
	if err = SyncFolder(t.path); err != nil && before == nil {
		os.Remove(t.path) // it is ours: nothing stood there
	}
	return err
}

// fill writes the content.
func fill(f *File, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(struct{ io.Writer }{f}, 1<<16)
	if err := write(b); err != nil {
		return err
	}
	return b.Flush()
}

// publish gives the finished file its name. Where nothing may stand there the
// name is taken first, which only one can do.
func (t *Target) publish(temp string) error {
	if !t.rules.New {
		return rename(temp, t.path)
	}
	claim, err := OpenFile(t.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, cmp.Or(t.rules.Mode, 0o666))
	if errors.Is(err, fs.ErrExist) {
		return refused(t.name, "exists, and is never overwritten")
	}
	if err != nil {
		return err
	}
	if err = errors.Join(claim.Close(), rename(temp, t.path)); err != nil {
		return errors.Join(err, os.Remove(t.path)) // it is ours: it did not exist
	}
	return nil
}
