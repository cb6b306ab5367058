package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/source"
)

// model is one entry of the store: names of files and the blobs that hold them.
type model struct {
	Name  string
	Root  string            // digest over all values
	Files map[string]string // SHA-256 by name
}

// store is a folder with blobs and a list of models.
type store struct {
	dir    string
	models []model
}

func openStore(dir string) (*store, error) {
	s := &store{dir: dir}
	text, err := os.ReadFile(filepath.Join(dir, "models.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return s, os.MkdirAll(filepath.Join(dir, "blobs"), 0o755)
	}
	if err != nil {
		return nil, err
	}
	return s, json.Unmarshal(text, &s.models)
}

// keep copies the files of a model into blobs, weights and what lies beside them.
func (s *store) keep(ref, root string, m *formats.Checkpoint) error {
	held := model{Name: filepath.Base(ref), Root: root, Files: map[string]string{}}
	dir := ref
	if info, err := os.Stat(ref); err == nil && !info.IsDir() {
		dir = filepath.Dir(ref)
	}
	names := []string{"config.json", "tokenizer.json"}
	for _, f := range m.Files() {
		names = append(names, f.Path)
	}
	for _, name := range names {
		sum, err := s.blob(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		held.Files[name] = sum
	}
	s.models = append(s.models, held)
	text, err := json.MarshalIndent(s.models, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.dir, "models.json"), text, 0o644)
}

// blob copies a file under the name of its digest.
func (s *store) blob(file string) (sum string, err error) {
	in, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer in.Close()
	out, err := os.CreateTemp(s.dir, "incoming-")
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(out, h), in)
	if err = errors.Join(err, out.Close()); err != nil {
		return "", err
	}
	sum = hex.EncodeToString(h.Sum(nil))
	return sum, os.Rename(out.Name(), filepath.Join(s.dir, "blobs", sum))
}

// folder shows a stored model as the folder that it was: a source.Folder.
type folder struct {
	store *store
	model model
}

func (f *folder) Label(name string) string { return f.model.Name + "/" + name }

func (f *folder) Names(context.Context) ([]string, error) {
	return slices.Sorted(maps.Keys(f.model.Files)), nil
}

func (f *folder) Has(_ context.Context, name string) bool { return f.model.Files[name] != "" }

func (f *folder) Strays(string) bool { return false }

func (f *folder) Open(_ context.Context, name string) (source.Blob, error) {
	sum, ok := f.model.Files[name]
	if !ok {
		return nil, fmt.Errorf("%s: %w", f.Label(name), fs.ErrNotExist)
	}
	file, err := os.Open(filepath.Join(f.store.dir, "blobs", sum))
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &stored{file, info.Size()}, nil
}

func (f *folder) Read(ctx context.Context, name string, most int64) ([]byte, error) {
	b, err := f.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	if b.Size() > most {
		return nil, fmt.Errorf("%s: %d bytes, at most %d", f.Label(name), b.Size(), most)
	}
	return io.ReadAll(io.NewSectionReader(b, 0, b.Size()))
}

func (f *folder) Close() error { return nil }

// stored is a blob: a file of known size.
type stored struct {
	*os.File
	size int64
}

func (s *stored) Size() int64 { return s.size }
