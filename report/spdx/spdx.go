// Package spdx writes a report as an SPDX 3.0.1 document with its AI profile: both
// models as AI packages with their files, and the relation between them, which refers
// to the evidence that it rests on.
//
// B is a descendant or an ancestor of A only where dates and a stated assumption say
// so, and otherwise, where the two are of common origin, a variant. Where no common
// trained origin was found no relation is stated, and the annotation says why.
package spdx

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// element is one element of the graph, by its properties in the JSON form.
type element map[string]any

// Write writes the document as JSON-LD. It states no time, so that the same report gives
// the same bytes: the date that SPDX requires is that of the epoch, and says so.
func Write(r *report.Report, w io.Writer) error {
	d := &document{base: base(r)}
	d.preamble(r)
	a, b := d.model("A", r.Subjects[0]), d.model("B", r.Subjects[1])
	d.describe(b, r)
	d.relate(a, b, r)
	d.graph = append(d.graph, element{
		"type": "SpdxDocument", "spdxId": d.id("document"), "creationInfo": creation, "name": "weightprint report",
		"profileConformance": []string{"core", "software", "ai"}, "rootElement": []string{b["spdxId"].(string)},
	})
	return escape.WriteJSON(w, element{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": d.graph})
}

// creation is the blank node of the one CreationInfo.
const creation = "_:creation"

// base begins the identifiers of a report's elements: the same comparison, the same name.
func base(r *report.Report) string {
	h := sha256.Sum256([]byte(r.Seed + "\x00" + string(r.Verdict.Relation) + "\x00" + r.Tool.Version))
	return "https://spdx.org/spdxdocs/weightprint-" + hex.EncodeToString(h[:16]) + "#"
}

type document struct {
	base  string
	graph []element
}

func (d *document) id(name string) string { return d.base + name }

func (d *document) add(e element) element {
	d.graph = append(d.graph, e)
	return e
}

// preamble says who made the document and with what.
func (d *document) preamble(r *report.Report) {
	d.add(element{
		"type": "CreationInfo", "@id": creation, "specVersion": "3.0.1", "created": "1970-01-01T00:00:00Z",
		"createdBy": []string{d.id("agent")}, "createdUsing": []string{d.id("tool")},
		"comment": "The report states no time, so that it can be made again to the byte; this date stands for none.",
	})
	d.add(element{"type": "SoftwareAgent", "spdxId": d.id("agent"), "creationInfo": creation, "name": r.Tool.Name})
	d.add(element{"type": "Tool", "spdxId": d.id("tool"), "creationInfo": creation, "name": r.Tool.Name + " " + r.Tool.Version})
}

// model adds a checkpoint as an AI package with its files.
func (d *document) model(side string, s report.Subject) element {
	p := d.add(element{
		"type": "ai_AIPackage", "spdxId": d.id(side), "creationInfo": creation, "name": baseName(s.Ref),
		"software_primaryPurpose": "model", "description": fmt.Sprintf("%s, %d parameters", s.Storage(), s.Parameters),
	})
	if s.Root != nil {
		p["comment"] = "digest over all values: " + s.Root.String()
	}
	if s.Revision != "" {
		p["software_packageVersion"] = s.Revision
	}
	var files []string
	for i, f := range s.Files {
		e := d.add(element{"type": "software_File", "spdxId": d.id(fmt.Sprintf("%s-file-%d", side, i+1)), "creationInfo": creation, "name": f.Path, "software_primaryPurpose": "file"})
		if f.SHA256 != "" {
			e["verifiedUsing"] = []element{{"type": "Hash", "algorithm": "sha256", "hashValue": f.SHA256}}
		}
		files = append(files, e["spdxId"].(string))
	}
	if files != nil {
		d.relation(side+"-contains", "contains", p, files, "")
	}
	return p
}

// baseName leaves out folders: where somebody keeps models is nobody's concern.
func baseName(ref string) string {
	return path.Base(filepath.ToSlash(strings.TrimRight(ref, `/\`)))
}

// describe says of B what the profile has room for.
func (d *document) describe(b element, r *report.Report) {
	if len(r.Limits) > 0 {
		b["ai_limitation"] = strings.Join(r.Limits, " ")
	}
	if len(r.Verdict.Kinds) > 0 {
		words := make([]string, len(r.Verdict.Kinds))
		for i, k := range r.Verdict.Kinds {
			words[i] = string(k)
		}
		b["ai_informationAboutTraining"] = fmt.Sprintf("By its weights it differs from %s as follows: %s. Weights name no direction.", baseName(r.Subjects[0].Ref), strings.Join(words, ", "))
	}
}

// kinds are the relationships by the direction of the verdict.
var kinds = map[verdict.Direction]string{verdict.AToB: "descendantOf", verdict.BToA: "ancestorOf"}

// relate states the relation of B to A and the evidence that it rests on.
func (d *document) relate(a, b element, r *report.Report) {
	v := r.Verdict
	notes := words(r)
	d.add(element{
		"type": "Annotation", "spdxId": d.id("evidence"), "creationInfo": creation, "annotationType": "review",
		"subject": b["spdxId"], "statement": notes, "contentType": "text/plain",
	})
	d.relation("has-evidence", "hasEvidence", b, []string{d.id("evidence")}, "")
	switch v.Relation {
	case verdict.Identical, verdict.Reencoded, verdict.Related:
		kind := kinds[v.Direction]
		if kind == "" {
			kind = "hasVariant"
		}
		d.relation("relation", kind, b, []string{a["spdxId"].(string)}, v.DirectionWords())
	}
}

func (d *document) relation(name, kind string, from element, to []string, comment string) {
	e := d.add(element{"type": "Relationship", "spdxId": d.id(name), "creationInfo": creation, "from": from["spdxId"], "to": to, "relationshipType": kind})
	if comment != "" {
		e["comment"] = comment
	}
}

// words put the verdict into sentences.
func words(r *report.Report) string {
	v := r.Verdict
	lines := []string{fmt.Sprintf("Compared with %s: %s (%s, %s tier).", baseName(r.Subjects[0].Ref), v.Relation, v.Strength, v.Tier)}
	if v.Log10P != nil {
		lines = append(lines, fmt.Sprintf("log10 p: %.6g. H0: %s", float64(*v.Log10P), r.Propositions.H0))
	}
	for _, s := range v.Because {
		lines = append(lines, "Because: "+s+".")
	}
	for _, s := range v.Alternatives {
		lines = append(lines, "Not excluded: "+s+".")
	}
	return strings.Join(lines, "\n")
}
