// Command publish-fingerprint writes the fingerprint of a model to a file, reads
// it back and holds the model against it.
//
//	go run ./examples/publish-fingerprint model/ model.wfp
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, w io.Writer) error {
	if len(args) != 2 {
		return errors.New("usage: publish-fingerprint MODEL FILE")
	}
	ctx := context.Background()
	m, err := formats.Open(ctx, args[0], nil)
	if err != nil {
		return err
	}
	defer m.Close()
	f, err := fingerprint.Compute(ctx, m, nil)
	if err != nil {
		return err
	}
	out, err := os.Create(args[1])
	if err != nil {
		return err
	}
	defer out.Close()
	n, err := f.WriteTo(out)
	if err != nil {
		return err
	}
	if _, err := out.Seek(0, io.SeekStart); err != nil {
		return err
	}
	back, err := fingerprint.Read(out)
	if err != nil {
		return err
	}
	difference, err := back.Verify(ctx, m)
	if err != nil {
		return err
	}
	if difference != nil {
		return fmt.Errorf("tensor %s: %s", difference.Tensor, difference.What)
	}
	_, err = fmt.Fprintf(w, "%d bytes stand for %d parameters, root %s\n", n, f.Parameters, f.Root)
	return err
}
