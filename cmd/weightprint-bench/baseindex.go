package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/similarity/index"
)

// baseIndexCommand builds an index of models that everybody can get.
func baseIndexCommand() *cobra.Command {
	var most int64
	c := &cobra.Command{
		Use:   "baseindex DIR WHEEL…",
		Short: "make an index, with a manifest of sources and licences, of the models that Python packages carry",
		Long: `baseindex fingerprints the models in wheels whose metadata state a permissive licence
and writes DIR/base.wpi, DIR/base.wpi.details and DIR/base.json: for each entry its
package, version, file, SHA-256, licence and the root of its values. No weights are
kept. The same wheels give the same bytes.`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return makeBaseIndex(c.Context(), c.OutOrStdout(), args[0], args[1:], most)
		},
	}
	c.Flags().Int64Var(&most, "most-bytes", 1<<20, "size of the index, in all, beyond which it is refused")
	return c
}

// baseEntry says where a fingerprint is from.
type baseEntry struct {
	Name       string `json:"name"`
	Package    string `json:"package"`
	Version    string `json:"version"`
	Source     string `json:"source"`
	File       string `json:"file"`
	SHA256     string `json:"sha256"` // of the file
	Bytes      int    `json:"bytes"`
	Licence    string `json:"licence"` // as the package states it
	Parameters int64  `json:"parameters"`
	Root       string `json:"root"`
	print      *fingerprint.Fingerprint
}

// leastParameters leaves out files that are no networks worth naming.
const leastParameters = 10_000

func makeBaseIndex(ctx context.Context, w io.Writer, dir string, wheels []string, most int64) error {
	var all []baseEntry
	for _, wheel := range wheels {
		found, err := modelsOf(ctx, w, wheel)
		if err != nil {
			return fmt.Errorf("%s: %w", wheel, err)
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, func(a, b baseEntry) int { return cmp.Compare(a.Name, b.Name) })
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	path := filepath.Join(dir, "base.wpi")
	var entries []index.Entry
	for _, e := range all {
		entries = append(entries, index.Entry{Name: e.Name, Fingerprint: e.print})
	}
	if _, err := index.Add(path, entries...); err != nil {
		return err
	}
	size := int64(0)
	for _, ending := range []string{"", ".details"} {
		info, err := os.Stat(path + ending)
		if err != nil {
			return err
		}
		size += info.Size()
	}
	text, err := json.MarshalIndent(map[string]any{"schema": "weightprint.baseindex/1", "entries": all}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "base.json"), append(text, '\n'), 0o666); err != nil {
		return err
	}
	fmt.Fprintf(w, "%d entries, %d bytes\n", len(all), size)
	if size > most {
		return fmt.Errorf("the index has %d bytes, more than %d", size, most)
	}
	return nil
}

// permissive begins the licences whose models are taken.
var permissive = []string{"mit", "apache", "bsd", "isc"}

// modelsOf fingerprints the models of a wheel.
func modelsOf(ctx context.Context, w io.Writer, wheel string) (out []baseEntry, err error) {
	z, err := zip.OpenReader(wheel)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	about, err := metadata(&z.Reader)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(permissive, func(p string) bool { return strings.HasPrefix(strings.ToLower(about.Licence), p) }) {
		fmt.Fprintf(w, "left out: %s, of licence %q\n", filepath.Base(wheel), about.Licence)
		return nil, nil
	}
	for _, f := range z.File {
		switch path.Ext(f.Name) {
		case ".onnx", ".tflite", ".safetensors", ".jit", ".pt", ".h5", ".keras", ".gguf":
		default:
			continue
		}
		e, err := baseEntryOf(ctx, f, about)
		switch {
		case err != nil:
			fmt.Fprintf(w, "left out: %s: %v\n", f.Name, err)
		case e.Parameters >= leastParameters:
			out = append(out, e)
		}
	}
	return out, nil
}

// metadata reads name, version and licence of a package.
func metadata(z *zip.Reader) (e baseEntry, err error) {
	at := slices.IndexFunc(z.File, func(f *zip.File) bool { return strings.HasSuffix(f.Name, ".dist-info/METADATA") })
	if at < 0 {
		return e, errors.New("no metadata: this is no wheel")
	}
	r, err := z.File[at].Open()
	if err != nil {
		return e, err
	}
	defer r.Close()
	lines := bufio.NewScanner(io.LimitReader(r, 1<<20))
	for lines.Scan() && lines.Text() != "" {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "Name":
			e.Package = value
		case "Version":
			e.Version = value
		case "License-Expression", "License":
			e.Licence = cmp.Or(e.Licence, value)
		case "Classifier":
			if of, ok := strings.CutPrefix(value, "License :: OSI Approved :: "); ok {
				e.Licence = cmp.Or(e.Licence, of)
			}
		}
	}
	e.Source = fmt.Sprintf("https://pypi.org/project/%s/%s/", e.Package, e.Version)
	return e, lines.Err()
}

// baseEntryOf fingerprints one file.
func baseEntryOf(ctx context.Context, f *zip.File, e baseEntry) (baseEntry, error) {
	r, err := f.Open()
	if err != nil {
		return e, err
	}
	defer r.Close()
	var b bytes.Buffer
	if _, err := io.Copy(&b, r); err != nil {
		return e, err
	}
	dir, err := os.MkdirTemp("", "weightprint-base-")
	if err != nil {
		return e, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, path.Base(f.Name))
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		return e, err
	}
	m, err := formats.Open(ctx, file, nil)
	if err != nil {
		return e, err
	}
	defer m.Close()
	if e.print, err = fingerprint.Compute(ctx, m, nil); err != nil {
		return e, err
	}
	sum := sha256.Sum256(b.Bytes())
	e.File, e.SHA256, e.Bytes = f.Name, hex.EncodeToString(sum[:]), b.Len()
	e.Name = fmt.Sprintf("pypi:%s==%s/%s", e.Package, e.Version, path.Base(f.Name))
	e.Parameters, e.Root = e.print.Parameters, e.print.Root.String()
	return e, nil
}
