//go:build js

package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"syscall/js"

	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/formats/tensor"
)

// folder is what was dropped on one side of the page: files by their names.
type folder struct {
	name   string // of the folder, or which side it was given as
	files  map[string]js.Value
	reader js.Value // a FileReaderSync, which workers have
	told   *teller
}

func newFolder(list js.Value, side string, t *teller) *folder {
	f := &folder{name: fmt.Sprintf("%d files given as %s", list.Length(), side), files: map[string]js.Value{}, reader: js.Global().Get("FileReaderSync").New(), told: t}
	for i := range list.Length() {
		file := list.Index(i)
		if in, _, ok := strings.Cut(file.Get("webkitRelativePath").String(), "/"); ok {
			f.name = in
		}
		f.files[file.Get("name").String()] = file
	}
	return f
}

// only is the name of the file, where there is one.
func (f *folder) only() string {
	for name := range f.files {
		if len(f.files) == 1 {
			return name
		}
	}
	return ""
}

func (f *folder) Label(name string) string {
	if name != "" {
		return name
	}
	return f.name
}

func (f *folder) Names(context.Context) ([]string, error) {
	return slices.Sorted(maps.Keys(f.files)), nil
}

func (f *folder) Has(_ context.Context, name string) bool {
	_, ok := f.files[path.Clean(name)]
	return ok
}

func (f *folder) Strays(string) bool { return false }

func (f *folder) Open(_ context.Context, name string) (source.Blob, error) {
	file, ok := f.files[path.Clean(name)]
	if !ok {
		return nil, tensor.Errorf(fs.ErrNotExist, name, -1, "file", "it was not given")
	}
	return &blob{name: name, file: file, size: int64(file.Get("size").Float()), folder: f, blocks: map[int64][]byte{}}, nil
}

func (f *folder) Read(ctx context.Context, name string, most int64) ([]byte, error) {
	b, err := f.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	if b.Size() > most {
		return nil, tensor.Errorf(tensor.ErrLimit, name, 0, "file", "%d bytes, at most %d", b.Size(), most)
	}
	p := make([]byte, b.Size())
	if _, err := b.ReadAt(p, 0); err != nil && err != io.EOF {
		return nil, err
	}
	return p, nil
}

func (f *folder) Close() error { return nil }
