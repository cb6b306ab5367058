package report

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/weightprint/weightprint/internal/columns"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report/verdict"
)

// screenRows is how many lines the short form has at most, in 80 columns.
const screenRows = 24

// lengths says how many rows each part of the short form may take.
type lengths struct{ findings, lists, warnings, steps int }

// tighter lists lengths in the order in which they are tried.
var tighter = []lengths{{2, 3, 2, 2}, {2, 2, 1, 2}, {1, 2, 1, 2}, {1, 1, 1, 2}, {1, 1, 1, 1}}

// findings is how many the short form lists.
const findings = 3

// WriteBrief writes the verdict on one screen of 24 lines of 80 columns: what it
// is in plain words, how sure and under which assumption, what it rests on, what
// it does not exclude, what to do next. WriteStyled writes everything.
func (r *Report) WriteBrief(w io.Writer, s Style) error {
	n := tighter[0]
	for _, n = range tighter {
		if strings.Count(r.brief(Style{}, n), "\n") <= screenRows {
			break
		}
	}
	_, err := io.WriteString(w, r.brief(s, n))
	return err
}

// brief lays the short form out.
func (r *Report) brief(s Style, n lengths) string {
	t := &text{columns.Text{Columns: s.Columns}, s.Colour}
	v := &r.Verdict
	t.Raw(t.shade(strings.ToUpper(escape.Visible(string(v.Relation))), v.Relation) + "\n")
	for _, line := range columns.Wrap(v.Plain(), t.Width()) {
		t.Line("%s", line)
	}
	t.Line("")
	for i, name := range r.shortNames() {
		t.Row(verdict.Side(i), columns.Clip(r.Subjects[i].oneLine(name), 1))
	}
	t.Row("how sure", sure(v))
	t.Row("", limited(v))
	t.Row("H0 says", columns.Clip(verdict.ShortH0, n.lists))
	t.Row("how made", columns.Clip(howMade(v), n.lists))
	if v.Direction != verdict.Undetermined {
		t.Row("direction", v.DirectionWords()) // whole, with what it assumes
	}
	t.clipped("because", v.Because, findings, n.findings)
	t.clipped("excluded", v.Excludes, 2, n.lists)
	t.Row("not excluded", columns.Clip(shortened(v.Alternatives), n.lists))
	if v.Reading != nil {
		t.Row("reading", columns.Clip("(no finding) "+v.Reading.Words(), n.lists))
	}
	if v.Precedence != nil {
		t.Row("precedence", columns.Clip(v.Precedence.Words(), n.lists))
	}
	t.Row("warning", columns.Clip(firstOf(r.Warnings), n.warnings))
	t.next(r, n.steps)
	t.Row("more", "-v prints everything; weightprint explain WORD")
	return t.String()
}

// shortNames are the references of the subjects, without their middles where they are
// long, and without what both begin with where nothing else would tell them apart.
func (r *Report) shortNames() (out [2]string) {
	const most = 24
	refs := [2][]rune{}
	for i := range refs {
		refs[i] = []rune(escape.Printable(r.Subjects[i].Ref))
		out[i] = columns.Fit(string(refs[i]), most)
	}
	if out[0] != out[1] {
		return out
	}
	same := 0
	for same < min(len(refs[0]), len(refs[1])) && refs[0][same] == refs[1][same] {
		same++
	}
	for i := range out {
		if same < len(refs[i]) {
			out[i] = columns.Fit("…"+string(refs[i][same:]), most)
		}
	}
	return out
}

// oneLine says what a subject is.
func (s *Subject) oneLine(name string) string {
	read := taken(s)
	if s.BytesRead == s.BytesTotal {
		read = "read whole, " + columns.Size(s.BytesTotal)
	}
	return fmt.Sprintf("%s: %s, %s parameters, %s", name, s.Storage(), columns.Count(s.Parameters), read)
}

// clipped writes the first few items, each within its rows.
func (t *text) clipped(label string, items []string, most, rows int) {
	for i, s := range items[:min(most, len(items))] {
		t.Row(columns.FirstOnly(label, i), columns.Clip("• "+s, rows))
	}
}

// sure says how sure a verdict is, and on what assumption.
func sure(v *verdict.Verdict) string {
	p := ""
	if v.Log10P != nil {
		p = fmt.Sprintf("p ≤ 1e%.0f if H0 holds", math.Ceil(float64(*v.Log10P)))
	}
	switch {
	case v.Relation == verdict.NoEvidence:
		return v.Strength + ", against descent as excluded below"
	case v.Lead:
		return "a lead, no finding: sketches correspond (" + p + "); they can be arranged or forged"
	case v.Relation == verdict.Inconclusive && v.Tier == "exact":
		return "undecided: order or place of units agree (" + p + "), which somebody may have arranged"
	case v.Relation == verdict.Inconclusive:
		return "undecided: the findings favour neither"
	case v.Relation == verdict.Identical, v.Relation == verdict.Reencoded, v.ByValues():
		return v.Strength + ", from values that were compared one by one"
	case v.Tier == "exact" && p != "":
		return v.Strength + "; " + p
	}
	return v.Strength + ", held against pairs of independent networks"
}

// limited says why moderate words stand beside a tiny p or equal values: no ratio is
// stated beyond what so many independent pairs of controls can show.
func limited(v *verdict.Verdict) string {
	if n := v.Limited(); n > 0 {
		return fmt.Sprintf("capped: only %d control pairs are independent (explain strength)", n)
	}
	return ""
}

// howMade says by what the two differ, and that weights name no direction.
func howMade(v *verdict.Verdict) string {
	if v.Relation != verdict.Related && v.Relation != verdict.Reencoded {
		return ""
	}
	words := kindWords(v.Kinds)
	if words == "" {
		words = "not told"
	}
	if v.Direction == verdict.Undetermined {
		return words + "; which came first: undetermined"
	}
	return words
}

// shortened lists explanations in a few words each.
func shortened(all []string) string {
	short := make([]string, len(all))
	for i, a := range all {
		short[i] = verdict.Short(a)
	}
	return strings.Join(short, "; ")
}

// firstOf is the first of several sentences, with the number of the others.
func firstOf(all []string) string {
	switch len(all) {
	case 0:
		return ""
	case 1:
		return all[0]
	}
	return fmt.Sprintf("(1 of %d) %s", len(all), all[0])
}

// Step is one way to settle an open verdict: what to do, and the command for it,
// empty where there is none.
type Step struct{ Words, Command string }

// Steps lists what would settle an open verdict, with the subjects' references in
// the commands.
func (r *Report) Steps() []Step {
	refs, base, adapter := [2]string{}, "", ""
	for i := range refs {
		ref, on := r.Subjects[i].named()
		if on != "" && adapter == "" {
			adapter = verdict.Side(i)
		}
		if escape.Printable(ref) == ref && len(ref) <= longestRef {
			refs[i] = ref
		}
		if on != "" && on != r.Subjects[1-i].Ref {
			base = on
		}
	}
	out := make([]Step, len(r.Verdict.Next))
	for i, s := range r.Verdict.Next {
		if at, ok := strings.CutSuffix(s, " ADAPTER"); ok && adapter != "" {
			s = at + " " + adapter
		}
		out[i].Words, out[i].Command = verdict.StepWords(s, refs)
		if base != "" && strings.HasPrefix(out[i].Command, "weightprint compare ") {
			out[i].Command = withBase(out[i].Command, base)
		}
	}
	return out
}

// named takes the reference of an adapter on its base apart, as it was named on the
// command line; base is "" for any other subject. One that cannot be taken apart for
// sure has no reference.
func (s Subject) named() (ref, base string) {
	if !strings.HasSuffix(s.Format, "+adapter") {
		return s.Ref, ""
	}
	parts := strings.Split(s.Ref, " + ")
	if len(parts) != 2 {
		return "", ""
	}
	return parts[1], parts[0]
}

// withBase names the base in a command that compares an adapter.
func withBase(command, base string) string {
	if before, ok := strings.CutSuffix(command, " --base BASE"); ok {
		command = before
	}
	_, quoted := verdict.StepWords("weightprint A", [2]string{base})
	return command + " --base " + strings.TrimPrefix(quoted, "weightprint ")
}

// longestRef is how many bytes of a reference a command shows; others stay A and B.
const longestRef = 100

// next writes what to do about an open verdict.
func (t *text) next(r *Report, most int) {
	all := r.Steps()
	for i, s := range all[:min(most, len(all))] {
		t.Row(columns.FirstOnly("next", i), s.Words+":")
		t.Row("", s.Command)
	}
}
