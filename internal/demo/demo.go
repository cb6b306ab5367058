// Package demo carries four small trained networks: a base model, a
// fine-tune of it, that fine-tune quantised, and a network trained on the
// same data in the same order from another seed. Each has 0.81 M parameters
// and a vocabulary of 1024.
package demo

import (
	_ "embed"
	"os"
	"path/filepath"
	"strings"
)

// models is written by internal/demo/pack from a folder of the models.
//
//go:embed models.pack
var models string

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
	files, err := Unpack(strings.NewReader(models))
	if err != nil {
		return err
	}
	for _, f := range files {
		to := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(to, f.Bytes, 0o600); err != nil {
			return err
		}
	}
	return nil
}
