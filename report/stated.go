package report

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/exact"
	"github.com/weightprint/weightprint/similarity/suite"
)

// Propositions are the two statements that the evidence is weighed between.
type Propositions struct {
	H1 string `json:"h1"`
	H0 string `json:"h0"`
}

// propositions are the same for every comparison: they are stated before
// anything is read.
var propositions = Propositions{
	H1: "A and B have a common origin: the weights of one were made from those of the other, or those of both from a third network or initialisation.",
	H0: "A and B come from independent random initialisations and were trained apart, whatever the data, the order and the recipe of either.",
}

// Methods says by which methods a report was made.
type Methods struct {
	Version  int               `json:"version"` // of the tests' definitions
	Tests    []Method          `json:"tests"`
	Controls ControlPopulation `json:"controls"`
}

// Method is one test of the suite.
type Method struct {
	Name string `json:"name"`
	Tier string `json:"tier"`
	Doc  string `json:"doc"`
}

// ControlPopulation pins the population that calibrated effects are held
// against.
type ControlPopulation struct {
	Version  int                `json:"version"`
	Networks int                `json:"networks"`
	Pairs    int                `json:"pairs"` // independent ones
	Digest   fingerprint.Digest `json:"digest"`
}

// methods describes the suite, and further tests of the caller's.
func methods(further []*similarity.Test) Methods {
	m := Methods{Version: suite.Version, Tests: []Method{}, Controls: ControlPopulation{Controls.Version, Controls.Networks, Controls.Pairs(), controlsDigest()}}
	seen := map[string]bool{}
	for _, t := range append(suite.Default(), further...) {
		if !seen[t.Name] {
			seen[t.Name] = true
			m.Tests = append(m.Tests, Method{t.Name, string(t.Tier), t.Doc})
		}
	}
	return m
}

var controlsDigest = sync.OnceValue(func() fingerprint.Digest {
	d, err := fingerprint.Stored(context.Background(), bytes.NewReader(controlsJSON), int64(len(controlsJSON)))
	if err != nil {
		panic("controls.json: " + err.Error())
	}
	return d
})

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

// power states what the reading could have detected.
func (p Policy) power(x exact.Power) *Power {
	return &Power{Cosine: Number(p.Cosine), Probability: 0.99, Level: Number(p.Alpha), Units: x.Units, Axes: x.Axes, Expected: Number(x.Expected), Reached: x.Reached}
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

// statement puts the weight of the evidence into a sentence, as the ENFSI
// guideline asks: it speaks of the findings given the propositions, never of
// the propositions given the findings.
func (p Policy) statement(v Verdict, lr float64) string {
	switch v.Relation {
	case Inconclusive:
		return "The findings do not decide between H1 and H0."
	case NoEvidence:
		return fmt.Sprintf("The findings are at least %.0f times more probable under H0 than for a descendant with mean cosine %g or more to its origin: %s for H0. A weaker likeness is not excluded.", 1/lr, p.Cosine, strength(1/lr))
	}
	s := fmt.Sprintf("The findings are at least %.0f times more probable under H1 than under H0: %s for H1.", math.Floor(lr), strength(lr))
	if lr >= float64(Controls.Pairs()) {
		s += " No larger ratio is stated than the number of independent pairs that the methods were tried on."
	}
	switch {
	case v.Relation == SharedInit && v.open:
		s += " What the two share is a random initialisation at the least; whether it is more was not settled."
	case v.Relation == SharedInit:
		s += " What the two share is a random initialisation; nothing that training learned was found in common."
	case v.open:
		s += " That the two share a random initialisation only is not excluded."
	}
	return s
}
