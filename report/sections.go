package report

import (
	"slices"

	"github.com/weightprint/weightprint/report/page"
)

// section is a row of the description of a written report.
type section struct {
	name  string
	shows string // fields of the JSON form, separated by blanks
	of    func(*Report, page.Form) []page.Section
}

// sections describes what a written report consists of behind its head. Text,
// Markdown and HTML walk it, and the schema is held against it: to add a section, add
// its row here and its name to the order of each form that is to have it. What a form
// draws itself it looks up by the name of the drawing.
var sections = []section{
	{"because", "verdict", lines("Because", "because", func(r *Report) []string { return r.Verdict.Because })},
	{"not-excluded", "verdict", lines("Not excluded", "not excluded", func(r *Report) []string { return r.Verdict.Alternatives })},
	{"excluded", "verdict", lines("Excluded", "excluded", func(r *Report) []string { return r.Verdict.Excludes })},
	{"reading", "verdict", readingSection},
	{"next", "verdict subjects", nextSection},
	{"power", "power", powerSection},
	{"pictures", "evidence roles layerScores delta", picturesSection},
	{"components", "components", componentsSection},
	{"layers", "layers", layersSection},
	{"questions", "evidence delta", questionsSection},
	{"evidence", "evidence", evidenceSection},
	{"notes", "evidence", lines("Notes", "notes", (*Report).Notes)},
	{"not-run", "evidence", lines("Not run", "not run", (*Report).NotRun)},
	{"controls", "evidence", controlsSection},
	{"roles", "roles", rolesSection},
	{"values", "delta", lines("Values", "values", func(r *Report) []string { return r.Delta.Words() })},
	{"warnings", "warnings", lines("Warnings", "warning", func(r *Report) []string { return r.Warnings })},
	{"limits", "limits", lines("Limits", "limits", func(r *Report) []string { return r.Limits })},
	{"inputs", "subjects", inputsSection},
	{"glossary", "verdict components methods", glossarySection},
	{"made", "tool options methods policy nonce seed schema", madeSection},
}

// head is what the head of every form shows, before the first section.
const head = "verdict subjects propositions carry"

// orders lists the sections of each form in their order. In text those that stand
// together have no blank line between them.
var orders = map[page.Form][][]string{
	page.Text: {
		{"because", "not-excluded", "excluded", "power", "next"}, {"components"}, {"layers"}, {"roles"},
		{"evidence", "notes", "not-run"}, {"controls"}, {"values"}, {"warnings"}, {"limits"}, {"made"},
	},
	page.Markdown: {
		{"because", "not-excluded", "excluded", "reading", "next"}, {"components", "questions", "roles", "layers"},
		{"notes", "not-run", "warnings", "limits", "glossary", "made"},
	},
	page.HTML: {
		{"because", "not-excluded", "excluded", "reading", "next", "power"}, {"pictures", "components", "layers", "questions"},
		{"notes", "not-run", "roles", "warnings", "limits", "inputs", "glossary", "made"},
	},
}

// Sections are the parts of the report in a form, in groups of those that stand
// together. Those that hold nothing are left out.
func (r *Report) Sections(f page.Form) (out [][]page.Section) {
	for _, names := range orders[f] {
		var group []page.Section
		for _, name := range names {
			i := slices.IndexFunc(sections, func(s section) bool { return s.name == name })
			group = append(group, sections[i].of(r, f)...)
		}
		if len(group) > 0 {
			out = append(out, group)
		}
	}
	return out
}

// one is a section of blocks.
func one(title, label string, blocks ...page.Block) []page.Section {
	return []page.Section{{Title: title, Label: label, Blocks: blocks}}
}

// lines is a section that lists what a report says of something, if it says anything.
func lines(title, label string, of func(*Report) []string) func(*Report, page.Form) []page.Section {
	return func(r *Report, _ page.Form) []page.Section {
		all := of(r)
		if len(all) == 0 {
			return nil
		}
		return one(title, label, page.Block{Items: page.Items(all)})
	}
}
