package report

import (
	"fmt"
	"strings"

	"github.com/weightprint/weightprint/internal/columns"
	"github.com/weightprint/weightprint/internal/escape"
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
	for i, b := range v.Because {
		t.Row(columns.FirstOnly("because", i), b)
	}
	for i, a := range v.Alternatives {
		t.Row(columns.FirstOnly("not excluded", i), a)
	}
	for i, x := range v.Excludes {
		t.Row(columns.FirstOnly("excluded", i), x)
	}
	t.Row("power", r.Power.Words())
	t.next(r, len(v.Next))
	t.Line("")
}

var componentColumns = []columns.Column{{Head: "component", Width: 26, Least: 10}, {Head: "tensors", Width: 7, Right: true, Drop: 2}, {Head: "share", Width: 7, Right: true, Drop: 1}, {Head: "relation", Width: 13, Gap: 2}, {Head: "log10 p", Width: 9, Right: true}, {Head: "effect", Width: 8, Right: true, Drop: 3}}

func (t *text) components(all []Component) {
	if len(all) == 0 {
		return
	}
	rows := make([][]string, len(all))
	for i, c := range all {
		rows[i] = []string{c.Name, fmt.Sprint(c.Tensors), fmt.Sprintf("%.1f%%", 100*float64(c.ParametersShare)), string(c.Relation), optional(c.Log10P), fmt.Sprintf("%.3f", float64(c.Effect))}
	}
	t.Table(componentColumns, rows, func(i int, line string) string {
		return strings.Replace(line, " "+string(all[i].Relation), " "+t.shade(string(all[i].Relation), all[i].Relation), 1)
	})
	t.Line("")
}

// layers says in a few lines which layer of A each layer of B comes from.
func (t *text) layers(all []Layer) {
	if len(all) == 0 {
		return
	}
	words := make([]string, len(all))
	for i, l := range all {
		from := "none"
		if l.A != nil {
			from = fmt.Sprint(*l.A)
		}
		words[i] = fmt.Sprintf("%d←%s", l.B, from)
		if l.Tower != "main" && l.Tower != "" {
			words[i] = l.Tower + "." + words[i]
		}
	}
	t.Row("layers B←A", strings.Join(words, "  "))
	t.Line("")
}

var roleColumns = []columns.Column{{Head: "role", Width: 26, Least: 10}, {Head: "matrices", Width: 8, Right: true, Drop: 2}, {Head: "rows", Width: 8, Right: true, Drop: 1}, {Head: "cosine", Width: 9, Right: true}, {Head: "relabelled at random", Width: 20, Least: 15, Gap: 3}}

// roles shows how alike rows of each kind of role are.
func (t *text) roles(all []RoleLikeness) {
	if len(all) == 0 {
		return
	}
	rows := make([][]string, len(all))
	for i, l := range all {
		low, high := l.Band()
		rows[i] = []string{l.Role, fmt.Sprint(l.Matrices), fmt.Sprint(l.Rows), fmt.Sprintf("%.3f", float64(l.Cosine)), fmt.Sprintf("%+.3f … %+.3f", low, high)}
	}
	t.Table(roleColumns, rows, nil)
	t.Line("")
}

func optional(n *verdict.Number) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f", float64(*n))
}

var evidenceColumns = []columns.Column{{Head: "test", Width: 18, Least: 12}, {Head: "axis", Width: 22, Least: 9}, {Head: "look", Width: 4, Right: true, Drop: 4}, {Head: "statistic", Width: 9, Right: true, Drop: 3}, {Head: "n", Width: 6, Right: true, Drop: 2}, {Head: "effect", Width: 7, Right: true}, {Head: "log10 p", Width: 8, Right: true}}

func (t *text) evidence(all []Evidence) {
	if len(all) == 0 {
		return
	}
	var rows [][]string
	for i := range all {
		if e := &all[i]; e.Skipped == "" {
			rows = append(rows, []string{e.Test, e.Axis, fmt.Sprint(e.Look), fmt.Sprintf("%.4g", float64(e.Statistic)), fmt.Sprint(e.N), fmt.Sprintf("%.3f", float64(e.Effect)), optional(e.Log10P)})
		}
	}
	t.Table(evidenceColumns, rows, nil)
	for i, s := range notes(all) {
		t.Row(columns.FirstOnly("notes", i), s)
	}
	for i, s := range notRun(all) {
		t.Row(columns.FirstOnly("not run", i), s)
	}
	t.Line("")
}

// Notes lists what the tests remark, each remark once with the tests that make
// it.
func (r *Report) Notes() []string { return notes(r.Evidence) }

func notes(all []Evidence) []string {
	by := map[string]string{}
	var order []string
	for i := range all {
		for _, w := range all[i].Warnings {
			if by[w] == "" {
				order = append(order, w)
				by[w] = w + ": "
			} else {
				by[w] += ", "
			}
			by[w] += all[i].Test + " " + all[i].Axis
		}
	}
	for i, w := range order {
		order[i] = by[w]
	}
	return order
}

// NotRun lists the tests that were not run, each group with its look and the
// reason.
func (r *Report) NotRun() []string { return notRun(r.Evidence) }

func notRun(all []Evidence) (out []string) {
	for i := 0; i < len(all); i++ {
		e := &all[i]
		if e.Skipped == "" {
			continue
		}
		names := e.Test
		for ; i+1 < len(all) && all[i+1].Skipped == e.Skipped && all[i+1].Look == e.Look; i++ {
			names += ", " + all[i+1].Test
		}
		out = append(out, fmt.Sprintf("%s (look %d): %s", names, e.Look, e.Skipped))
	}
	return out
}

var controlColumns = []columns.Column{{Head: "among controls", Width: 38, Least: 16}, {Head: "effect", Width: 7, Right: true}, {Head: "pairs", Width: 6, Right: true, Drop: 2}, {Head: "99 %", Width: 8, Right: true, Drop: 3}, {Head: "largest", Width: 8, Right: true}, {Head: "p", Width: 6, Right: true, Drop: 1}}

// controls shows calibrated effects beside those of control pairs.
func (t *text) controls(all []Evidence) {
	var rows [][]string
	for i := range all {
		e := &all[i]
		if c := e.Controls; c != nil {
			rows = append(rows, []string{e.Test + " " + e.Axis, fmt.Sprintf("%.3f", float64(e.Effect)), fmt.Sprint(c.N), fmt.Sprintf("%.3f", float64(c.Q99)), fmt.Sprintf("%.3f", float64(c.Largest)), fmt.Sprintf("%.2g", float64(c.P))})
		}
	}
	if len(rows) > 0 {
		t.Table(controlColumns, rows, nil)
		t.Line("")
	}
}

// delta sums up how the values differ.
func (t *text) delta(d *Delta) {
	for i, s := range d.Words() {
		t.Row(columns.FirstOnly("values", i), s)
	}
	if d != nil {
		t.Line("")
	}
}

// Words says how the values differ.
func (d *Delta) Words() []string {
	if d == nil {
		return nil
	}
	read := "rows of all matrices"
	if d.Complete {
		read = "all values"
	}
	out := []string{fmt.Sprintf("%d tensors stand in the same role and shape (%s compared): %d equal, %d cast, %d quantised, %d different", d.Tensors, read, d.Equal, d.Cast, d.Quantised, d.Different)}
	if d.Different > 0 {
		out = append(out, fmt.Sprintf("|B−A|/|A| %.4g, cosine %.5f", float64(d.Relative), float64(d.Cosine)))
	}
	for _, x := range d.Types {
		out = append(out, fmt.Sprintf("%d tensors of %s are %s as %v, %d of them byte for byte what the type's reference rule gives", x.Tensors, x.Of, x.Storage, x.Type, x.Exact))
	}
	for _, m := range d.Maps {
		out = append(out, fmt.Sprintf("%s: %d of B's %d units come from among A's %d", m.Axis, len(m.B), m.OfB, m.OfA))
	}
	for _, x := range []struct {
		what  string
		roles []string
	}{{"only in A", d.OnlyA}, {"only in B", d.OnlyB}, {"of another shape", d.Shapes}} {
		if n := len(x.roles); n > 0 {
			out = append(out, fmt.Sprintf("%s: %s", x.what, strings.Join(x.roles[:min(n, 3)], ", ")))
			if n > 3 {
				out[len(out)-1] += fmt.Sprintf(" and %d more", n-3)
			}
		}
	}
	return out
}

// methods says how the report was made.
func (t *text) methods(r *Report) {
	for i, s := range r.Made() {
		t.Row(columns.FirstOnly("made by", i), s)
	}
}

// digestLetters is the length of a digest in hexadecimal.
const digestLetters = 64

// Made says how the report was made: program, methods, controls, options, seed.
func (r *Report) Made() []string {
	c := r.Methods.Controls
	out := []string{fmt.Sprintf("weightprint %s, schema %s, methods version %d, policy version %d", r.Tool.Version, r.Schema, r.Methods.Version, r.Policy.Version)}
	if c.Pairs > 0 {
		out = append(out, fmt.Sprintf("controls version %d: %d pairs of %d networks, %s", c.Version, c.Pairs, c.Networks, c.Digest))
	}
	out = append(out, fmt.Sprintf("budget %s, depth %s, alpha %g, power at cosine %g; seed:", r.Options.Budget, r.Options.Depth, float64(r.Options.Policy.Alpha), float64(r.Options.Policy.Cosine)))
	for i := 0; i < len(r.Seed); i += digestLetters {
		out = append(out, r.Seed[i:min(len(r.Seed), i+digestLetters)])
	}
	return out
}
