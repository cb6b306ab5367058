package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/lineage"
)

// treeWriters are the forms of a lineage graph.
var treeWriters = map[string]func(*lineage.Graph, io.Writer) error{
	"text": (*lineage.Graph).WriteText,
	"json": (*lineage.Graph).WriteJSON,
	"dot":  (*lineage.Graph).WriteDOT,
	"svg":  (*lineage.Graph).WriteSVG,
}

func treeCommand() *cobra.Command {
	var format, file string
	var asJSON, quiet bool
	c := &cobra.Command{
		Use:   "tree MODEL…",
		Short: "draw the lineage of several models",
		Long: `tree compares all pairs of models and draws who was made from whom. A model may
have two parents. Where neither one-way evidence nor a merge recipe tells parent
from child, the edge says that its direction is undetermined.`,
		Example: "  weightprint tree models/* --format svg -o lineage.svg",
		Args:    args(cobra.MinimumNArgs(2)),
		RunE: func(c *cobra.Command, refs []string) error {
			if asJSON {
				format = "json"
			}
			write := treeWriters[format]
			if write == nil {
				return usageError{oneOf("format", format, []string{"text", "json", "dot", "svg"})}
			}
			var in []report.Input
			var read []func() int64
			most := int64(0)
			for _, ref := range refs {
				m, err := openModel(c.Context(), ref, nil)
				if err != nil {
					return err
				}
				defer m.Close()
				in = append(in, report.FromCheckpoint(c.Context(), m))
				read, most = append(read, m.BytesRead), most+m.BytesTotal()
			}
			p := startProgress(c.ErrOrStderr(), quiet, most, func() (n int64) {
				for _, f := range read {
					n += f()
				}
				return n
			})
			g, err := lineage.Build(c.Context(), in, nil)
			p.stop()
			if err != nil {
				return err
			}
			out := output{file: file}
			return out.write(c.OutOrStdout(), func(w io.Writer) error { return write(g, w) })
		},
	}
	fl := c.Flags()
	fl.StringVar(&format, "format", "text", "text, json, dot or svg")
	fl.BoolVarP(&quiet, "quiet", "q", false, "show no progress")
	fl.BoolVar(&asJSON, "json", false, "short for --format json")
	fl.StringVarP(&file, "output", "o", "", "file to write")
	return c
}
