// Command lineage-tree draws the lineage of several models as text.
//
//	go run ./examples/lineage-tree base/ fine-tune/ merged/
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/lineage"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(refs []string, w io.Writer) error {
	ctx := context.Background()
	var models []report.Input
	for _, ref := range refs {
		m, err := formats.Open(ctx, ref, nil)
		if err != nil {
			return err
		}
		defer m.Close()
		models = append(models, report.FromCheckpoint(ctx, m))
	}
	g, err := lineage.Build(ctx, models, nil)
	if err != nil {
		return err
	}
	return g.WriteText(w)
}
