package report

import (
	"fmt"
	"strings"

	"github.com/weightprint/weightprint/internal/columns"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report/page"
	"github.com/weightprint/weightprint/report/verdict"
)

// shades are the terminal's colours for relations: an addition to the word.
var shades = map[verdict.Relation]string{
	verdict.Identical: "1;35", verdict.Reencoded: "1;35", verdict.Related: "1;35", verdict.SharedInit: "1;36", verdict.NoEvidence: "1;32", verdict.Inconclusive: "1;33",
}

// shade colours words that name a relation, after they have been made visible.
func (t *text) shade(words string, r verdict.Relation) string {
	if code := shades[r]; t.colour && code != "" {
		return "\x1b[" + code + "m" + words + "\x1b[0m"
	}
	return words
}

// mostFiles is how many files of a subject text lists.
const mostFiles = 4

func (t *text) subject(name string, s *Subject) {
	t.Hang(name+"  ", escape.Printable(s.Ref))
	t.Hang("   ", fmt.Sprintf("%s, %s parameters, %s%s", s.Storage(), columns.Count(s.Parameters), taken(s), revision(s)))
	if s.Root != nil {
		t.Hang("   ", "values "+s.Root.String())
	} else {
		t.Hang("   ", "header "+s.Header.String())
	}
	for i, f := range s.Files {
		if i == mostFiles {
			t.Hang("   ", fmt.Sprintf("and %d more files, listed in the JSON form", len(s.Files)-i))
			break
		}
		t.Hang("   ", fmt.Sprintf("%s, %s, %s", columns.Fit(f.Path, 32), columns.Size(f.Size), f.pinned()))
	}
}

func revision(s *Subject) string {
	if s.Revision == "" {
		return ""
	}
	return ", revision " + escape.Printable(s.Revision)
}

// Sum is what is known of the file's SHA-256: computed, or else what is said of it.
func (f *File) Sum() string {
	switch {
	case f.SHA256 != "":
		return "SHA-256 " + f.SHA256
	case f.Named != "":
		return "SHA-256 " + f.Named + " as its store states; not checked"
	}
	return "no SHA-256: not read whole (--pin reads it)"
}

// pinned says by which digest a file is pinned.
func (f *File) pinned() string {
	switch {
	case f.Digest != nil:
		return f.Digest.String()[:19] + "…"
	case f.ReadDigest != nil:
		return fmt.Sprintf("%d ranges read, %s…", f.RangesRead, f.ReadDigest.String()[:19])
	}
	return "not pinned"
}

func (t *text) verdict(r *Report) {
	v := &r.Verdict
	t.Raw(t.shade(strings.ToUpper(escape.Visible(string(v.Relation)))+escape.Visible(tierWords(*v)), v.Relation) + "\n")
	t.Row("strength", v.Strength)
	t.Row("", v.Statement)
	t.Row("H1", r.Propositions.H1)
	t.Row("H0", r.Propositions.H0)
	t.Row("kinds", kindWords(v.Kinds))
	t.Row("direction", v.DirectionWords())
	if v.Reading != nil {
		t.Row("reading", v.Reading.Words())
	}
	if r.Carry != nil && !r.Carry.Measured && v.Asks() {
		t.Row("carry", r.Carry.Words())
	}
	if v.Precedence != nil {
		t.Row("precedence", v.Precedence.Words())
	}
}

// block writes one block of a section.
func (t *text) block(label string, b *page.Block) {
	switch {
	case b.Table != nil:
		t.table(b.Table)
	case b.Words != "":
		t.Row(label, b.Words)
	}
	for i, x := range b.Items {
		t.Row(columns.FirstOnly(label, i), x.Words)
	}
}

// table writes a table, with names of relations coloured.
func (t *text) table(x *page.Table) {
	all, relation := make([]columns.Column, len(x.Columns)), -1
	for i, c := range x.Columns {
		if all[i] = c.Column; c.Relation {
			relation = i
		}
	}
	var paint func(int, string) string
	if relation >= 0 {
		paint = func(i int, line string) string {
			name := x.Rows[i][relation]
			return strings.Replace(line, " "+name, " "+t.shade(name, verdict.Relation(name)), 1)
		}
	}
	t.Table(all, x.Rows, paint)
}
