package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/lineage"
)

func showCommand() *cobra.Command {
	var out output
	var all bool
	c := &cobra.Command{
		Use:   "show RESULT.json",
		Short: "print a report or a tree that is at hand in another form",
		Long: `show prints a report that compare wrote as JSON, or a tree that tree wrote, in any
of its other forms. It opens no model and checks nothing: verify does.`,
		Example: `  weightprint show report.json
  weightprint show report.json -o report.html`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error { return show(c, a[0], &out, all) },
	}
	out.flags(c.Flags())
	c.Flags().BoolVarP(&all, "verbose", "v", false, "print everything (default: one screen)")
	completes(c, "format", formNames)
	return c
}

func show(c *cobra.Command, file string, out *output, all bool) error {
	to, err := destine(c, []string{file}, out.file, isResult)
	if err != nil {
		return err
	}
	text, err := readSmall(file)
	if err != nil {
		return err
	}
	var kind struct{ Schema string }
	if json.Unmarshal(text, &kind) == nil && kind.Schema == lineage.Schema { // else the reader of reports says what is wrong
		return showTree(to, file, text, out)
	}
	if err := out.check(); err != nil {
		return usageError{err}
	}
	r, err := report.ParseJSON(text)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return fmt.Errorf("%s: %w; compare --json writes one", file, err)
	case err != nil:
		return fmt.Errorf("%s: %w", file, err)
	}
	return to.write(out.report(r, c.OutOrStdout(), all))
}

// showTree prints a tree in the form that is asked for.
func showTree(to *destination, file string, text []byte, out *output) error {
	form := out.format
	switch {
	case out.json:
		form = "json"
	case form == "":
		form = formOf(out.file, treeWriters)
	}
	write := treeWriters[form]
	if write == nil {
		return usageError{oneOf("format", form, slices.Sorted(maps.Keys(treeWriters)))}
	}
	g, err := lineage.ParseJSON(text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return to.write(func(w io.Writer) error { return write(g, w) })
}
