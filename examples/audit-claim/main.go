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
	"github.com/weightprint/weightprint/report/audit"
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
	claim := audit.Claim{Parent: args[1], Relation: verdict.Related}
	all, err := audit.Run(context.Background(), args[0], []audit.Claim{claim}, nil)
	if err != nil {
		return err
	}
	if err := audit.WriteText(w, all); err != nil {
		return err
	}
	if all[0].Outcome == audit.Contradicted {
		return report.ErrContradicted
	}
	return nil
}
