package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// isCase tells whether a folder is a case.
func isCase(dir string) bool {
	for _, name := range []string{sumsFile, "report.json"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || !info.Mode().IsRegular() {
			return false
		}
	}
	return true
}

// verifyCase holds the files of a case against their digests and, with both models,
// makes the report anew and holds manifests and fingerprints against them.
func (f *verifyFlags) verifyCase(c *cobra.Command, dir string, models []string) error {
	if err := takes(c, "a case", "base", "policy", "dated", "roots"); err != nil {
		return err
	}
	if len(models) != 0 && len(models) != 2 {
		return usageError{errors.New("verify: a case takes two models, A and B, or none for its digests alone")}
	}
	if err := checkSums(c.OutOrStdout(), dir); err != nil {
		return err
	}
	if err := checkForms(c.OutOrStdout(), dir); err != nil {
		return err
	}
	if len(models) == 0 {
		fmt.Fprintln(c.OutOrStdout(), "the models were not looked at: with A and B the comparison is made anew")
		return nil
	}
	text, err := readSmall(filepath.Join(dir, "report.json"))
	if err != nil {
		return err
	}
	f.folder = dir
	if err := f.verifyReport(c, filepath.Join(dir, "report.json"), text, models); err != nil {
		return err
	}
	for i, model := range models {
		side := strings.ToLower(verdict.Side(i))
		if err := verifyFingerprint(c, filepath.Join(dir, side+".wfp"), model); err != nil {
			return err
		}
		manifest := filepath.Join(dir, manifestOf(side))
		text, err := readSmall(manifest)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := (&verifyFlags{}).verifyStatement(c, manifest, text, []string{model}); err != nil {
			return err
		}
	}
	return nil
}

// checkSums holds every file of a case against its digest.
func checkSums(w io.Writer, dir string) error {
	list, err := readSmall(filepath.Join(dir, sumsFile))
	if err != nil {
		return err
	}
	listed := map[string]bool{sumsFile: true}
	for _, line := range strings.Split(strings.TrimSuffix(string(list), "\n"), "\n") {
		sum, name, ok := strings.Cut(line, "  ")
		if !ok || !filepath.IsLocal(name) || name != filepath.Base(name) {
			return fmt.Errorf("%s: %q is no digest with a name", filepath.Join(dir, sumsFile), line)
		}
		text, err := readSmall(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) {
			fmt.Fprintf(w, "differs: %s, which %s lists, is missing\n", escape.Printable(name), sumsFile)
			return exitCode(exitMismatch)
		}
		if err != nil {
			return err
		}
		if got := sha256.Sum256(text); hex.EncodeToString(got[:]) != sum {
			fmt.Fprintf(w, "differs: %s is not the file whose digest %s states\n", name, sumsFile)
			return exitCode(exitMismatch)
		}
		listed[name] = true
	}
	if err := checkListed(w, dir, listed); err != nil {
		return err
	}
	fmt.Fprintf(w, "%d files are as %s states\n", len(listed)-1, sumsFile)
	return nil
}

// checkListed requires that the list of digests names what lies in the folder, and every
// file that each case has.
func checkListed(w io.Writer, dir string, listed map[string]bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !listed[e.Name()] {
			fmt.Fprintf(w, "differs: %s lies in the folder, and %s does not list it\n", escape.Printable(e.Name()), sumsFile)
			return exitCode(exitMismatch)
		}
	}
	for _, f := range caseFiles {
		for _, name := range strings.Split(f.name, ", ") {
			if !listed[name] && !strings.HasSuffix(name, manifestOf("")) { // see checkManifests
				fmt.Fprintf(w, "differs: %s does not list %s, which every case has\n", sumsFile, name)
				return exitCode(exitMismatch)
			}
		}
	}
	if !listed["README.md"] {
		fmt.Fprintf(w, "differs: %s does not list README.md, which every case has\n", sumsFile)
		return exitCode(exitMismatch)
	}
	return nil
}

// checkForms writes the other forms of the report anew from its JSON: a page must not say
// what the record does not.
func checkForms(w io.Writer, dir string) error {
	text, err := readSmall(filepath.Join(dir, "report.json"))
	if err != nil {
		return err
	}
	r, err := report.ParseJSON(text)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(dir, "report.json"), err)
	}
	x := &exhibit{report: r}
	if err := x.checkManifests(w, dir); err != nil {
		return err
	}
	if r.Tool.Version != report.Version() {
		fmt.Fprintf(w, "note: version %q made this case; that its other forms say what report.json says was not checked\n", escape.Printable(r.Tool.Version))
		return nil
	}
	for _, f := range caseForms {
		stated, err := readSmall(filepath.Join(dir, f.file))
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := writers[f.form](r, &b); err != nil {
			return err
		}
		if !bytes.Equal(stated, b.Bytes()) {
			fmt.Fprintf(w, "differs: %s is not what report.json gives\n", f.file)
			return exitCode(exitMismatch)
		}
	}
	for _, f := range []struct{ name, want string }{
		{"README.md", x.readme()}, {"commands.txt", x.commands()}, {"verify.sh", verifyScript}, {"controls.json", verdict.ControlsJSON()}, {"report.schema.json", string(report.JSONSchema())},
	} {
		stated, err := readSmall(filepath.Join(dir, f.name))
		if err != nil {
			return err
		}
		if string(stated) != f.want {
			fmt.Fprintf(w, "differs: %s is not what this case gives\n", f.name)
			return exitCode(exitMismatch)
		}
	}
	return nil
}

// checkManifests notes which manifests lie in a case, and requires that of every subject
// that lay on the machine that made it: one that a server had may have none.
func (x *exhibit) checkManifests(w io.Writer, dir string) error {
	x.files = map[string][]byte{}
	for i, side := range sides {
		name := manifestOf(side)
		text, err := readSmall(filepath.Join(dir, name))
		if err == nil {
			x.files[name] = text
			continue
		}
		s := &x.report.Subjects[i]
		if _, remote := source.Local(s.Ref); errors.Is(remote, source.ErrNotStored) || strings.HasSuffix(s.Format, "+adapter") {
			continue
		}
		fmt.Fprintf(w, "differs: %s is missing, though %s lay on the machine that made this case\n", name, strings.ToUpper(side))
		return exitCode(exitMismatch)
	}
	return nil
}
