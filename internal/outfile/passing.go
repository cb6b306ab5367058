package outfile

import (
	"os"
	"path/filepath"
	"sync"
)

// passing are files and folders that are gone when a command has ended, however it
// ends: those that are written beside their places, and scratch.
var passing = struct {
	sync.Mutex
	paths map[string]bool
}{paths: map[string]bool{}}

// made makes something that passes and remembers it.
func made[T any](make func() (at T, path string, err error)) (T, error) {
	passing.Lock()
	defer passing.Unlock()
	at, path, err := make()
	if err == nil {
		passing.paths[path] = true
	}
	return at, err
}

// whole does what must not be left half done, such as giving a finished file its name.
func whole(f func() error) error {
	passing.Lock()
	defer passing.Unlock()
	return f()
}

// discard takes something away that passes.
func discard(path string) error {
	passing.Lock()
	defer passing.Unlock()
	delete(passing.paths, path)
	return os.RemoveAll(path)
}

// Scratch makes a folder for what nobody needs when the command has ended; discard
// takes it away.
func Scratch(pattern string) (dir string, gone func(), err error) {
	dir, err = scratch("", pattern)
	return dir, func() { discard(dir) }, err
}

func scratch(in, pattern string) (dir string, err error) {
	return made(func() (string, string, error) {
		dir, err := os.MkdirTemp(in, pattern)
		return dir, filepath.Clean(dir), err
	})
}

// Sweep takes away all that passes, for a process that ends now, in the middle of its
// work: nothing is begun any more, and nothing gets its name.
func Sweep() {
	passing.Lock() // for good
	for path := range passing.paths {
		os.RemoveAll(path)
	}
}
