package oms

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/weightprint/weightprint/internal/escape"
)

// gitPaths are left out of every manifest.
var gitPaths = []string{".git", ".gitignore", ".gitattributes", ".github"}

// entry is one file of a model.
type entry struct {
	name string // relative, with slashes
	path string // to open
}

// walker lists the files of a model.
type walker struct {
	links   bool     // follow symbolic links
	ignored []string // relative paths, with all below them
	without []fs.FileInfo
	out     []entry
}

// list enumerates the regular files of a folder, or the one file, sorted by
// name.
func (w *walker) list(root string) ([]entry, error) {
	info, err := os.Stat(root)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []entry{{filepath.Base(root), root}}, nil
	}
	if err := w.folder(root, "", []fs.FileInfo{info}); err != nil {
		return nil, err
	}
	slices.SortFunc(w.out, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	if len(w.out) == 0 {
		return nil, fmt.Errorf("%s: no file to list", root)
	}
	return w.out, nil
}

// folder lists one folder; above are the folders that lead to it.
func (w *walker) folder(dir, prefix string, above []fs.FileInfo) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(prefix, e.Name())
		if w.ignores(name) {
			continue
		}
		if err := w.entry(filepath.Join(dir, e.Name()), name, above); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) entry(file, name string, above []fs.FileInfo) error {
	if !utf8.ValidString(name) {
		return fmt.Errorf("%s: the name is not UTF-8, so no manifest can hold it", escape.Printable(file))
	}
	info, err := os.Lstat(file)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		if !w.links {
			return fmt.Errorf("%s: is a symbolic link, and links are not followed (--allow-symlinks)", escape.Printable(file))
		}
		if info, err = os.Stat(file); err != nil {
			return err
		}
	}
	same := func(x fs.FileInfo) bool { return os.SameFile(x, info) }
	switch {
	case slices.ContainsFunc(w.without, same):
		return nil
	case info.Mode().IsRegular():
		w.out = append(w.out, entry{name, file})
		return nil
	case !info.IsDir():
		return fmt.Errorf("%s: neither a regular file nor a folder", escape.Printable(file))
	case slices.ContainsFunc(above, same):
		return fmt.Errorf("%s: links lead in a circle", escape.Printable(file))
	}
	return w.folder(file, name, append(slices.Clip(above), info))
}

// ignores tells whether a path, or a folder that it lies in, is left out.
func (w *walker) ignores(name string) bool {
	for _, p := range w.ignored {
		p = path.Clean(p)
		if name == p || strings.HasPrefix(name, p+"/") {
			return true
		}
	}
	return false
}
