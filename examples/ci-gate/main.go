// Command ci-gate keeps a release from being made of models that it must not be made
// of: it compares RELEASE with each of the others and exits with 1 where one of them
// shares weights with it, with 3 where that stays open.
//
//	go run ./examples/ci-gate release/ not-licensed/ retracted.gguf
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// The findings that close the gate.
var (
	errShares = errors.New("the release shares weights with a model that it must not be made of")
	errOpen   = errors.New("whether the release shares weights with one of the models stays open")
)

func main() {
	err := run(context.Background(), os.Args[1:], os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code(err))
}

// code is the exit code of an error. A file that ends early is fetched again by whoever
// runs the pipeline, and says so.
func code(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errShares):
		return 1
	case errors.Is(err, errOpen):
		return 3
	case errors.Is(err, formats.ErrTruncated):
		fmt.Fprintln(os.Stderr, "the download is incomplete; try again")
	}
	return 2
}

func run(ctx context.Context, args []string, w io.Writer) error {
	if len(args) < 2 {
		return errors.New("usage: ci-gate RELEASE MODEL…")
	}
	var found error
	for _, other := range args[1:] {
		stage := ""
		o := &report.Options{Offline: true, Progress: func(p report.Progress) {
			if p.Stage != stage {
				stage = p.Stage
				fmt.Fprintf(w, "%s: %d of %d, %s\n", other, p.Step, p.Steps, p.Stage)
			}
		}}
		r, err := report.Compare(ctx, other, args[0], o)
		if err != nil {
			return err
		}
		fmt.Fprintln(w, r.Summary())
		switch r.Verdict.Relation {
		case verdict.Identical, verdict.Reencoded, verdict.Related:
			found = errShares
		case verdict.Inconclusive:
			if found == nil {
				found = errOpen
			}
		}
	}
	return found
}
