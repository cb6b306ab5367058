// Command audit-claim holds the claim "CHILD was made from PARENT" against the
// weights and exits with 1 when they contradict it.
//
//	go run ./examples/audit-claim child/ parent/
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, w io.Writer) error {
	if len(args) != 2 {
		return errors.New("usage: audit-claim CHILD PARENT")
	}
	claim := report.LineageClaim{Parent: args[1], Relation: verdict.Related}
	all, err := report.Audit(context.Background(), args[0], []report.LineageClaim{claim}, nil)
	if err != nil {
		return err
	}
	if err := report.WriteAudit(w, all); err != nil {
		return err
	}
	if all[0].Outcome == report.Contradicted {
		return report.ErrContradicted
	}
	return nil
}
