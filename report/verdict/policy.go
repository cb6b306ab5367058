package verdict

import (
	"fmt"
	"github.com/weightprint/weightprint/similarity"
	"math"
	"slices"

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
//
// Labels say how sure, content says that: order, place and sign of units measure
// an arrangement as well as an origin, so a relation needs what no arrangement of
// an independent network brings about.
func (p Policy) Decide(f Facts) Verdict {
	p = p.WithDefaults()
	f.Evidence = Sound(f.Evidence)
	v := Verdict{Kinds: []Kind{}, Direction: Undetermined, Because: []string{}, Alternatives: []string{}, Excludes: []string{}, Next: []string{}, Tier: "none"}
	logp, by := f.Best(Any)
	if by != nil {
		v.Log10P = NumberOf(logp.Log10())
	}
	found := f.Channels(Controls())
	labels := by != nil && logp <= p.Level()
	content := f.content(found)
	switch {
	case f.Tautology != "":
		v.Relation, v.Log10P = Inconclusive, nil
		v.Because = append(v.Because, f.Tautology)
		v.Next = append(v.Next, askBase, nameBase)
	case f.Named != "":
		v.Relation, v.Tier = Identical, "exact"
		v.Because, v.Alternatives = append(v.Because, f.Named), append(v.Alternatives, bothCopied)
	case f.same():
		p.sameValues(&v, &f)
	case labels && len(content) > 0:
		v.Relation, v.Tier = Related, "exact"
		v.Because = append(v.Because, fmt.Sprintf("%s: %s; p ≤ 1e%.0f under H0", by.Axis, phrase(by), math.Ceil(logp.Log10())))
		v.Because = append(v.Because, content...)
		p.origin(&v, &f)
	case f.equalMatrices() != "", f.multiples() != "", f.movedContent() != "": // values, which need no p-value and no controls
		v.Relation, v.Tier, v.Log10P = Related, "exact", nil
		v.Because = append(v.Because, content...)
		p.origin(&v, &f)
	case found.Found():
		v.Relation, v.Tier = Related, "calibrated"
		v.Because = append(v.Because, content...)
		p.origin(&v, &f)
	case labels && f.Dates.committed() && stats.Bonferroni(logp, f.Dates.looks()) <= p.Level():
		logp = stats.Bonferroni(logp, f.Dates.looks())
		v.Log10P = NumberOf(logp.Log10())
		p.committedLabels(&v, &f, fmt.Sprintf("%s: %s; p ≤ 1e%.0f under H0", by.Axis, phrase(by), math.Ceil(logp.Log10())))
	case labels:
		p.labelsOnly(&v, &f, by, logp)
	case p.absent(&f, found, logp):
		p.noEvidence(&v, &f, found, logp)
	default:
		v.Relation = Inconclusive
		because, next := p.openReasons(&f, found, logp)
		v.Because, v.Next = append(v.Because, because...), append(v.Next, next...)
	}
	if labels && by.Component == generic && slices.Contains([]Relation{Related, SharedInit, Inconclusive}, v.Relation) && f.equalContent() == "" && f.movedContent() == "" {
		v.Alternatives = append(v.Alternatives, oneTask)
		if v.Relation == SharedInit {
			v.Alternatives = append(v.Alternatives, byTable)
		}
	}
	v.carried(f.Carry)
	p.weigh(&v, logp, found)
	v.date(f.Dates)
	return v
}

// labelsOnly is the verdict where labels correspond and content does not.
func (p Policy) labelsOnly(v *Verdict, f *Facts, by *similarity.Evidence, logp stats.LogP) {
	v.Relation, v.Tier = Inconclusive, "exact"
	v.Because = append(v.Because,
		fmt.Sprintf("%s: %s; p ≤ 1e%.0f under H0", by.Axis, phrase(by), math.Ceil(logp.Log10())),
		"the labels correspond, the content does not: one seed, or one file arranged after the other; nothing that was measured is more alike than arranging strangers makes it")
	v.Alternatives = append(v.Alternatives, SameInit, arranged, trainedAlike)
	v.Next = append(v.Next, f.more())
	if !f.TokensByString && f.Width > 0 { // a network without a residual stream has no tokens
		v.Next = append(v.Next, addTokenizers)
	}
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
		v.Alternatives = append(v.Alternatives, sharedInitAlternatives...)
		if c.open {
			v.Alternatives = append(v.Alternatives, trainedAlike)
		}
		return
	}
	for _, x := range p.made(f) {
		v.Kinds = append(v.Kinds, x.kind)
		v.Because = append(v.Because, fmt.Sprintf("%s: %s", x.kind, x.words))
		v.suggest(x.direction, f.reverseOf(x.kind), fmt.Sprintf("%s: %s", x.kind, x.words))
	}
	v.Alternatives = append(v.Alternatives, relatedAlternatives...)
}

// weigh turns the evidence into LR/(1+LR) at even odds, and into words. No
// likelihood ratio is stated above what the control population could support:
// its number of pairs that share no network.
func (p Policy) weigh(v *Verdict, logp stats.LogP, found Channels) {
	limit := math.Max(1, float64(Controls().Disjoint()))
	lr := 1.0
	switch v.Relation {
	case Identical, Reencoded:
		lr = limit
	case Related, SharedInit:
		if v.ByValues() {
			lr = limit
			break
		}
		lr = math.Min(limit, math.Exp(math.Min(50, -float64(logp))))
		for _, e := range found.alone {
			if s := Controls().Stand(e.Test, e.Effect, e.N); s != nil {
				lr = math.Max(lr, math.Min(limit, 1/float64(s.P)))
			}
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
