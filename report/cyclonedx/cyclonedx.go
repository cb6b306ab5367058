// Package cyclonedx writes a report as a CycloneDX 1.6 bill of materials for the
// model B, whose pedigree holds A: as an ancestor where one-way evidence shows
// that B was made from A, as a descendant where it shows the reverse, and
// otherwise, where the two are of common origin, as a variant. Where no common
// trained origin was found the pedigree has no member and says why in its notes.
package cyclonedx

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// Write writes the bill of materials as JSON. It has no serial number and no
// time, so that the same report gives the same bytes.
func Write(r *report.Report, w io.Writer) error {
	var b bytes.Buffer
	if err := cdx.NewBOMEncoder(&b, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom(r), cdx.SpecVersion1_6); err != nil {
		return err
	}
	_, err := w.Write(escape.JSON(b.Bytes()))
	return err
}

func bom(r *report.Report) *cdx.BOM {
	b := model("model", r.Subjects[1])
	b.Pedigree = pedigree(r)
	b.Properties = &[]cdx.Property{}
	for _, p := range properties(r) {
		if p.Value != "" {
			*b.Properties = append(*b.Properties, p)
		}
	}
	b.ModelCard = &cdx.MLModelCard{Considerations: &cdx.MLModelCardConsiderations{TechnicalLimitations: &r.Limits}}
	out := cdx.NewBOM()
	out.Metadata = &cdx.Metadata{
		Tools:     &cdx.ToolsChoice{Components: &[]cdx.Component{{Type: cdx.ComponentTypeApplication, Name: r.Tool.Name, Version: r.Tool.Version}}},
		Component: &b,
	}
	return out
}

// model describes one checkpoint with its files.
func model(ref string, s report.Subject) cdx.Component {
	c := cdx.Component{BOMRef: ref, Type: cdx.ComponentTypeMachineLearningModel, Name: baseName(s.Ref)}
	c.Description = fmt.Sprintf("%s, %d parameters", s.Format, s.Parameters)
	files := []cdx.Component{}
	for i, f := range s.Files {
		x := cdx.Component{BOMRef: fmt.Sprintf("%s-file-%d", ref, i+1), Type: cdx.ComponentTypeFile, Name: f.Path}
		if f.SHA256 != "" {
			x.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: f.SHA256}}
		}
		files = append(files, x)
	}
	if len(files) > 0 {
		c.Components = &files
	}
	return c
}

// baseName leaves out folders: where somebody keeps models is nobody's concern.
func baseName(ref string) string {
	return path.Base(filepath.ToSlash(strings.TrimRight(ref, `/\`)))
}

// pedigree places A by the relation and the direction that were found.
func pedigree(r *report.Report) *cdx.Pedigree {
	p := &cdx.Pedigree{Notes: notes(r)}
	a := []cdx.Component{model("compared-with", r.Subjects[0])}
	switch r.Verdict.Relation {
	case verdict.Identical, verdict.Reencoded, verdict.Related:
	default:
		return p
	}
	switch r.Verdict.Direction {
	case verdict.AToB:
		p.Ancestors = &a
	case verdict.BToA:
		p.Descendants = &a
	default:
		p.Variants = &a
	}
	return p
}

// notes put the verdict into sentences.
func notes(r *report.Report) string {
	v := r.Verdict
	lines := []string{fmt.Sprintf("Compared with %s: %s (%s).", baseName(r.Subjects[0].Ref), v.Relation, v.Strength)}
	for _, s := range v.Because {
		lines = append(lines, "Because: "+s+".")
	}
	for _, s := range v.Alternatives {
		lines = append(lines, "Not excluded: "+s+".")
	}
	return strings.Join(lines, "\n")
}

// precedence is what dates say, empty without any.
func precedence(p *verdict.Precedence) string {
	if p == nil {
		return ""
	}
	return p.Words()
}

// properties state the verdict for programs. Empty ones are left out.
func properties(r *report.Report) []cdx.Property {
	v, a := r.Verdict, r.Subjects[0]
	kinds := make([]string, len(v.Kinds))
	for i, k := range v.Kinds {
		kinds[i] = string(k)
	}
	out := []cdx.Property{
		{Name: "weightprint:relation", Value: string(v.Relation)},
		{Name: "weightprint:kinds", Value: strings.Join(kinds, ",")},
		{Name: "weightprint:direction", Value: string(v.Direction)},
		{Name: "weightprint:precedence", Value: precedence(v.Precedence)},
		{Name: "weightprint:tier", Value: v.Tier},
		{Name: "weightprint:log10P", Value: decimal(v.Log10P)},
		{Name: "weightprint:score", Value: decimal(&v.Score)},
		{Name: "weightprint:values", Value: digest(r.Subjects[1])},
		{Name: "weightprint:compared-with", Value: baseName(a.Ref)},
		{Name: "weightprint:compared-with-values", Value: digest(a)},
	}
	for _, f := range a.Files {
		if f.SHA256 != "" {
			out = append(out, cdx.Property{Name: "weightprint:compared-with-sha256", Value: f.SHA256})
		}
	}
	return out
}

func digest(s report.Subject) string {
	if s.Root == nil {
		return ""
	}
	return s.Root.String()
}

func decimal(n *verdict.Number) string {
	if n == nil {
		return ""
	}
	return strconv.FormatFloat(float64(*n), 'g', 6, 64)
}
