package outfile

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Folder writes a new folder of files, all or nothing: beside its place, each file made
// durable, then under its name. What stands there may be an empty folder. Files are
// readable for all, and those that mode tells so may be run.
func Folder(dir string, files map[string][]byte, mode func(name string) fs.FileMode) (err error) {
	dir = filepath.Clean(dir)
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	next, err := scratch(filepath.Dir(dir), "."+filepath.Base(dir)+"-")
	if err != nil {
		return err
	}
	defer discard(next) // also after a panic; gone where all went well
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := durable(filepath.Join(next, name), files[name], mode(name)); err != nil {
			return err
		}
	}
	if err := errors.Join(os.Chmod(next, 0o755), SyncFolder(filepath.Join(next, "any"))); err != nil {
		return err
	}
	return whole(func() error { return settle(next, dir) })
}

// settle gives a finished folder its name, and takes it away again where that cannot be
// made durable.
func settle(next, dir string) error {
	err := os.Remove(dir)
	empty := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err = rename(next, dir); err == nil {
		if err = SyncFolder(dir); err != nil {
			os.RemoveAll(dir)
		}
	}
	if err != nil && empty {
		os.Mkdir(dir, 0o755)
	}
	return err
}

// durable writes a file that does not exist, and makes it durable.
func durable(name string, text []byte, mode fs.FileMode) error {
	f, err := OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
