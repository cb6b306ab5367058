package main

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report"
)

// verifyScript checks a case with the program, and its digests without it.
//
//go:embed case_verify.sh
var verifyScript string

// commands lists how each file is made again.
func (x *exhibit) commands() string {
	r := x.report
	a, b := escape.Printable(r.Subjects[0].Ref), escape.Printable(r.Subjects[1].Ref)
	lines := []string{fmt.Sprintf("# weightprint %s; a and b stand for the models:", r.Tool.Version), "#   a = " + a, "#   b = " + b}
	for _, f := range caseForms {
		words := x.command()
		if f.form == "json" {
			lines = append(lines, words+" --format json -o report.json")
			continue
		}
		lines = append(lines, fmt.Sprintf("weightprint show report.json --format %s -o %s", f.form, f.file))
	}
	for _, side := range sides {
		lines = append(lines, fmt.Sprintf("weightprint fingerprint %s -o %s.wfp", side, side))
		if m := manifestOf(side); x.files[m] != nil {
			lines = append(lines, fmt.Sprintf("weightprint manifest %s --allow-symlinks -o %s", side, m))
		}
	}
	return strings.Join(append(lines, "weightprint verify report.json a b", "sha256sum -c "+sumsFile), "\n") + "\n"
}

// command is that of the report, with a and b for the models.
func (x *exhibit) command() string {
	named := *x.report
	named.Subjects = [2]report.Subject{{Ref: "a"}, {Ref: "b"}}
	return named.Command()
}

// caseFiles say what lies in a case; of the manifests those that were made.
var caseFiles = []struct{ name, what string }{
	{"report.html", "the report, to read and to print; its first page is the exhibit's title page"},
	{"report.json", "the same, whole: this is what `verify` makes anew and compares, field by field"},
	{"report.md, report.txt", "the same as text"},
	{"report.cdx.json, report.spdx.json", "bills of materials (CycloneDX 1.6, SPDX 3.0.1)"},
	{"statement.json", "an in-toto statement of the comparison, not signed"},
	{"a.manifest.json, b.manifest.json", "every file of the models with its SHA-256 (OpenSSF Model Signing)"},
	{"a.wfp, b.wfp", "fingerprints: digests of all values, and sketches"},
	{"controls.json", "the control population that calibrated results are held against"},
	{"report.schema.json", "the JSON Schema of report.json"},
	{"commands.txt", "the command that makes each file"},
	{"verify.sh", "checks all of this"},
	{sumsFile, "SHA-256 of every file here"},
}

// readme speaks to the expert of the other side.
func (x *exhibit) readme() string {
	r := x.report
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	list := func(title string, items []string) {
		if len(items) > 0 {
			line("\n%s\n", title)
			for _, s := range items {
				line("- %s", escape.Markdown(s))
			}
		}
	}
	line("# Comparison of the weights of two neural networks\n")
	line("For the expert of the other side. You need the two models, this folder and nothing else;\nweightprint %s is public, free, and gives the same bytes on any machine.\n", escape.Markdown(r.Tool.Version))
	line("**%s.** %s", strings.ToUpper(string(r.Verdict.Relation)), escape.Markdown(r.Verdict.Plain()))
	if r.Verdict.Statement != "" {
		line("\n%s", escape.Markdown(r.Verdict.Statement))
	}
	line("\n| | model | parameters |\n|---|---|---|")
	for i, s := range r.Subjects {
		line("| %c | %s | %d |", 'A'+i, escape.Markdown(s.Ref), s.Parameters)
	}
	line("\n- H1: %s\n- H0: %s", escape.Markdown(r.Propositions.H1), escape.Markdown(r.Propositions.H0))
	line("\n## Check it\n\n    sh verify.sh PATH-OF-A PATH-OF-B\n\nIt holds every file here against its digest, makes the report anew and names the first\nfield that differs, and holds manifests and fingerprints against the models. Exit code 4\nmeans that something differs. The nonce %s decided which units were read: ask who drew\nit, when, and whether the files were fixed before.", nonceWords(r))
	line("\n## What to attack\n\nA p-value here is a statement about H0, and H0 is narrow. Rejecting it leaves open:")
	list("Not excluded by the evidence:", r.Verdict.Alternatives)
	line("\n- who took from whom: weights name no direction (this report: %s);", escape.Markdown(r.Verdict.DirectionWords()))
	line("- whether the files examined are the files in dispute: custody is not in any weight;\n- whether the controls resemble this case: controls.json says what they are, and your own\n  controls (same recipe, other seed) count more;\n- the choice of this pair: how many were looked at before?")
	list("Limits of every comparison of weights:", r.Limits)
	list("Warnings of this one:", r.Warnings)
	line("\n## What lies here\n\n| file | |\n|---|---|")
	for _, f := range caseFiles {
		if names := x.lying(f.name); names != "" {
			line("| %s | %s |", names, f.what)
		}
	}
	for _, side := range sides {
		if x.files[manifestOf(side)] == nil {
			line("\nThere is no manifest of %s: it did not lie on the machine that made this case.", strings.ToUpper(side))
		}
	}
	return b.String()
}

// sides name the subjects in the names of files.
var sides = []string{"a", "b"}

// manifestOf names the manifest of a side.
func manifestOf(side string) string { return side + ".manifest.json" }

// lying leaves those manifests out of a list of names that were not made.
func (x *exhibit) lying(names string) string {
	all := slices.DeleteFunc(strings.Split(names, ", "), func(name string) bool {
		return strings.HasSuffix(name, manifestOf("")) && x.files[name] == nil
	})
	return strings.Join(all, ", ")
}

// nonceWords show the nonce as text.
func nonceWords(r *report.Report) string {
	if r.Nonce == nil {
		return "(none)"
	}
	return escape.Markdown(*r.Nonce)
}
