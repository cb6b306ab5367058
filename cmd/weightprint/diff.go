package main

import (
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/diff"
)

// diffForms lists the forms of a difference.
var diffForms = []string{"text", "json", "md", "svg"}

// diffWriters are the forms of a difference.
var diffWriters = map[string]func(*diff.Diff, io.Writer) error{
	"text": (*diff.Diff).WriteText,
	"json": (*diff.Diff).WriteJSON,
	"md":   (*diff.Diff).WriteMarkdown,
	"svg":  (*diff.Diff).WriteSVG,
}

// diffFindings are what --fail-on names.
var diffFindings = []string{"different", "equal"}

func diffCommand() *cobra.Command {
	var format, file, budget string
	var asJSON bool
	var failOn []string
	c := &cobra.Command{
		Use:   "diff A B",
		Short: "lay out which tensors, layers and rows differ, and how",
		Long: `diff lays out what compare says in one line: the tensors, layers and rows that
differ, by how much, with their names on both sides. It tells tensors that were
scaled from those that a direction was taken out of, changes of low rank, replaced
heads, added tokens and changed biases. --format svg draws it.

It presumes that the two are related: of strangers everything differs.`,
		Example: "  weightprint diff base/ abliterated/\n  weightprint diff base/ release/ --format svg -o diff.svg",
		Args:    args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, refs []string) error {
			for _, x := range failOn {
				if !slices.Contains(diffFindings, x) {
					return usageError{oneOf("fail-on", x, diffFindings)}
				}
			}
			if asJSON {
				format = "json"
			}
			if format == "" {
				if err := unwrittenForm(file, unwrittenDiffs); err != nil {
					return usageError{err}
				}
				format = formOf(file, diffWriters)
			}
			write := diffWriters[format]
			if write == nil {
				return usageError{oneOf("format", format, diffForms)}
			}
			to, err := destine(c, refs, file, isResult)
			if err != nil {
				return err
			}
			d, err := diffOf(c, refs, budget)
			if err != nil {
				return err
			}
			if err := to.write(func(w io.Writer) error { return write(d, w) }); err != nil {
				return err
			}
			finding := "equal"
			if d.Differs() {
				finding = "different"
			}
			if slices.Contains(failOn, finding) {
				return exitCode(exitFinding)
			}
			return nil
		},
	}
	fl := c.Flags()
	fl.StringVar(&format, "format", "", "text, json, md or svg (default: what the ending of -o says, else text)")
	completes(c, "format", diffForms)
	fl.BoolVar(&asJSON, "json", false, "short for --format json")
	fl.StringVar(&budget, "budget", "full", `bytes to read of each model, such as 64MiB, or "full"`)
	fl.StringSliceVar(&failOn, "fail-on", nil, "exit with 1 when the two are found different, or equal up to storage")
	completesList(c, "fail-on", diffFindings)
	fl.StringVarP(&file, "output", "o", "", "write the result to a file")
	return c
}

func diffOf(c *cobra.Command, refs []string, size string) (*diff.Diff, error) {
	budget, err := warnedBudget(size, c.ErrOrStderr())
	if err != nil {
		return nil, usageError{err}
	}
	var in []report.Input
	var open []*formats.Checkpoint
	defer func() { closeAll(open) }()
	for _, ref := range refs {
		m, err := openModel(c.Context(), ref, nil)
		if err != nil {
			return nil, err
		}
		open, in = append(open, m), append(in, report.FromCheckpoint(c.Context(), m))
	}
	defer watch(c, open...)()
	return diff.Find(c.Context(), in[0], in[1], &report.Options{Budget: budget})
}
