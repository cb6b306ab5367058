// Package demo carries four small trained networks: a base model, a
// fine-tune of it, that fine-tune quantised, and a network trained on the
// same data in the same order from another seed. Each has 0.81 M parameters
// and a vocabulary of 1024.
package demo

import (
	"embed"
	"io/fs"
	"os"
	"path/filepath"
)

//go:embed models
var models embed.FS

// Step is one comparison of the demonstration.
type Step struct {
	A, B string // folders
	What string // what B is, seen from A
	Want string // the relation that has to come out
}

// Steps lists the comparisons.
var Steps = []Step{
	{"base", "fine-tune", "a fine-tune on other data", "related"},
	{"fine-tune", "fine-tune-q8_0", "the fine-tune, quantised for llama.cpp", "reencoded"},
	{"base", "other-seed", "same data, same order, another seed", "no-evidence"},
}

// Extract writes the models into a folder.
func Extract(dir string) error {
	return fs.WalkDir(models, "models", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel("models", filepath.FromSlash(path))
		if err != nil {
			return err
		}
		to := filepath.Join(dir, rel)
		if d.IsDir() {
			return os.MkdirAll(to, 0o700)
		}
		b, err := models.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, b, 0o600)
	})
}
