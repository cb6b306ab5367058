// Command search-index puts models into an index and searches it for relatives
// of the last one.
//
//	go run ./examples/search-index FILE known-a/ known-b/ suspect/
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/similarity/index"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, w io.Writer) error {
	if len(args) < 3 {
		return errors.New("usage: search-index FILE KNOWN… SUSPECT")
	}
	ctx := context.Background()
	last := len(args) - 1
	for _, ref := range args[1:last] {
		f, err := sketch(ctx, ref)
		if err != nil {
			return err
		}
		if _, err := index.Add(args[0], index.Entry{Name: ref, Fingerprint: f}); err != nil {
			return err
		}
	}
	suspect, err := sketch(ctx, args[last])
	if err != nil {
		return err
	}
	x, err := index.Open(args[0])
	if err != nil {
		return err
	}
	defer x.Close()
	const level = -9 // natural logarithm of the largest corrected p-value
	found, err := x.Search(ctx, suspect, 5, level)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "searched %d models\n", found.Searched)
	for _, h := range found.Hits {
		fmt.Fprintf(w, "%s  log10 p %.0f, to be settled by a comparison of weights\n", h.Name, h.P.Log10())
	}
	return nil
}

// sketch reads a few units of every layer.
func sketch(ctx context.Context, ref string) (*fingerprint.Fingerprint, error) {
	m, err := formats.Open(ctx, ref, nil)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	return fingerprint.Compute(ctx, m, &fingerprint.Options{SketchOnly: true})
}
