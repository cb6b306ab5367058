package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/architecture"
	"github.com/weightprint/weightprint/similarity/delta"
	"github.com/weightprint/weightprint/similarity/invariants"
)

// Policy holds the thresholds of a verdict; zero fields are the defaults.
type Policy struct {
	// Alpha is the level of the exact tier, after correction for every look,
	// test and component: 1e-9 unless set. A relation is stated only below it.
	Alpha float64 `json:"alpha"`
	// Cosine is the likeness of a hypothetical child that "no evidence" must
	// have been able to find with probability 0.99: 0.3 unless set.
	Cosine float64 `json:"cosine"`
}

// DefaultPolicy returns the thresholds that are used unless told otherwise.
func DefaultPolicy() Policy { return Policy{}.filled() }

func (p Policy) filled() Policy {
	if p.Alpha == 0 {
		p.Alpha = 1e-9
	}
	if p.Cosine == 0 {
		p.Cosine = 0.3
	}
	return p
}

// level is Alpha as a natural logarithm.
func (p Policy) level() similarity.LogP { return similarity.LogP(math.Log(p.Alpha)) }

// Facts is all that a decision rests on.
type Facts struct {
	Evidence []similarity.Evidence
	Power    similarity.Power
	Storage  Storage
	Spectra  []delta.RoleSpectrum
	Shape    architecture.Shape
	Adapter  [2]string // what adapter a subject has applied, in words
	Repeats  bool      // two layers of A have the same source in B
	Spent    int       // exact tests whose results were given up because the layers were paired anew
}

// smallest is the least logarithm of a probability that is stated. It is a
// bound: no probability is zero, whatever a test computes.
const smallest = similarity.LogP(-1e9)

// sound returns evidence whose probabilities can be stated. One that is no
// number counts as a test that found nothing, so that it never helps a verdict.
func sound(all []similarity.Evidence) []similarity.Evidence {
	all = slices.Clone(all)
	for i := range all {
		e := &all[i]
		if e.P == nil {
			continue
		}
		p := min(max(*e.P, smallest), 0)
		if math.IsNaN(float64(p)) {
			p = 0
			e.Warnings = append(slices.Clone(e.Warnings), "the test gave no number; counted as p = 1")
		}
		e.P = &p
	}
	return all
}

// exactLooks counts the exact tests that gave a pooled p-value: the number of
// chances a false alarm had.
func (f *Facts) exactLooks() int {
	n := f.Spent
	for _, e := range f.Evidence {
		if e.P != nil && e.LayerB < 0 {
			n++
		}
	}
	return n
}

// best returns the smallest p-value over all pooled exact tests that fit,
// corrected for the number of tests in all.
func (f *Facts) best(fits func(similarity.Evidence) bool) (p similarity.LogP, e *similarity.Evidence) {
	for i := range f.Evidence {
		x := &f.Evidence[i]
		if x.P != nil && x.LayerB < 0 && fits(*x) && (e == nil || *x.P < p) {
			p, e = *x.P, x
		}
	}
	if e == nil {
		return 0, nil
	}
	return similarity.Bonferroni(p, f.exactLooks()), e
}

func anyEvidence(similarity.Evidence) bool { return true }

// placed fits the exact tests on labels of units, which a change of basis or
// order hides from.
func placed(e similarity.Evidence) bool { return e.Test != invariants.TokenSigns }

// unplaced tells whether no exact test on labels found anything.
func (f *Facts) unplaced(level similarity.LogP) bool {
	p, _ := f.best(placed)
	return p > level
}

// Decide draws the conclusion. It is a pure function of the facts.
func (p Policy) Decide(f Facts) Verdict {
	p = p.filled()
	f.Evidence = sound(f.Evidence)
	v := Verdict{Kinds: []Kind{}, Direction: Undetermined, Because: []string{}, Alternatives: []string{}, Tier: "none"}
	logp, by := f.best(anyEvidence)
	if by != nil {
		v.Log10P = number(logp.Log10())
	}
	found := f.channels(Controls)
	switch {
	case f.Storage.same():
		p.sameValues(&v, f)
	case by != nil && logp <= p.level():
		v.Relation, v.Tier = Related, "exact"
		v.Because = append(v.Because, fmt.Sprintf("%s: %s; p ≤ 1e%.0f if the two were initialised independently", by.Axis, phrase(by), math.Ceil(logp.Log10())))
		if f.unplaced(p.level()) {
			for _, e := range found.all() {
				v.Because = append(v.Because, beside(e))
			}
		}
		p.origin(&v, &f)
	case found.found():
		v.Relation, v.Tier = Related, "calibrated"
		for _, e := range found.all() {
			v.Because = append(v.Because, beside(e))
		}
		p.origin(&v, &f)
	case f.Power.Reached && found.ran && len(found.with) == 0 && logp > doubtful:
		v.Relation = NoEvidence
		v.Because = append(v.Because,
			fmt.Sprintf("no exact test rejects independent initialisation (smallest corrected p %s)", probability(logp)),
			fmt.Sprintf("a child with mean cosine %g to its parent would have shown %.0f corresponding units of %d", p.Cosine, f.Power.Expected, f.Power.Units))
		v.Alternatives = append(v.Alternatives, "distillation from outputs and training on the same data, which weights do not show")
	default:
		v.Relation = Inconclusive
		v.Because = append(v.Because, openReasons(f, found)...)
	}
	p.weigh(&v, logp, found)
	return v
}

// beside puts a calibrated result next to its controls.
func beside(e *similarity.Evidence) string {
	s := Controls.Stand(e.Test, e.Effect, e.N)
	return fmt.Sprintf("%s of %s %.3g, where the largest of %d independent pairs shows %.3g (conformal p %.2g)", e.Test, e.Axis, e.Effect, s.N, float64(s.Largest), float64(s.P))
}

// origin tells a shared random initialisation from derivation, and how the one
// was made from the other.
func (p Policy) origin(v *Verdict, f *Facts) {
	c := f.common(p.level())
	v.open = c.open
	if c.words != "" {
		v.Because = append(v.Because, c.words)
	}
	if c.initOnly {
		v.Relation = SharedInit
		v.Alternatives = append(v.Alternatives, "a copy taken early in training, before anything of note was learned")
		if c.open {
			v.Alternatives = append(v.Alternatives, "a common trained origin")
		}
		return
	}
	for _, x := range p.made(f) {
		v.Kinds = append(v.Kinds, x.kind)
		v.Because = append(v.Because, fmt.Sprintf("%s: %s", x.kind, x.words))
		v.point(x.direction)
	}
	v.Alternatives = append(v.Alternatives, "a common ancestor", "a public component that both took over")
	if c.words == "" || c.open {
		v.Alternatives = append(v.Alternatives, sameInit)
	}
}

// sameInit is the alternative that a common initialisation explains everything.
const sameInit = "the same random initialisation"

// point adds one-way evidence to the verdict. Evidence for both ways leaves
// the direction undetermined.
func (v *Verdict) point(d Direction) {
	switch {
	case d == Undetermined || d == "":
	case v.Direction == Undetermined && !v.crossed:
		v.Direction = d
	case v.Direction != d:
		v.Direction, v.crossed = Undetermined, true
	}
}

// doubtful is the natural logarithm of 1e-3: a corrected p-value below it is
// too small for "no evidence" even where it is too large for a relation.
const doubtful = similarity.LogP(-6.907755278982137)

// openReasons says what would settle an open verdict.
func openReasons(f Facts, found calibrated) []string {
	if len(found.with) > 0 {
		words := "such a result makes no finding: these invariants follow architecture and recipe as well as origin"
		if found.with[0].Test == "agreement" {
			words = "that is more than strangers show and too little for a finding: --depth full, or a larger --budget, reads more units"
		}
		return []string{beside(found.with[0]), words}
	}
	if f.Power.Axes == 0 {
		return []string{"no units of the two could be compared: no part has a common role and shape"}
	}
	if !f.Power.Reached && f.Storage.Complete {
		return []string{"everything was read, and it shows too few units, or units too much alike, to find a distant relative"}
	}
	if !f.Power.Reached {
		return []string{"too few units were compared to find a distant relative: a larger --budget would settle it"}
	}
	if found.ran {
		return []string{"an exact test comes to a corrected p below 1e-3, which is neither a finding nor nothing: a larger --budget or --depth full would settle it"}
	}
	if f.blind() {
		return []string{"no exact test finds a common origin; but the roles of these matrices are unknown, or no units are seen through two of them, so that a copy with permuted or rotated units would not have been found"}
	}
	return []string{"the calibrated tests were not run: --depth normal or full would settle it"}
}

// blind tells whether the tests that see through a disguise were run and found
// nothing to work on.
func (f *Facts) blind() bool {
	return slices.ContainsFunc(f.Evidence, func(e similarity.Evidence) bool {
		return e.Test == "agreement" && e.Skipped != "" && e.Component != "all"
	})
}

// phrase says in words what a test counted.
func phrase(e *similarity.Evidence) string {
	switch e.Test {
	case "fixed-points":
		return fmt.Sprintf("%.0f of %d units are most like the unit at the same place", e.Statistic, e.N)
	case "order":
		return fmt.Sprintf("%.0f of %d units match in the same order", e.Statistic, e.N)
	case "signs":
		return fmt.Sprintf("%.0f of %d matched units agree in sign", e.Statistic, e.N)
	case invariants.TokenSigns:
		return fmt.Sprintf("%.0f of %d tokens that training left alone lie to one another as on the other side", e.Statistic, e.N)
	case "swaps":
		return fmt.Sprintf("%d units are closer to their namesakes than to their neighbours'", e.N)
	}
	return fmt.Sprintf("%s %.3g", e.Test, e.Statistic)
}

// probability writes a p-value; it is never zero.
func probability(p similarity.LogP) string {
	if p > similarity.LogP(math.Log(0.001)) {
		return fmt.Sprintf("%.2g", math.Exp(float64(p)))
	}
	return fmt.Sprintf("1e%.0f", math.Ceil(p.Log10()))
}

// weigh turns the evidence into LR/(1+LR) at even odds, and into words. No
// likelihood ratio is stated above what the control population could support:
// its number of independent pairs.
func (p Policy) weigh(v *Verdict, logp similarity.LogP, found calibrated) {
	limit := math.Max(1, float64(Controls.Pairs()))
	lr := 1.0
	switch v.Relation {
	case Identical, Reencoded:
		lr = limit
	case Related, SharedInit:
		lr = math.Min(limit, math.Exp(math.Min(50, -float64(logp))))
		for _, e := range found.alone {
			lr = math.Max(lr, math.Min(limit, 1/float64(Controls.Stand(e.Test, e.Effect, e.N).P)))
		}
	case NoEvidence:
		lr = 0.01 // the power stated with it is 0.99 or more
	}
	v.Score, v.Strength = Number(lr/(1+lr)), strength(lr)
	if v.Relation == NoEvidence {
		v.Strength = strength(1/lr) + " for no common origin"
	}
	v.Statement = p.statement(*v, lr)
}
