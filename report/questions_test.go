package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report/verdict"
)

// Every result that was run stands under one question; what shows nothing is
// folded, and what cannot see says so.
func TestQuestionsHoldAllEvidence(t *testing.T) {
	r := golden(t, "related")
	p := func(x float64) *verdict.Number { return verdict.NumberOf(x) }
	r.Evidence = append(r.Evidence,
		Evidence{Test: verdict.FixedPoints, Tier: "exact", Axis: "mlp (anchored)", Log10P: p(-2), Null: "exchangeable"},
		Evidence{Test: verdict.Agreement, Axis: "mlp (anchored)", Effect: 0.9, Controls: &verdict.Standing{Largest: 0.02}, Null: "controls"},
		Evidence{Test: verdict.Agreement, Axis: "mlp (raw)", Effect: 0.01, Controls: &verdict.Standing{Largest: 0.02}, Null: "controls"},
		Evidence{Test: verdict.Likeness, Axis: "mlp (raw)", Effect: 0.2, Statistic: 0.3, Null: "no arrangement"},
		Evidence{Test: "of somebody else", Axis: "x", Null: "theirs"},
	)
	n := 0
	where := map[string]string{}
	for _, q := range r.Questions() {
		n += len(q.Found) + len(q.Nothing)
		for _, e := range q.Nothing {
			where[e.Test+" "+e.Axis] = e.Blind()
		}
		if len(q.Found)+len(q.Nothing) > 0 {
			require.NotEmpty(t, q.Nulls, q.Title)
		}
	}
	ran := 0
	for _, e := range r.Evidence {
		if e.Skipped == "" {
			ran++
		}
	}
	require.Equal(t, ran, n)
	require.Equal(t, map[string]string{"fixed-points mlp (anchored)": "cannot see units in another order", "agreement mlp (raw)": "cannot see a disguise", "likeness mlp (raw)": "cannot see a disguise"}, where)
	require.Equal(t, "Are the values the same?", r.Questions()[0].Title)
}

// Every result of the suite names its null.
func TestEvidenceNamesItsNull(t *testing.T) {
	for _, e := range golden(t, "related").Evidence {
		if e.Skipped == "" {
			require.NotEmpty(t, e.Null, e.Test)
		}
	}
}

// Long forms show what the short one shows, and H0 in full once.
func TestLongFormsShowEverything(t *testing.T) {
	for _, name := range stored {
		r := golden(t, name)
		for form, write := range map[string]func(*bytes.Buffer) error{"md": func(b *bytes.Buffer) error { return r.WriteMarkdown(b) }, "text": func(b *bytes.Buffer) error { return r.WriteText(b) }} {
			var b bytes.Buffer
			require.NoError(t, write(&b))
			bare := strings.Join(strings.Fields(strings.NewReplacer(`\`, "", "**", "").Replace(b.String())), " ")
			v := &r.Verdict
			require.Equal(t, 1, strings.Count(bare, r.Propositions.H0), form)
			for _, s := range append(append(append([]string{}, v.Because...), v.Alternatives...), v.Excludes...) {
				require.Contains(t, bare, strings.Join(strings.Fields(s), " "), "%s of %s", form, name)
			}
			for _, s := range r.Steps() {
				require.Contains(t, bare, s.Command, form)
			}
			if v.Reading != nil {
				require.Contains(t, bare, v.Reading.Reverse, form)
			}
		}
	}
}
