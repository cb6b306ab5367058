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
	t.Line("%s  %s", name, escape.Printable(s.Ref))
	t.Line("   %s, %s parameters, %s%s", s.Storage(), columns.Count(s.Parameters), taken(s), revision(s))
	if s.Root != nil {
		t.Line("   values %s", s.Root)
	} else {
		t.Line("   header %s", s.Header)
	}
	for i, f := range s.Files {
		if i == mostFiles {
			t.Line("   and %d more files, listed in the JSON form", len(s.Files)-i)
			break
		}
		t.Line("   %s, %s, %s", columns.Fit(f.Path, 32), columns.Size(f.Size), f.pinned())
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
	t.Row("power", r.Power.Words())
	t.Line("")
}

func (t *text) components(all []Component) {
	if len(all) == 0 {
		return
	}
	t.Line("%-26s %7s %7s  %-13s %9s %8s", "component", "tensors", "share", "relation", "log10 p", "effect")
	for _, c := range all {
		// The colour is added to the word in its place.
		row := escape.Visible(fmt.Sprintf("%-26s %7d %6.1f%%  %-13s %9s %8.3f", columns.Fit(c.Name, 26), c.Tensors, 100*float64(c.ParametersShare), c.Relation, optional(c.Log10P), float64(c.Effect)))
		t.Raw(strings.Replace(row, "  "+string(c.Relation), "  "+t.shade(string(c.Relation), c.Relation), 1) + "\n")
	}
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

// roles shows how alike rows of each kind of role are.
func (t *text) roles(all []RoleLikeness) {
	if len(all) == 0 {
		return
	}
	t.Line("%-26s %8s %8s %9s   %s", "role", "matrices", "rows", "cosine", "relabelled at random")
	for _, l := range all {
		low, high := l.Band()
		t.Line("%-26s %8d %8d %9.3f   %+.3f … %+.3f", columns.Fit(l.Role, 26), l.Matrices, l.Rows, float64(l.Cosine), low, high)
	}
	t.Line("")
}

func optional(n *verdict.Number) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f", float64(*n))
}

func (t *text) evidence(all []Evidence) {
	if len(all) == 0 {
		return
	}
	t.Line("%-18s %-22s %4s %9s %6s %7s %8s", "test", "axis", "look", "statistic", "n", "effect", "log10 p")
	for i := range all {
		e := &all[i]
		if e.Skipped != "" {
			continue
		}
		t.Line("%-18s %-22s %4d %9.4g %6d %7.3f %8s", columns.Fit(e.Test, 18), columns.Fit(e.Axis, 22), e.Look, float64(e.Statistic), e.N, float64(e.Effect), optional(e.Log10P))
	}
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

// controls shows calibrated effects beside those of control pairs.
func (t *text) controls(all []Evidence) {
	head := true
	for i := range all {
		e := &all[i]
		if e.Controls == nil {
			continue
		}
		if head {
			t.Line("%-41s %7s %6s %8s %8s %6s", "among controls", "effect", "pairs", "99 %", "largest", "p")
			head = false
		}
		t.Line("%-41s %7.3f %6d %8.3f %8.3f %6.2g", columns.Fit(e.Test+" "+e.Axis, 41), float64(e.Effect), e.Controls.N, float64(e.Controls.Q99), float64(e.Controls.Largest), float64(e.Controls.P))
	}
	if !head {
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
