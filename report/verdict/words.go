package verdict

import (
	"fmt"
	"math"

	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/exact"
	"github.com/weightprint/weightprint/similarity/stats"
)

// phrase says in words what a test counted.
func phrase(e *similarity.Evidence) string {
	switch e.Test {
	case FixedPoints:
		return fmt.Sprintf("%.0f of %d units are most like the unit at the same place", e.Statistic, e.N)
	case Order:
		return fmt.Sprintf("%.0f of %d units match in the same order", e.Statistic, e.N)
	case Signs:
		return fmt.Sprintf("%.0f of %d matched units agree in sign", e.Statistic, e.N)
	case TokenSigns:
		return fmt.Sprintf("%.0f of %d little-used tokens lie to the tokens before them as on the other side", e.Statistic, e.N)
	case LabelE:
		return fmt.Sprintf("units are so alike to their namesakes, and to no others in their block, that chance brings it about once in 1e%.0f times", e.Statistic)
	case Swaps:
		return fmt.Sprintf("%d units are closer to their namesakes than to their neighbours'", e.N)
	}
	return fmt.Sprintf("%s %.3g", e.Test, e.Statistic)
}

// PValue writes a p-value; it is never zero.
func PValue(p stats.LogP) string {
	if p > stats.LogP(math.Log(0.001)) {
		return fmt.Sprintf("%.2g", math.Exp(float64(p)))
	}
	return fmt.Sprintf("1e%.0f", math.Ceil(p.Log10()))
}

// beside puts a calibrated result next to its controls.
func beside(e *similarity.Evidence) string {
	s := Controls().Stand(e.Test, e.Effect, e.N)
	if s == nil {
		return fmt.Sprintf("%s of %s %.3g", e.Test, e.Axis, e.Effect)
	}
	return fmt.Sprintf("%s of %s %.3g, where the largest of %d control pairs shows %.3g (conformal p %.2g)", e.Test, e.Axis, e.Effect, s.N, float64(s.Largest), float64(s.P))
}

// Propositions are the two statements that the evidence is weighed between.
type Propositions struct {
	H1 string `json:"h1"`
	H0 string `json:"h0"`
}

// StatedPropositions are the propositions of every comparison, the same before anything is
// read.
func StatedPropositions() Propositions {
	return Propositions{
		H1: "A and B have a common origin: the weights of one were made from those of the other, or those of both from a third network or initialisation.",
		H0: "A and B come from independent random initialisations and were trained apart, whatever the data, the order and the recipe of either; neither was made to imitate the other's inner states, and neither file was arranged with the other in sight.",
	}
}

// Power is what the exact tests, with what was read, could have found.
type Power struct {
	Cosine      Number `json:"cosine"`      // mean likeness of a hypothetical child's units with their originals
	Probability Number `json:"probability"` // with which it would have been found, at least
	Level       Number `json:"level"`       // at this level
	Units       int    `json:"units"`       // that were compared
	Axes        int    `json:"axes"`
	Expected    Number `json:"expected"` // corresponding units that such a child shows
	Reached     bool   `json:"reached"`  // whether that is enough
}

// Power states what the tests could have found.
func (p Policy) Power(x exact.Power) *Power {
	return &Power{Cosine: Number(p.Cosine), Probability: statedPower, Level: Number(p.Alpha), Units: x.Units, Axes: x.Axes, Expected: Number(x.Expected), Reached: x.Reached}
}

// Words says what the power means.
func (p *Power) Words() string {
	if p == nil {
		return ""
	}
	if !p.Reached {
		return fmt.Sprintf("%d units of %d axes were compared: too few to find a child with mean cosine %g to its parent with probability %g", p.Units, p.Axes, float64(p.Cosine), float64(p.Probability))
	}
	return fmt.Sprintf("a child whose units have mean cosine %g with their originals would have been found with probability %g or more: it shows about %.0f corresponding units of %d, on %d axes", float64(p.Cosine), float64(p.Probability), float64(p.Expected), p.Units, p.Axes)
}

// initialisationOpen ends the statement of a relation that may be of initialisations.
const initialisationOpen = " That the two share a random initialisation only is not excluded."

// statement puts the weight of the evidence into a sentence, as the ENFSI
// guideline asks: it speaks of the findings given the propositions, never of
// the propositions given the findings.
func (p Policy) statement(v Verdict, lr float64) string {
	switch v.Relation {
	case Inconclusive:
		return "The findings do not decide between H1 and H0."
	case NoEvidence:
		return fmt.Sprintf("The findings are at least %.0f times as probable under H0 as for a descendant with mean cosine %g or more to its origin: %s for H0. A weaker likeness is not excluded.", 1/lr, v.least, strength(1/lr))
	}
	s := fmt.Sprintf("The findings are at least %.0f times as probable under H1 as under H0: %s for H1.", math.Floor(lr), strength(lr))
	if lr >= float64(Controls().Disjoint()) {
		s += " No larger ratio is stated than the number of control pairs that share no network."
	}
	switch {
	case v.Relation == SharedInit && v.open:
		s += " What the two share is a random initialisation at the least; whether it is more was not settled."
	case v.Relation == SharedInit:
		s += " What the two share is a random initialisation; what training learned was found no more alike than that leaves it."
	case v.open:
		s += initialisationOpen
	}
	return s
}

// Log writes a decimal logarithm, or a dash where there is none.
func Log(p *Number) string {
	if p == nil {
		return "–"
	}
	return fmt.Sprintf("%.1f", float64(*p))
}
