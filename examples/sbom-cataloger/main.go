// Command sbom-cataloger finds the models in a tree of files and lists them as packages,
// with the digest over their values and who is a copy of whom: what a tool that makes
// bills of materials would do in a cataloger of its own.
//
//	go run ./examples/sbom-cataloger rootfs/
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/tensor"
)

// Package is one model as a bill of materials lists it.
type Package struct {
	Name       string   `json:"name"`
	Format     string   `json:"format"`
	Files      []string `json:"files"`
	Parameters int64    `json:"parameters"`
	Values     string   `json:"values"`             // digest over all values: the same for a renamed, resharded or losslessly cast copy
	Declared   []string `json:"declared,omitempty"` // parents that its files name
}

// Relationship says that two packages hold the same values.
type Relationship struct {
	From, To, Type string
}

// Catalog opens every model below a folder. What is no model is passed over, what is
// one and cannot be read is an error beside the rest.
func Catalog(ctx context.Context, root string) (packages []Package, same []Relationship, err error) {
	var errs []error
	walk := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		p, err := catalogOne(ctx, root, path)
		switch {
		case err == nil:
			packages = append(packages, *p)
		case !errors.Is(err, tensor.ErrNotModel):
			errs = append(errs, err)
		}
		return ctx.Err()
	})
	first := map[string]string{}
	for _, p := range packages {
		if twin, ok := first[p.Values]; ok {
			same = append(same, Relationship{p.Name, twin, "copy-of"})
		} else {
			first[p.Values] = p.Name
		}
	}
	return packages, same, errors.Join(append(errs, walk)...)
}

// catalogOne opens the model of one folder. No server is asked, whatever its files name.
func catalogOne(ctx context.Context, root, dir string) (*Package, error) {
	m, err := formats.Open(ctx, dir, &formats.Options{Offline: true})
	if err != nil {
		return nil, err
	}
	defer m.Close()
	name, err := filepath.Rel(root, dir)
	if err != nil {
		return nil, err
	}
	values, err := fingerprint.Root(ctx, m)
	if err != nil {
		return nil, err
	}
	p := &Package{Name: filepath.ToSlash(name), Format: m.Format, Values: values.String(), Declared: m.DeclaredParents()}
	for _, t := range m.Tensors() {
		p.Parameters += t.Len()
	}
	for _, f := range m.Files() {
		p.Files = append(p.Files, f.Path)
	}
	slices.Sort(p.Files)
	return p, nil
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, w io.Writer) error {
	if len(args) != 1 {
		return errors.New("usage: sbom-cataloger FOLDER")
	}
	packages, same, err := Catalog(context.Background(), args[0])
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return errors.Join(e.Encode(map[string]any{"packages": packages, "relationships": same}), err)
}
