// Command pack writes internal/demo/models.pack from a folder of the models:
//
//	go run ./internal/demo/pack FOLDER internal/demo/models.pack
package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/internal/demo"
)

// likes names files that are kept as what differs from others.
var likes = map[string]string{"fine-tune/model.safetensors": "base/model.safetensors", "fine-tune-q8_0/model-Q8_0.gguf": "q8_0:fine-tune/model.safetensors"}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: pack FOLDER FILE")
		os.Exit(2)
	}
	if err := pack(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func pack(from, to string) error {
	var files []demo.File
	err := fs.WalkDir(os.DirFS(from), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(from, path))
		files = append(files, demo.File{Path: path, Bytes: b})
		return err
	})
	if err != nil {
		return err
	}
	// Files of one name stand side by side, where equal ones cost nothing.
	slices.SortStableFunc(files, func(a, b demo.File) int { return strings.Compare(filepath.Base(a.Path), filepath.Base(b.Path)) })
	slices.SortStableFunc(files, func(a, b demo.File) int { return last(a.Path) - last(b.Path) })
	var b bytes.Buffer
	if err := demo.Pack(&b, files, likes); err != nil {
		return err
	}
	return os.WriteFile(to, b.Bytes(), 0o644)
}

// last puts what was quantised behind what it was made from.
func last(path string) int {
	if strings.HasSuffix(path, ".gguf") {
		return 1
	}
	return 0
}
