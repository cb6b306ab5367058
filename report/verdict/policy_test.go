package verdict

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/delta"
	"github.com/weightprint/weightprint/similarity/exact"
	"github.com/weightprint/weightprint/similarity/stats"
)

func exactEvidence(component string, log10 float64) similarity.Evidence {
	p := stats.LogP(log10 * math.Ln10)
	return similarity.Evidence{Test: "fixed-points", Axis: component, Component: component, Tower: "main", LayerA: -1, LayerB: -1, Tier: similarity.Exact, N: 100, P: &p}
}

func effect(test string, x float64, n int) similarity.Evidence {
	return similarity.Evidence{Test: test, Axis: "mlp", Component: "mlp", Tower: "main", LayerA: -1, LayerB: -1, Tier: similarity.Calibrated, Statistic: x * float64(n), Effect: x, N: n}
}

// likenessOf is a likeness beside a reach of 0.5.
func likenessOf(x float64) similarity.Evidence {
	e := effect(Likeness, x, 384)
	e.Statistic = 0.5
	return e
}

func gainsOf(c float64) similarity.Evidence {
	return similarity.Evidence{Test: "gains", Axis: "norms", Component: "norms", LayerA: -1, LayerB: -1, Tier: similarity.Calibrated, Statistic: c, Effect: c, N: 9}
}

func manyGains(c float64) similarity.Evidence {
	e := gainsOf(c)
	e.N = 900
	return e
}

func leadsOf(s float64) similarity.Evidence {
	return similarity.Evidence{Test: "leading-directions", Axis: "mlp", Component: "mlp", LayerA: -1, LayerB: -1, Tier: similarity.Calibrated, Statistic: s, Effect: 1, N: 90}
}

func throughTokens(s float64) similarity.Evidence {
	e := leadsOf(s)
	e.Axis = "mlp (anchored)"
	return e
}

// What learned directions say alone depends on where they were looked at, and
// near the middle the verdict names the other answer too.
func TestOriginWithoutGains(t *testing.T) {
	on := func(axis, component string, share float64) similarity.Evidence {
		e := leadsOf(share)
		e.Axis, e.Component = axis, component
		return e
	}
	for _, c := range []struct {
		name     string
		leads    similarity.Evidence
		relation Relation
		open     bool
	}{
		{"in place, as after real training", on("mlp", "mlp", 0.40), SharedInit, false},
		{"in place, as after light training or much", on("mlp", "mlp", 0.94), SharedInit, true},
		{"in place and kept", on("mlp", "mlp", 0.98), Related, true},
		{"roles unknown, apart", on("generic", "generic", 0.40), SharedInit, false},
		{"roles unknown, in between", on("generic", "generic", 0.80), SharedInit, true},
		{"roles unknown, kept", on("generic", "generic", 0.98), Related, true},
		{"through tokens, apart", on("mlp (anchored)", "mlp", 0.30), SharedInit, false},
		{"through tokens, kept", on("mlp (anchored)", "mlp", 0.50), Related, true},
		{"embeddings, apart", on("embeddings", "embeddings", 0.40), SharedInit, false},
		{"embeddings, kept", on("embeddings", "embeddings", 0.90), Related, true},
	} {
		v := Policy{}.Decide(Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -500), likenessOf(0.9), c.leads}})
		require.Equal(t, c.relation, v.Relation, "%s: %v", c.name, v.Because)
		if c.open {
			require.Contains(t, v.Alternatives, map[Relation]string{SharedInit: trainedAlike, Related: SameInit}[c.relation], c.name)
			require.NotContains(t, v.Statement, "nothing that training learned was found", c.name)
		}
	}
	v := Policy{}.Decide(Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -500), likenessOf(0.9)}})
	require.Equal(t, SharedInit, v.Relation)
	require.Contains(t, v.Statement, "whether it is more was not settled")

	// Gains are free: drawn anew, with columns divided, they settle nothing against
	// directions that were kept.
	v = Policy{}.Decide(Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -500), likenessOf(0.9), gainsOf(0.02), leadsOf(0.99)}})
	require.True(t, v.MoreIsOpen(), "%v", v.Because)
	v = Policy{}.Decide(Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -500), likenessOf(0.9), gainsOf(0.02), leadsOf(0.5)}})
	require.False(t, v.MoreIsOpen(), "%v", v.Because)
}

// onUnits are gains that correlate so as those of A act on units, and more as B's do, where
// so much would be expected of the same gains.
func onUnits(gains similarity.Evidence, c, expected float64) []similarity.Evidence {
	on := func(axis string, c float64) similarity.Evidence {
		return similarity.Evidence{Test: ActingGains, Axis: axis, Component: norms, LayerB: -1, N: 576, Effect: c, Statistic: expected}
	}
	return []similarity.Evidence{gains, on("norms of A", c), on("norms of B", 0.9)}
}

// Gains can be put on a network that shares the initialisation only, with the columns
// behind them divided: what acts on columns is then what it was. Gains paired by their
// values count where that can be asked, and agrees.
func TestGainsOfTheOther(t *testing.T) {
	byValue := manyGains(0.9)
	byValue.Axis = normsByValue
	for _, c := range []struct {
		name  string
		gains []similarity.Evidence
		acts  float64
		asked bool
		want  Relation
	}{
		{"as they act, too", []similarity.Evidence{manyGains(0.9)}, 0.6, true, Related},
		{"put on", []similarity.Evidence{manyGains(0.9)}, 0.1, true, SharedInit},
		{"not asked", []similarity.Evidence{manyGains(0.9)}, 0, false, Related},
		{"by value, as they act, too", []similarity.Evidence{byValue}, 0.6, true, Related},
		{"by value, put on", []similarity.Evidence{byValue}, 0.1, true, SharedInit},
		{"by value, not asked", []similarity.Evidence{byValue}, 0, false, SharedInit},
		{"on units, too", onUnits(manyGains(0.9), 0.4, 0.8), 0.6, true, Related},
		{"on units, though lengths of columns go along", onUnits(manyGains(0.9), -0.1, 0.8), 0.6, true, SharedInit},
		{"on units, of other networks", onUnits(manyGains(0.9), 0.04, 0.8), 0, false, SharedInit},
		{"on lengths of columns, though units go along", onUnits(manyGains(0.9), 0.4, 0.8), 0.1, true, SharedInit},
		{"on units, of one side alone", onUnits(manyGains(0.9), 0.4, 0.8)[:2], 0.6, true, SharedInit},
		{"on units that scatter too much to tell", onUnits(manyGains(0.9), 0.12, 0.15), 0.6, true, SharedInit},
	} {
		f := Facts{Evidence: append([]similarity.Evidence{exactEvidence("mlp", -500), likenessOf(0.9), leadsOf(0.8)}, c.gains...)}
		if c.asked {
			f.Storage.Changes = []delta.Change{{Component: mlp, Acting: delta.Acting{Correlation: c.acts, Columns: 96}}}
		}
		v := Policy{}.Decide(f)
		require.Equal(t, c.want, v.Relation, "%s: %v", c.name, v.Because)
		if c.want == SharedInit {
			require.True(t, v.MoreIsOpen(), c.name)
		}
	}
}

// Where the gains of one side are all equal the other side may have chosen its own, and
// they settle nothing; where both vary, the one that was not moved shows.
func TestGainsOfOneSide(t *testing.T) {
	both := onUnits(manyGains(0), 0.6, 0.8)
	for name, c := range map[string]struct {
		gains []similarity.Evidence
		flat  [2]bool
		want  Relation
	}{
		"one side": {both[:2], [2]bool{false, true}, SharedInit},
		"both":     {both, [2]bool{}, Related},
	} {
		f := Facts{Evidence: append([]similarity.Evidence{exactEvidence("mlp", -500), likenessOf(0.9), leadsOf(0.86)}, c.gains...)}
		f.Shape.FlatGains, f.Shape.Rescaled = c.flat, [2]bool{!c.flat[1], false}
		require.Equal(t, c.want, Policy{}.Decide(f).Relation, name)
	}
}

func TestDecide(t *testing.T) {
	power := exact.Power{Units: 384, Axes: 6, Expected: 380, Reached: true}
	for _, c := range []struct {
		name     string
		facts    Facts
		relation Relation
		tier     string
	}{
		{"nothing was compared", Facts{}, Inconclusive, "none"},
		{"no power", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", 0), effect("agreement", 0, 500)}}, Inconclusive, "none"},
		{"power, but the calibrated tests were not run", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", 0)}, Power: power}, Inconclusive, "none"},
		{"power and nothing found", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", 0), effect("agreement", 0.001, 5000)}, Power: power}, NoEvidence, "none"},
		{"not small enough", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -8.9), effect("agreement", 0.001, 5000)}, Power: power}, Inconclusive, "none"},
		{"as small as one in ten thousand", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -4), effect("agreement", 0.001, 5000)}, Power: power}, Inconclusive, "none"},
		{"gains that few norms show alike", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -500), likenessOf(0.9), gainsOf(0.6)}}, SharedInit, "exact"},
		{"the same gains of many norms", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -500), likenessOf(0.9), manyGains(0.6)}}, Related, "exact"},
		{"as small as one in a hundred", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -2), effect("agreement", 0.001, 5000)}, Power: power}, NoEvidence, "none"},
		{"small enough even after correction", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -12), likenessOf(0.9), gainsOf(0.9)}}, Related, "exact"},
		{"labels without content", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -600), gainsOf(1)}}, Inconclusive, "exact"},
		{"labels, and a likeness that arranging reaches", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -600), likenessOf(0.45), gainsOf(1)}}, Inconclusive, "exact"},
		{"labels, and raw agreement, which one rotation makes", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -600), raw(effect("agreement", 0.9, 1000))}}, Inconclusive, "exact"},
		{"agreement of as many units as free rows of embeddings make", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -600), effect("agreement", 0.4, 1000)}, Width: 96}, Inconclusive, "exact"},
		{"agreement of more", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -600), effect("agreement", 0.6, 1000), throughTokens(0.8)}, Width: 96}, Related, "exact"},
		{"agreement of a share that nobody could aim at", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -600), effect("agreement", 0.4, 1000), throughTokens(0.8)}, Width: 96, HiddenUnits: 10000, Unforeseen: true}, Related, "exact"},
		{"both sides hold one base", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -600), likenessOf(1)}, Tautology: "an adapter"}, Inconclusive, "none"},
		{"correction for many looks counts", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -9.5), likenessOf(0.9), gainsOf(0.9)}, Spent: 10}, Inconclusive, "none"},
		{"same seed, gains and directions apart", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -500), likenessOf(0.9), gainsOf(0.12), leadsOf(0.5)}}, SharedInit, "exact"},
		{"gains apart, directions kept, as lightly trained networks of one seed do", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -500), likenessOf(0.9), gainsOf(0.02), leadsOf(0.99)}}, SharedInit, "exact"},
		{"gains apart and no clear units", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -500), likenessOf(0.9), gainsOf(0.12)}}, SharedInit, "exact"},
		{"gains in between", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -500), likenessOf(0.9), gainsOf(0.37), leadsOf(0.7)}}, SharedInit, "exact"},
		{"disguised", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", 0), effect("agreement", 0.9, 1000), throughTokens(0.8)}, Power: power}, Related, "calibrated"},
		{"disguised, and only the initialisation is common", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", 0), effect("agreement", 0.2, 1000), throughTokens(0.3)}, Power: power}, SharedInit, "calibrated"},
		{"disguised, and nothing learned could be asked", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", 0), effect("agreement", 0.06, 1000)}, Power: power}, SharedInit, "calibrated"},
		{"invariants beyond their controls make no finding", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", 0), effect("agreement", 0.001, 5000), effect("qk-sizes", 0.99, 5000), effect("qk-phases", 0.99, 5000), effect("ov-spectra", 0.99, 5000)}, Power: power}, Inconclusive, "none"},
		{"agreement beyond its controls, too little for a finding", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", 0), effect("agreement", 0.045, 1000)}, Power: power}, Inconclusive, "none"},
		{"agreement of few units", Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", 0), effect("agreement", 0.09, 60)}, Power: power}, NoEvidence, "none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.facts.TokensByString, c.facts.Eligible = true, 1
			v := Policy{}.Decide(c.facts)
			require.Equal(t, c.relation, v.Relation, "%v", v.Because)
			require.Equal(t, c.tier, v.Tier)
			require.NotEmpty(t, v.Because)
			require.GreaterOrEqual(t, float64(v.Score), 0.0)
			require.LessOrEqual(t, float64(v.Score), 1.0)
		})
	}
}

// What must hold before nothing found means something.
func TestNoEvidenceNeedsTestsThatSee(t *testing.T) {
	clear := func() Facts {
		return Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", 0), effect("agreement", 0.001, 5000)}, Power: exact.Power{Units: 384, Axes: 6, Expected: 380, Reached: true}, TokensByString: true, Eligible: 1}
	}
	v := Policy{}.Decide(clear())
	require.Equal(t, NoEvidence, v.Relation)
	require.NotEmpty(t, v.Excludes)
	for name, spoil := range map[string]func(*Facts){
		"tokens paired by number":                func(f *Facts) { f.TokensByString = false },
		"duplicate units":                        func(f *Facts) { f.Eligible = 0.8 },
		"embeddings alike":                       func(f *Facts) { f.Evidence = append(f.Evidence, effect(UsedTokens, 1, 128)) },
		"heads alike":                            func(f *Facts) { f.Evidence = append(f.Evidence, effect(QKSizes, 0.95, 18)) },
		"agreement in the files' own basis only": func(f *Facts) { f.Evidence[1] = raw(f.Evidence[1]) },
		"one matrix of equal values":             func(f *Facts) { f.Equality.Learned = 1 },
		"no power":                               func(f *Facts) { f.Power.Reached = false },
	} {
		f := clear()
		spoil(&f)
		v := Policy{}.Decide(f)
		require.Equal(t, Inconclusive, v.Relation, name)
		require.NotEmpty(t, v.Next, name)
	}
}

// Every relation names what could explain it as well.
func TestAlternativesAreNamed(t *testing.T) {
	v := Policy{}.Decide(Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -500), likenessOf(0.99), gainsOf(0.99)}})
	require.Equal(t, Related, v.Relation)
	require.Subset(t, v.Alternatives, []string{commonAncestor, publicComponent, SameInit, imitation, passenger})
	v = Policy{}.Decide(Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -500), likenessOf(0.9), gainsOf(0.1), leadsOf(0.5)}})
	require.Equal(t, SharedInit, v.Relation)
	require.Contains(t, v.Alternatives, passenger)
	v = Policy{}.Decide(Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -500)}})
	require.Contains(t, v.Alternatives, arranged)
}

// raw puts an agreement into the coordinates that the files have.
func raw(e similarity.Evidence) similarity.Evidence {
	e.Axis = rawAgreement
	return e
}

// Adding a test that found nothing never lowers a corrected p-value.
func TestCorrectionIsMonotone(t *testing.T) {
	f := Facts{Evidence: []similarity.Evidence{exactEvidence("mlp", -20)}}
	p1, _ := f.Best(Any)
	f.Evidence = append(f.Evidence, exactEvidence("attention", 0))
	p2, _ := f.Best(Any)
	require.Greater(t, p2, p1)
}

// Marks that point both ways leave no reading, and no mark is a direction.
func TestOppositeMarksCancel(t *testing.T) {
	v := Verdict{Direction: Undetermined}
	v.suggest(AToB, reverses[Pruned], "zeros in B")
	require.Equal(t, AToB, v.Suggested())
	require.Equal(t, Undetermined, v.Direction)
	require.NotEmpty(t, v.Reading.Reverse)
	require.NotEmpty(t, v.Reading.Cost)
	v.suggest(BToA, reverses[CastKind], "A is rounded")
	v.suggest(AToB, reverses[Pruned], "zeros in B")
	require.Nil(t, v.Reading)
	require.Equal(t, Undetermined, v.Suggested())
}

// Agreement makes a finding from three times the largest control on, and leaves the
// verdict open from twice.
func TestAgreementBesideItsControls(t *testing.T) {
	const n, largest = 1000, 0.1 // far above the floor
	p := &Population{Strata: []Stratum{{Name: "same-data", Independent: true, Tests: map[string][]Control{Agreement: {{largest, n}, {0.02, n}}}}}}
	for times, c := range map[float64]struct {
		alone, open bool
	}{1.9: {}, 2.1: {false, true}, 2.9: {false, true}, 3.1: {true, false}} {
		f := Facts{Evidence: []similarity.Evidence{effect(Agreement, times*largest, n)}}
		found := f.Channels(p)
		require.Equal(t, c.alone, found.Found(), times)
		require.Equal(t, c.open, len(found.with) > 0, times)
	}
}

func TestControlsStand(t *testing.T) {
	p := &Population{Strata: []Stratum{{Name: "same-data", Independent: true, Tests: map[string][]Control{"x": {{0.1, 10}, {0.2, 10}, {0.3, 10}}}}, {Name: "shared-init", Tests: map[string][]Control{"x": {{0.9, 10}}}}}}
	s := p.Stand("x", 0.25, 10)
	require.Equal(t, 3, s.N)
	require.Equal(t, Number(0.5), s.P)
	require.Equal(t, Number(0.3), s.Largest)
	require.Nil(t, p.Stand("y", 1, 1))
	p.Strata[0].Tests[Gains], p.Strata[1].Tests[Gains] = []Control{{0.1, 10}}, []Control{{0.2, 10}, {0.3, 10}}
	s = p.Stand(Gains, 0.25, 10) // it asks for more than one initialisation
	require.Equal(t, 2, s.N)
	require.Equal(t, Number(0.3), s.Largest)
	require.Equal(t, "shared-init", s.Nearest)
}

// A layer that holds a matrix of A unchanged is of A, though no test on its
// units says so, unless the matrix is one that all networks have.
func TestLayersKept(t *testing.T) {
	stats := func(value func(i int) float32) delta.Stats {
		x := make([]float32, 512)
		for i := range x {
			x[i] = value(i)
		}
		var s delta.Stats
		s.AddPlain(x, x)
		return s
	}
	for name, c := range map[string]struct {
		value func(i int) float32
		kept  bool
	}{
		"learned":  {func(i int) float32 { return float32(i%37) - 18.3 }, true},
		"zero":     {func(int) float32 { return 0 }, false},
		"constant": {func(int) float32 { return 0.02 }, false},
		"identity": {func(i int) float32 { return float32((1 + i%17) / 17) }, false},
	} {
		f := Facts{Storage: Storage{Changes: []delta.Change{{Role: "layers.3.attn.q", Component: "attention", LayerB: 3, Stats: stats(c.value)}}}}
		require.Equal(t, c.kept, f.LayersKept()[3], name)
	}
}

// Every kind is stated by some rule, by the storage alone, or by trees, and
// every rule says what it needs.
func TestKindsHaveRules(t *testing.T) {
	stated := map[Kind]bool{Repackaged: true, CastKind: true, Merged: true}
	for _, r := range kindRules {
		require.NotEmpty(t, r.needs)
		for _, k := range r.states {
			require.True(t, k.Known(), k)
			stated[k] = true
		}
	}
	for _, k := range allKinds {
		require.True(t, stated[k], k)
	}
}

// Where the budget is what keeps a disguise from being seen through, more is to be read;
// elsewhere reading more would not help.
func TestShortBudgetAsksForMore(t *testing.T) {
	f := Facts{Power: exact.Power{Axes: 1, Reached: true}, Evidence: []similarity.Evidence{{Test: Agreement, Component: "mlp", Skipped: "no layer"}}}
	said := func() string {
		because, next := DefaultPolicy().openReasons(&f, Channels{}, 0)
		return because[0] + "; " + next[0]
	}
	require.Contains(t, said(), unseenThrough)
	f.Short = true
	require.Contains(t, said(), readAll)
	require.Contains(t, said(), "the budget does not hold two whole layers")
}

// Where matrices stand against one another, but none shows its units, that is what is said.
func TestWordsForUnitsThatNothingShows(t *testing.T) {
	said := func(f Facts) string {
		because, next := DefaultPolicy().openReasons(&f, Channels{}, 0)
		return because[0] + "; " + next[0]
	}
	require.Contains(t, said(Facts{}), "no part has a common role and shape")
	require.Contains(t, said(Facts{Storage: Storage{Changes: []delta.Change{{Vector: true}}}}), "no part has a common role and shape")
	require.Contains(t, said(Facts{}), readAll, "a budget that holds nothing says nothing of the parts")
	require.Contains(t, said(Facts{Storage: Storage{Complete: true}}), findParts)
	require.Contains(t, said(Facts{Storage: Storage{Changes: []delta.Change{{}}}}), "nothing shows which of their rows are hidden units")
	require.Contains(t, said(Facts{Storage: Storage{Changes: []delta.Change{{}}, Complete: true}}), tooFewUnits)
}
