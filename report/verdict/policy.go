package verdict

import (
	"fmt"
	"math"

	"github.com/weightprint/weightprint/similarity/stats"
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
func DefaultPolicy() Policy { return Policy{}.WithDefaults() }

// WithDefaults returns the policy with defaults in place of zero fields.
func (p Policy) WithDefaults() Policy {
	if p.Alpha == 0 {
		p.Alpha = defaultAlpha
	}
	if p.Cosine == 0 {
		p.Cosine = defaultCosine
	}
	return p
}

// Level is Alpha as a natural logarithm.
func (p Policy) Level() stats.LogP { return stats.LogP(math.Log(p.Alpha)) }

// Decide draws the conclusion. It is a pure function of the facts.
func (p Policy) Decide(f Facts) Verdict {
	p = p.WithDefaults()
	f.Evidence = Sound(f.Evidence)
	v := Verdict{Kinds: []Kind{}, Direction: Undetermined, Because: []string{}, Alternatives: []string{}, Tier: "none"}
	logp, by := f.Best(Any)
	if by != nil {
		v.Log10P = NumberOf(logp.Log10())
	}
	found := f.Channels(Controls())
	switch {
	case f.Storage.Same():
		p.sameValues(&v, f)
	case by != nil && logp <= p.Level():
		v.Relation, v.Tier = Related, "exact"
		v.Because = append(v.Because, fmt.Sprintf("%s: %s; p ≤ 1e%.0f if the two were initialised independently", by.Axis, phrase(by), math.Ceil(logp.Log10())))
		if f.Unplaced(p.Level()) {
			for _, e := range found.All() {
				v.Because = append(v.Because, beside(e))
			}
		}
		p.origin(&v, &f)
	case found.Found():
		v.Relation, v.Tier = Related, "calibrated"
		for _, e := range found.All() {
			v.Because = append(v.Because, beside(e))
		}
		p.origin(&v, &f)
	case f.Power.Reached && found.ran && len(found.with) == 0 && logp > doubtful:
		v.Relation = NoEvidence
		v.Because = append(v.Because,
			fmt.Sprintf("no exact test rejects independent initialisation (smallest corrected p %s)", PValue(logp)),
			fmt.Sprintf("a child with mean cosine %g to its parent would have shown %.0f corresponding units of %d", p.Cosine, f.Power.Expected, f.Power.Units))
		v.Alternatives = append(v.Alternatives, "distillation from outputs and training on the same data, which weights do not show")
	default:
		v.Relation = Inconclusive
		v.Because = append(v.Because, openReasons(f, found)...)
	}
	p.weigh(&v, logp, found)
	return v
}

// origin tells a shared random initialisation from derivation, and how the one
// was made from the other.
func (p Policy) origin(v *Verdict, f *Facts) {
	c := f.common(p.Level())
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
		v.Alternatives = append(v.Alternatives, SameInit)
	}
}

// SameInit is the alternative that a common initialisation explains everything.
const SameInit = "the same random initialisation"

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

// weigh turns the evidence into LR/(1+LR) at even odds, and into words. No
// likelihood ratio is stated above what the control population could support:
// its number of independent pairs.
func (p Policy) weigh(v *Verdict, logp stats.LogP, found Channels) {
	limit := math.Max(1, float64(Controls().Pairs()))
	lr := 1.0
	switch v.Relation {
	case Identical, Reencoded:
		lr = limit
	case Related, SharedInit:
		lr = math.Min(limit, math.Exp(math.Min(50, -float64(logp))))
		for _, e := range found.alone {
			lr = math.Max(lr, math.Min(limit, 1/float64(Controls().Stand(e.Test, e.Effect, e.N).P)))
		}
	case NoEvidence:
		lr = absentRatio
	}
	v.Score, v.Strength = Number(lr/(1+lr)), strength(lr)
	if v.Relation == NoEvidence {
		v.Strength = strength(1/lr) + " for no common origin"
	}
	v.Statement = p.statement(*v, lr)
}
