package report_test

import (
	"bytes"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/cyclonedx"
	"github.com/weightprint/weightprint/report/html"
	"github.com/weightprint/weightprint/report/intoto"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/delta"
	"github.com/weightprint/weightprint/similarity/exact"
	"github.com/weightprint/weightprint/similarity/stats"
)

// chance draws facts of every sort that tests can give, and some that they
// cannot.
type chance struct{ *rand.Rand }

func (c chance) one(of ...float64) float64 { return of[c.IntN(len(of))] }

func (c chance) word(of ...string) string { return of[c.IntN(len(of))] }

// p draws a logarithm of a probability: often far below any that can be printed
// as a number.
func (c chance) p() *stats.LogP {
	p := stats.LogP(c.one(0, -0.1, -3, -20.7, -21, -30, -700, -1e4, -1e9, -1e300, math.Inf(-1), math.NaN(), 1, -40*c.Float64()))
	return &p
}

func (c chance) evidence() similarity.Evidence {
	e := similarity.Evidence{
		Test:      c.word("fixed-points", "order", "signs", "swaps", "agreement", "token-gram", "qk-phases", "qk-sizes", "ov-spectra", "gains", "leading-directions", "other"),
		Component: c.word("mlp", "attention", "embeddings", "experts", "norms", "generic"), Tower: "main", LayerA: -1, LayerB: -1,
		Statistic: c.one(0, 1, 0.36, 0.5, 0.99, 384, 1e7), Effect: c.one(0, 0.05, 0.3, 0.5, 0.94, 1, c.Float64()), N: int(c.one(0, 1, 8, 64, 384, 5000, 1e7)), Null: "independent",
	}
	e.Axis = e.Component + c.word("", "", " (anchored)")
	if e.Tier = similarity.Calibrated; c.IntN(2) == 0 {
		e.Tier, e.P = similarity.Exact, c.p()
	}
	if c.IntN(4) == 0 {
		e.LayerA, e.LayerB = c.IntN(4), c.IntN(4)
	}
	if c.IntN(8) == 0 {
		e.Skipped, e.P = "too few units", nil
	}
	return e
}

// change draws how one tensor's values differ; oneWay allows what only one
// direction explains.
func (c chance) change(oneWay bool) delta.Change {
	n := int64(1000)
	x := delta.Change{Role: c.word("layers.0.mlp.up", "layers.0.attn.q", "layers.1.attn.v", "embed"), Component: c.word("mlp", "attention", "embeddings", "norms"), LayerB: -1, A: tensor.F32, B: tensor.F32, Complete: c.IntN(2) == 0}
	x.Stats = delta.Stats{N: n, Equal: int64(c.one(0, 10, 1000)), AA: 1000, BB: 1000, AB: c.one(0, 300, 900, 999), DD: 20}
	if oneWay {
		x.Stats.Round = [2]int64{int64(c.one(0, 1000)), int64(c.one(0, 1000))}
		x.Stats.Lattice, x.Stats.Within = [2]int64{n, 0}, [2]int64{int64(c.one(0, 1000)), 0}
		x.Stats.ZeroOnlyB, x.Stats.ZeroOnlyA = int64(c.one(0, 500)), int64(c.one(0, 500))
	}
	return x
}

// sizes are often equal.
func (c chance) sizes(oneWay bool) [2]int {
	n := [2]int{1 + c.IntN(3), 1 + c.IntN(3)}
	if !oneWay {
		n[1] = n[0]
	}
	return n
}

func (c chance) facts(oneWay bool) verdict.Facts {
	f := verdict.Facts{TokensByString: c.IntN(8) > 0, Eligible: c.one(0.5, 1, 1, 1), Power: exact.Power{Units: 384, Axes: c.IntN(3), Expected: 380, Reached: c.IntN(2) == 0}, Spent: c.IntN(30), Repeats: oneWay && c.IntN(3) == 0}
	for range c.IntN(12) {
		f.Evidence = append(f.Evidence, c.evidence())
	}
	for range c.IntN(6) {
		f.Storage.Changes = append(f.Storage.Changes, c.change(oneWay))
	}
	s := &f.Shape
	s.Hidden, s.Layers, s.Width, s.KVHeads, s.Experts, s.Vocabulary = c.sizes(oneWay), c.sizes(oneWay), c.sizes(oneWay), c.sizes(oneWay), c.sizes(oneWay), c.sizes(oneWay)
	s.Shuffled, s.HeadsMoved = c.one(0, 0.9), c.IntN(4) == 0
	if oneWay {
		s.FlatGains = [2]bool{c.IntN(2) == 0, c.IntN(2) == 0}
		s.Sources = []int{c.IntN(3) - 1, c.IntN(3) - 1, c.IntN(3) - 1}[:s.Layers[1]]
	}
	for range c.IntN(3) {
		x := &delta.Spectrum{Rows: 64, Cols: 64, Largest: c.Float64(), Rounding: c.Float64(), Flat: c.Float64(), Rank: c.IntN(9), Relative: c.Float64(), Kurtosis: 3, Levels: [2]float64{31, 31}, Filled: [2]float64{32, 32}}
		if oneWay {
			x.Levels[1] = c.one(5, 31)
		}
		f.Spectra = append(f.Spectra, delta.RoleSpectrum{Role: "layers.0.mlp.up", Component: "mlp", Spectrum: x})
	}
	if c.IntN(8) == 0 { // strangers, for once, with tests that had power
		p := stats.LogP(-0.1)
		f.Power.Reached, f.TokensByString, f.Eligible, f.Storage.Changes = true, true, 1, nil
		f.Evidence = []similarity.Evidence{
			{Test: "fixed-points", Axis: "mlp", Component: "mlp", Tower: "main", LayerA: -1, LayerB: -1, Tier: similarity.Exact, N: 384, P: &p},
			{Test: "agreement", Axis: "mlp (anchored)", Component: "mlp", Tower: "main", LayerA: -1, LayerB: -1, Tier: similarity.Calibrated, Statistic: 2, Effect: 0.001, N: 2000},
		}
	}
	f.Storage.Complete, f.Storage.InOrder = c.IntN(2) == 0, c.IntN(4) > 0
	return f
}

// renderers are all forms of a report.
var renderers = map[string]func(*report.Report, io.Writer) error{
	"text": (*report.Report).WriteText, "json": (*report.Report).WriteJSON, "md": (*report.Report).WriteMarkdown,
	"brief": func(r *report.Report, w io.Writer) error { return r.WriteBrief(w, report.Style{}) },
	"html":  html.Write, "cyclonedx": cyclonedx.Write, "intoto": intoto.Write,
	"line": func(r *report.Report, w io.Writer) error { _, err := io.WriteString(w, r.Summary()); return err },
}

var (
	// zeroP matches a probability of zero, in words or as a field.
	zeroP = regexp.MustCompile(`(?i)\bp"?\s*(=|≤|<=|<|&lt;|&lt;=|\\u003c=?|:)\s*"?0(\.0*)?(e[+-]?\d+)?([^.\de]|$)|-?inf\b|\bnan\b|1e0\b.*if the two`)
	arrow = regexp.MustCompile(`\b(a-to-b|b-to-a)\b`)
	// above is what the control population cannot support.
	// What lists all degrees: the scale, and the entry of the glossary that explains them.
	scale = regexp.MustCompile(`(?s)<table class="scale">.*?</table>|\| the verbal scale .*?\n\n|\n- strength: [^\n]*|<dt>strength</dt>\s*<dd>.*?</dd>`)
	above = regexp.MustCompile(`[^y] strong|very strong|extremely strong`)
)

func pinned(r *report.Report) {
	for i := range r.Subjects {
		r.Subjects[i] = report.Subject{Ref: "m", Format: "safetensors", Files: []report.File{{Path: "x", Digest: new(fingerprint.Digest), SHA256: strings.Repeat("0", 64)}}}
	}
}

// Whatever the evidence: no form of a report states a probability of zero or a
// likelihood ratio above what the controls support, no direction, and no reading
// without marks.
func TestNoReportOverstates(t *testing.T) {
	for text, bad := range map[string]bool{"p = 0": true, "(p ≤ 0)": true, `"p": 0,`: true, "p <= 0.00 if": true, "p ≤ 1e-Inf": true, "| NaN |": true, "p 0.0006": false, `"p": 0.000632911`: false, "p ≤ 1e-527": false, "p = 0.05": false} {
		require.Equal(t, bad, zeroP.MatchString(text), text)
	}
	n := cases(300, 500, 1000)
	c := chance{rand.New(rand.NewPCG(7, 1))}
	pairs := float64(verdict.Controls().Disjoint())
	require.Less(t, pairs, 1e3, "the words above would have to change")
	seen := map[verdict.Relation]int{}
	read := 0
	for i := range n {
		oneWay := i%2 == 0
		r := report.Assemble(c.facts(oneWay))
		pinned(r)
		v := r.Verdict
		seen[v.Relation]++
		require.LessOrEqual(t, float64(v.Score), pairs/(1+pairs)+1e-12)
		require.GreaterOrEqual(t, float64(v.Score), 0.0)
		require.Equal(t, verdict.Undetermined, v.Direction, "weights name no direction")
		if v.Reading != nil {
			read++
			require.True(t, oneWay, "a reading without marks: %v", v.Because)
			require.Contains(t, []verdict.Relation{verdict.Identical, verdict.Reencoded, verdict.Related}, v.Relation)
			require.NotEmpty(t, v.Reading.Reverse)
		}
		for form, write := range renderers {
			if (form == "html" || form == "cyclonedx") && i%8 > 1 {
				continue // slow
			}
			var b bytes.Buffer
			require.NoError(t, write(r, &b), form)
			require.NotRegexp(t, zeroP, b.String(), form)
			require.NotRegexp(t, above, scale.ReplaceAllString(b.String(), ""), form)
			if form != "json" && form != "intoto" { // which hold the reading's
				require.NotRegexp(t, arrow, b.String(), form)
			}
		}
	}
	for _, relation := range verdict.Relations() {
		require.NotZero(t, seen[relation], "%s never came up", relation)
	}
	require.NotZero(t, read)
}

// A test without a p-value, or with one that is no number, is shown, and never
// lowers what is stated.
func TestNothingIsGainedByBrokenTests(t *testing.T) {
	c := chance{rand.New(rand.NewPCG(8, 1))}
	for range 200 {
		f := c.facts(true)
		before := verdict.Policy{}.Decide(f)
		p := stats.LogP(math.NaN())
		f.Evidence = append(f.Evidence, similarity.Evidence{Test: "fixed-points", Axis: "mlp", Component: "mlp", Tower: "main", LayerA: -1, LayerB: -1, Tier: similarity.Exact, P: &p})
		after := verdict.Policy{}.Decide(f)
		if before.Log10P != nil {
			require.GreaterOrEqual(t, float64(*after.Log10P), float64(*before.Log10P))
		}
	}
}

func FuzzDecide(f *testing.F) {
	for i := range uint64(8) {
		f.Add(i, i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, seed uint64, oneWay bool) {
		r := report.Assemble(chance{rand.New(rand.NewPCG(seed, 2))}.facts(oneWay))
		pinned(r)
		forms := slices.Sorted(maps.Keys(renderers))
		form := forms[seed%uint64(len(forms))] // one at a time, for speed
		var b bytes.Buffer
		require.NoError(t, renderers[form](r, &b), form)
		require.NotRegexp(t, zeroP, b.String(), form)
		require.NotRegexp(t, above, scale.ReplaceAllString(b.String(), ""), form)
		require.True(t, oneWay || r.Verdict.Direction == verdict.Undetermined)
	})
}
