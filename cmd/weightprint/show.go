package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/audit"
	"github.com/weightprint/weightprint/report/lineage"
)

func showCommand() *cobra.Command {
	var out output
	var all bool
	var failing []string
	c := &cobra.Command{
		Use:   "show RESULT.json",
		Short: "print a report, tree or audit that is at hand in another form",
		Long: `show prints what compare, tree or audit wrote as JSON in any of its other forms. It
opens no model and checks nothing: verify does.`,
		Example: `  weightprint show report.json
  weightprint show report.json -o report.html
  weightprint show audit.json -o audit.sarif`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error { return show(c, a[0], &out, all, failing) },
	}
	out.flags(c.Flags())
	c.Flags().BoolVarP(&all, "verbose", "v", false, "print everything (default: one screen)")
	c.Flags().StringSliceVar(&failing, "fail-on", nil, "outcomes of an audit that count as faults in sarif and junit")
	completes(c, "format", append(slices.Clone(formNames), "sarif", "junit", "dot", "svg"))
	return c
}

func show(c *cobra.Command, file string, out *output, all bool, failing []string) error {
	to, err := destine(c, []string{file}, out.file, isResult)
	if err != nil {
		return err
	}
	text, err := readSmall(file)
	if err != nil {
		return err
	}
	var kind struct{ Schema string }
	if json.Unmarshal(text, &kind) == nil { // else the reader of reports says what is wrong
		switch kind.Schema {
		case lineage.Schema:
			return showTree(to, file, text, out)
		case audit.Schema:
			return showAudit(to, file, text, out, failing)
		}
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
	if err := r.Consistent(); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if err := to.write(out.report(r, c.OutOrStdout(), all)); err != nil {
		return err
	}
	// Beside the output: the forms of a report are the same whoever writes them.
	fmt.Fprintf(c.ErrOrStderr(), "not verified: this is what the file states; weightprint verify %s A B makes it anew\n", escape.Printable(file))
	return nil
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

// showAudit prints an audit in the form that is asked for.
func showAudit(to *destination, file string, text []byte, out *output, failing []string) error {
	form, err := (&auditFlags{format: out.format, json: out.json, file: out.file}).form()
	if err != nil {
		return err
	}
	a, err := audit.ParseJSON(text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	also, err := outcomesOf(failing)
	if err != nil {
		return err
	}
	return to.write(auditWriter(form, []audit.Audited{*a}, also))
}
