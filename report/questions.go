package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity"
)

// Question is one thing that a comparison asks, with the results that answer it.
type Question struct {
	Title   string
	Words   string // what an answer is worth
	Answers []string
	Found   []*Evidence // results that show something
	Nothing []*Evidence // results that show nothing; they may be unable to
	Nulls   []string    // what each test assumes, with its name
}

// byLabels tells whether a result looks at order, place or sign of units: all exact
// tests do, but for the one on tokens.
func byLabels(e *Evidence) bool {
	return e.Tier == string(similarity.Exact) && e.Test != verdict.TokenSigns
}

// byLearning tells whether a result tells derivation from a shared initialisation.
func byLearning(e *Evidence) bool {
	return e.Test == verdict.Gains || e.Test == verdict.ActingGains || e.Test == verdict.LeadingDirections
}

// byContent is every other result.
func byContent(e *Evidence) bool { return !byLabels(e) && !byLearning(e) }

// questions are what a comparison asks of the tests.
var questions = []struct {
	title, words string
	answers      func(*Evidence) bool
}{
	{"Do the labels correspond?", "Order, place and sign of units, in raw coordinates, which a disguise hides from, and in those of tokens or other layers. These results are the surest by H0, but somebody may have arranged one file after the other: alone they make no relation.", byLabels},
	{"Is the content the same?", "What no arrangement of an independent network brings about. It may have been planted where the output does not use it.", byContent},
	{"What was learned in common?", "Tells descent from two trainings that share a random initialisation only.", byLearning},
}

// Questions groups the results by what they ask: the values themselves first, then
// labels, content and what was learned. Results of tests that were not run are left
// out; NotRun lists them.
func (r *Report) Questions() []Question {
	out := []Question{{Title: "Are the values the same?", Words: "Tensors of one role and shape, value by value.", Answers: r.Delta.Words()}}
	for _, q := range questions {
		x := Question{Title: q.title, Words: q.words}
		for i := range r.Evidence {
			e := &r.Evidence[i]
			if e.Skipped != "" || !q.answers(e) {
				continue
			}
			if e.nothing() {
				x.Nothing = append(x.Nothing, e)
			} else {
				x.Found = append(x.Found, e)
			}
		}
		x.Nulls = nulls(slices.Concat(x.Found, x.Nothing))
		out = append(out, x)
	}
	return slices.DeleteFunc(out, func(q Question) bool { return len(q.Answers)+len(q.Found)+len(q.Nothing) == 0 })
}

// A result shows nothing where its p is above a thousandth, where it is no larger
// than the largest of its controls or than what arranging reaches, and where less
// than a twentieth of the units agree.
const nothingLog10P, nothingShare = -3, 0.05

func (e *Evidence) nothing() bool {
	switch {
	case e.Log10P != nil:
		return *e.Log10P > nothingLog10P
	case e.Test == verdict.Likeness:
		return e.Effect <= e.Statistic
	case e.Controls != nil:
		return e.Effect <= e.Controls.Largest
	case e.Test == verdict.HeldOutAgreement, e.Test == verdict.Agreement:
		return e.Effect < nothingShare
	}
	return false
}

// seesThrough ends the names of axes in coordinates that no rotation alters.
var seesThrough = []string{"anchored)", "(token-free)"}

// Blind says what a result cannot see, empty where no disguise that is known hides
// from it.
func (e *Evidence) Blind() string {
	if byContent(e) && e.Test != verdict.Likeness && e.Test != verdict.Agreement {
		return ""
	}
	through := slices.ContainsFunc(seesThrough, func(end string) bool { return strings.HasSuffix(e.Axis, end) })
	switch {
	case !through:
		return "cannot see a disguise"
	case byLabels(e) && e.Test != verdict.Signs: // the others look for units at their place, or in their order
		return "cannot see units in another order"
	}
	return ""
}

// nulls lists what tests assume, each assumption once with the tests that make it.
func nulls(all []*Evidence) (out []string) {
	by := map[string][]string{}
	var order []string
	for _, e := range all {
		if by[e.Null] == nil {
			order = append(order, e.Null)
		}
		if !slices.Contains(by[e.Null], e.Test) {
			by[e.Null] = append(by[e.Null], e.Test)
		}
	}
	for _, null := range order {
		out = append(out, fmt.Sprintf("%s: %s", strings.Join(by[null], ", "), null))
	}
	return out
}

// NothingWords lists the results that showed nothing in a line, empty if there are
// none.
func (q *Question) NothingWords() string {
	if len(q.Nothing) == 0 {
		return ""
	}
	by := map[string][]string{}
	var order, words []string
	for _, e := range q.Nothing {
		b, name := e.Blind(), e.Test+" "+e.Axis
		if by[b] == nil {
			order = append(order, b)
		}
		if !slices.Contains(by[b], name) {
			by[b] = append(by[b], name)
		}
	}
	for _, b := range order {
		words = append(words, strings.Join(by[b], ", "))
		if b != "" {
			words[len(words)-1] += " (" + b + ")"
		}
	}
	return fmt.Sprintf("Found nothing (%d results): %s", len(q.Nothing), strings.Join(words, "; "))
}
