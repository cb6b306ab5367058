// Command compare prints the verdict on two checkpoints and fails when the
// second is made from the first.
//
//	go run ./examples/compare base/ suspect.gguf
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: compare A B")
	}
	r, err := report.Compare(context.Background(), args[0], args[1], nil)
	if err != nil {
		return err
	}
	if err := r.WriteText(os.Stdout); err != nil {
		return err
	}
	if r.Check(report.Claim{Relation: verdict.Related}) == nil {
		return fmt.Errorf("%s and %s have a common origin", args[0], args[1])
	}
	return nil
}
