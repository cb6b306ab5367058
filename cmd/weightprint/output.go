package main

import (
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/cyclonedx"
	"github.com/weightprint/weightprint/report/html"
	"github.com/weightprint/weightprint/report/intoto"
	"github.com/weightprint/weightprint/report/spdx"
)

// output says in which form and where to a report is written.
type output struct {
	format string
	json   bool
	file   string
	asked  bool // for this form, in so many words
}

// formNames lists the forms of a report, the usual ones first.
var formNames = []string{"text", "json", "md", "html", "cyclonedx", "spdx", "intoto"}

// writers are the forms of a report.
var writers = map[string]func(*report.Report, io.Writer) error{
	"text": (*report.Report).WriteText,
	"json": (*report.Report).WriteJSON,
	"md":   (*report.Report).WriteMarkdown,
	"html": html.Write,

	"cyclonedx": cyclonedx.Write,
	"spdx":      spdx.Write,
	"intoto":    intoto.Write,
}

func (o *output) flags(fl *pflag.FlagSet) {
	fl.StringVar(&o.format, "format", "", "form of the result: text, json, md, html, cyclonedx, spdx or intoto (default: what the ending of -o says, else text)")
	fl.BoolVar(&o.json, "json", false, "short for --format json")
	fl.StringVarP(&o.file, "output", "o", "", "write the result to a file")
}

// endings are the forms that the name of an output file asks for.
var endings = map[string]string{".json": "json", ".md": "md", ".html": "html", ".htm": "html", ".svg": "svg", ".dot": "dot", ".gv": "dot"}

// formOf is the form to write where none is asked for: the one that the name of
// the file says, if writers have it, else text.
func formOf[W any](file string, writers map[string]W) string {
	form := endings[strings.ToLower(filepath.Ext(file))]
	if _, ok := writers[form]; ok {
		return form
	}
	return "text"
}

// check looks at the flags before any work is done.
func (o *output) check() error {
	o.asked = o.json || o.format != ""
	if o.json {
		o.format = "json"
	}
	if o.format == "" {
		if err := unwrittenForm(o.file, unwritten); err != nil {
			return err
		}
		o.format = formOf(o.file, writers)
	}
	if writers[o.format] == nil {
		return oneOf("format", o.format, formNames)
	}
	return nil
}

// report writes a report. Text on the standard output is one screen unless all of it
// is asked for; on a terminal it is as wide as that, and coloured where colours are
// wanted.
func (o *output) report(r *report.Report, stdout io.Writer, all bool) func(io.Writer) error {
	if o.format != "text" || !isStream(o.file) {
		return func(w io.Writer) error { return writers[o.format](r, w) }
	}
	s := report.Style{}
	if isTerminal(stdout) {
		s = report.Style{Columns: columnsOf(stdout), Colour: colours(stdout)}
	}
	if all {
		return func(w io.Writer) error { return r.WriteStyled(w, s) }
	}
	return func(w io.Writer) error { return r.WriteBrief(w, s) }
}

// Text is laid out for terminals of so many columns.
const narrowest, widest = 40, 200

// columnsOf is how wide text is laid out.
func columnsOf(w io.Writer) int { return max(narrowest, min(widest, terminalWidth(w))) }
