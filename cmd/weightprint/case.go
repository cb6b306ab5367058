package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/internal/outfile"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/intoto/oms"
	"github.com/weightprint/weightprint/report/verdict"
)

// sumsFile lists the digests of a case's files, as sha256sum reads them.
const sumsFile = "SHA256SUMS"

func caseCommand() *cobra.Command {
	var f compareFlags
	c := &cobra.Command{
		Use:   "case DIR A B",
		Short: "put a comparison with all that checks it into one folder",
		Long: `case compares A with B and writes a new folder that the other side's expert can work
from: the report in every form, manifests and fingerprints of both models, the control
population, the commands, a README that says what to check and what to attack, and a
script that checks it. Whole files are read for their digests. A nonce is drawn and
recorded unless --nonce gives one; with the same nonce the same files give the same
folder to the byte.

weightprint verify DIR A B makes the report anew and holds everything in the folder
against the models.`,
		Example: `  weightprint case exhibit-7/ base/ suspect/
  weightprint verify exhibit-7/ base/ suspect/`,
		Args: args(cobra.ExactArgs(3)),
		RunE: func(c *cobra.Command, a []string) error { return f.bundle(c, a[0], a[1:]) },
	}
	fl := c.Flags()
	fl.StringVar(&f.budget, "budget", "full", `bytes to compare of each model, such as 64MiB, or "full"`)
	fl.StringVar(&f.depth, "depth", string(report.Deep), "how far to go: quick, normal, full")
	fl.StringVar(&f.base, "base", "", "the model that a LoRA adapter among A and B is applied to")
	fl.StringVar(&f.nonce, "nonce", "", "a text that nobody could foresee when the files were made (default: drawn, and recorded)")
	f.dated.flags(fl)
	completes(c, "depth", []string{string(report.Quick), string(report.Normal), string(report.Deep)})
	return c
}

// exhibit is a case while it is put together.
type exhibit struct {
	models []string
	report *report.Report
	files  map[string][]byte
}

// bundle makes the folder, whole or not at all.
func (f *compareFlags) bundle(c *cobra.Command, dir string, models []string) error {
	f.out.format = "json"
	o, err := f.options(c.ErrOrStderr())
	if err != nil {
		return usageError{err}
	}
	if err := vacant(dir); err != nil {
		return err
	}
	o.Pin, o.Nonce = true, nonce(f.nonce, true)
	if err := f.dated.apply(o); err != nil {
		return err
	}
	f.quiet, _ = c.Flags().GetBool("quiet") // every verb has it
	r, err := f.compare(c.Context(), models, o, c.ErrOrStderr())
	if err != nil {
		return err
	}
	if r, err = asStated(r); err != nil {
		return err
	}
	x := &exhibit{models: models, report: r, files: map[string][]byte{}}
	if err := x.fill(c); err != nil {
		return err
	}
	if err := x.write(dir); err != nil {
		return err
	}
	fmt.Fprintf(c.OutOrStdout(), "%s\n%s: %d files; weightprint verify %s A B checks them\n", r.Summary(), escape.Printable(dir), len(x.files), escape.Printable(dir))
	return nil
}

// asStated is a report as its JSON states it, with as many digits: the other forms are
// made of that, and can be made of it again.
func asStated(r *report.Report) (*report.Report, error) {
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		return nil, err
	}
	return report.ParseJSON(b.Bytes())
}

// vacant requires that nothing lies at the place of a new folder, or an empty one.
func vacant(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(entries) > 0:
		return fmt.Errorf("%s is not empty; a case goes into a folder of its own", escape.Printable(dir))
	}
	return nil
}

// caseForms are the report's forms by the names of their files.
var caseForms = []struct{ file, form string }{
	{"report.json", "json"}, {"report.html", "html"}, {"report.md", "md"}, {"report.txt", "text"},
	{"report.cdx.json", "cyclonedx"}, {"report.spdx.json", "spdx"}, {"statement.json", "intoto"},
}

// fill makes all files in memory: they are small.
func (x *exhibit) fill(c *cobra.Command) error {
	for _, f := range caseForms {
		var b bytes.Buffer
		if err := writers[f.form](x.report, &b); err != nil {
			return fmt.Errorf("%s: %w", f.file, err)
		}
		x.files[f.file] = b.Bytes()
	}
	for i, ref := range x.models {
		if err := x.pin(c, strings.ToLower(verdict.Side(i)), ref); err != nil {
			return err
		}
	}
	x.files["controls.json"], x.files["report.schema.json"] = []byte(verdict.ControlsJSON()), report.JSONSchema()
	x.files["commands.txt"] = []byte(x.commands())
	x.files["README.md"] = []byte(x.readme())
	x.files["verify.sh"] = []byte(verifyScript)
	x.files[sumsFile] = x.sums()
	return nil
}

// pin adds a model's fingerprint, and its manifest where it lies on this machine.
func (x *exhibit) pin(c *cobra.Command, side, ref string) error {
	p, err := printWatched(c, ref, int64(report.Full))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if _, err := p.WriteTo(&b); err != nil {
		return err
	}
	x.files[side+".wfp"] = b.Bytes()
	path, err := source.Local(ref)
	if errors.Is(err, source.ErrNotStored) {
		return nil
	}
	if err != nil {
		return err
	}
	m, err := oms.Make(c.Context(), path, &oms.Options{AllowSymlinks: true})
	if err != nil {
		return err
	}
	s, err := m.Statement()
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := escape.WriteJSON(&text, s); err != nil {
		return err
	}
	x.files[manifestOf(side)] = text.Bytes()
	return nil
}

// names lists the files in order, without the list of digests.
func (x *exhibit) names() (out []string) {
	for name := range x.files {
		if name != sumsFile {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// sums lists the digests as sha256sum writes them.
func (x *exhibit) sums() []byte {
	var b bytes.Buffer
	for _, name := range x.names() {
		sum := sha256.Sum256(x.files[name])
		fmt.Fprintf(&b, "%s  %s\n", hex.EncodeToString(sum[:]), name)
	}
	return b.Bytes()
}

// write puts the files into a folder beside the place and then moves it there.
func (x *exhibit) write(dir string) error {
	return outfile.Folder(dir, x.files, func(name string) fs.FileMode {
		if strings.HasSuffix(name, ".sh") {
			return 0o755
		}
		return 0o644
	})
}
