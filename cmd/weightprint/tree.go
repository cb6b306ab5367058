package main

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/lineage"
	"github.com/weightprint/weightprint/similarity/index"
)

// treeForms lists the forms of a tree.
var treeForms = []string{"text", "json", "dot", "svg"}

// treeWriters are the forms of a lineage graph.
var treeWriters = map[string]func(*lineage.Graph, io.Writer) error{
	"text": (*lineage.Graph).WriteText,
	"json": (*lineage.Graph).WriteJSON,
	"dot":  (*lineage.Graph).WriteDOT,
	"svg":  (*lineage.Graph).WriteSVG,
}

func treeCommand() *cobra.Command {
	var format, file, index string
	var asJSON bool
	c := &cobra.Command{
		Use:   "tree MODEL…",
		Short: "draw the lineage of several models",
		Long: `tree draws which of several models may have been made from which. Each is read once;
of more than four, those are compared that are nearest to each other, and the ends of every
edge. A model may have two parents. Weights name no direction: a dotted edge follows a
reading of marks, and where there is none the edge says that it is undetermined.

Fingerprints (.wfp) and the entries of an index may stand for models. Where any
are given, the tree is drawn from fingerprints alone: a screening.`,
		Example: "  weightprint tree models/* --format svg -o lineage.svg\n  weightprint tree --index models.wpi suspect/",
		RunE: func(c *cobra.Command, refs []string) error {
			if asJSON {
				format = "json"
			}
			if format == "" {
				if err := unwrittenForm(file, unwrittenTrees); err != nil {
					return usageError{err}
				}
				format = formOf(file, treeWriters)
			}
			write := treeWriters[format]
			if write == nil {
				return usageError{oneOf("format", format, treeForms)}
			}
			to, err := destine(c, refs, file, isResult)
			if err != nil {
				return err
			}
			g, err := lineageOf(c, refs, index)
			if err != nil {
				return err
			}
			return to.write(func(w io.Writer) error { return write(g, w) })
		},
	}
	fl := c.Flags()
	fl.StringVar(&index, "index", "", "index whose entries are put into the tree too")
	fl.StringVar(&format, "format", "", "text, json, dot or svg (default: what the ending of -o says, else text)")
	completes(c, "format", treeForms)
	fl.BoolVar(&asJSON, "json", false, "short for --format json")
	fl.StringVarP(&file, "output", "o", "", "file to write")
	return c
}

// lineageOf draws the graph of models; from fingerprints, where some are given
// as such.
func lineageOf(c *cobra.Command, refs []string, index string) (*lineage.Graph, error) {
	if index != "" || slices.ContainsFunc(refs, isPrint) {
		s, err := sketchesOf(c, refs, index)
		if err != nil {
			return nil, err
		}
		return lineage.Screen(c.Context(), s, nil)
	}
	if len(refs) < 2 {
		return nil, usageError{errors.New("tree: one model has no lineage; give two or more, or an index")}
	}
	var in []report.Input
	var open []*formats.Checkpoint
	for _, ref := range refs {
		m, err := openModel(c.Context(), ref, nil)
		if err != nil {
			return nil, err
		}
		defer m.Close()
		in = append(in, report.FromCheckpoint(c.Context(), m))
		open = append(open, m)
	}
	defer watch(c, open...)()
	return lineage.Build(c.Context(), in, nil)
}

// mostTreeEntries bounds the pairs that are held against each other.
const mostTreeEntries = 2000

// sketchesOf are the fingerprints of models, of fingerprint files and of all
// entries of an index.
func sketchesOf(c *cobra.Command, refs []string, file string) (out []report.Sketched, err error) {
	for _, ref := range refs {
		f, err := printWatched(c, ref, int64(report.Full))
		if err != nil {
			return nil, err
		}
		out = append(out, report.Sketched{Ref: source.Redacted(ref), Fingerprint: f})
	}
	if file == "" {
		return out, nil
	}
	x, err := index.Open(file)
	if err != nil {
		return nil, err
	}
	defer x.Close()
	if n := len(out) + x.Len(); n > mostTreeEntries {
		return nil, fmt.Errorf("%s: a tree holds at most %d models, here are %d; find relatives with index search first", escape.Printable(file), mostTreeEntries, n)
	}
	bad := x.Bad()
	for i := range x.Len() {
		e, err := x.Entry(i)
		if err != nil {
			bad = append(bad, index.Bad{Number: x.Number(i), Name: e.Name, Err: err})
			continue
		}
		out = append(out, report.Sketched{Ref: e.Name, Fingerprint: e.Fingerprint})
	}
	warnOf(c, bad)
	return out, nil
}
