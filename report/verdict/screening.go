package verdict

import (
	"fmt"
	"math"
)

// screened says what each test on fingerprints counts.
var screened = map[string]string{
	SketchFixedPoints:         "sketched units are nearest to the unit at the same place",
	SketchResidualFixedPoints: "sketched residual dimensions are nearest to the one at the same place",
	TokenSigns:                "little-used tokens lie to one another as on the other side",
	ProbeOrder:                "units that tokens find stand in one order, or at the same places",
	ProbeSigns:                "units that tokens find agree in sign",
}

// Screen draws the conclusion from tests on two fingerprints; equal tells
// whether these state the same digest over all values. Equal digests are
// identity. Apart from that the verdict is inconclusive: a fingerprint publishes
// labels, which an arrangement moves and a forged sketch copies. Where they
// correspond, Lead says that a comparison of weights is worth making.
func (p Policy) Screen(f Facts, equal bool) Verdict {
	p = p.WithDefaults()
	f.Evidence = Sound(f.Evidence)
	v := Verdict{Relation: Inconclusive, Kinds: []Kind{}, Direction: Undetermined, Tier: "none", Because: []string{}, Alternatives: []string{}, Excludes: []string{}, Next: []string{}}
	logp, by := f.Best(Any)
	if by != nil {
		v.Log10P = NumberOf(logp.Log10())
	}
	switch {
	case equal:
		v.Relation, v.Tier = Identical, "exact"
		v.Because = append(v.Because, "the two fingerprints state the same digest over all values")
	case by != nil && logp <= p.Level():
		v.Lead, v.Tier = true, "exact"
		v.Because = append(v.Because,
			fmt.Sprintf("%.0f of %d %s; p ≤ 1e%.0f under H0", by.Statistic, by.N, screened[by.Test], math.Ceil(logp.Log10())),
			"a lead: the sketches correspond as those of relatives do, which an arrangement of units or a forged sketch brings about too; only weights show content")
		v.Alternatives = append(v.Alternatives, commonAncestor, SameInit, arranged, "a forged sketch")
		v.Next = append(v.Next, useWeights)
	default:
		v.Because = append(v.Because, "the sketches show no common origin; a comparison of weights would settle it")
		v.Next = append(v.Next, useWeights)
	}
	p.weigh(&v, logp, Channels{})
	return v
}
