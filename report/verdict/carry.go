package verdict

import (
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/similarity/carry"
)

// Carry is how much of each subject's own output rests on what agrees: what
// decides about passengers.
type Carry struct {
	Measured bool       `json:"measured"`
	A        *Number    `json:"a"` // change of A's output without what agrees over that without the parts, null when not measured
	B        *Number    `json:"b"`
	Why      string     `json:"why"`              // what stood in the way, and what would measure it; empty when measured
	Shares   *[2]Number `json:"shares,omitempty"` // of the MLP units of either side that agree
	Heads    *[2]Number `json:"headShares,omitempty"`
	Weights  *[2]Number `json:"weights,omitempty"`
	Least    *[2]Number `json:"leastWeights,omitempty"` // the same on the tenth of the tokens that rest on it least
	Layers   int        `json:"layers,omitempty"`       // pairs of layers that were looked at
	In       string     `json:"coordinates,omitempty"`
}

// NewCarry states a result; nil and why for none.
func NewCarry(r *carry.Result, why string) *Carry {
	switch {
	case r == nil:
		return &Carry{Why: why}
	case !r.Measured:
		return &Carry{Why: r.Why}
	}
	a, b := &r.Sides[0], &r.Sides[1]
	return &Carry{
		Measured: true, A: NumberOf(r.A), B: NumberOf(r.B), Layers: r.Layers, In: r.Coordinates,
		Shares:  &[2]Number{Number(a.Share()), Number(b.Share())},
		Heads:   &[2]Number{Number(a.HeadShare()), Number(b.HeadShare())},
		Weights: &[2]Number{Number(a.Weight()), Number(b.Weight())},
		Least:   &[2]Number{Number(a.LeastWeight()), Number(b.LeastWeight())},
	}
}

// Words puts the carry into a sentence.
func (c *Carry) Words() string {
	switch {
	case c == nil:
		return ""
	case !c.Measured:
		return "not measured: " + c.Why
	}
	share := func(side int) string {
		return fmt.Sprintf("%.0f %% of %s's units and %.0f %% of its heads", 100*float64(c.Shares[side]), Side(side), 100*float64(c.Heads[side]))
	}
	words := fmt.Sprintf("what agrees is %s, and %s; without it the output of A changes by %.3g, and that of B by %.3g, of what it changes by without all units and heads, %.2g and %.2g times what as many of them at random account for",
		share(0), share(1), float64(*c.A), float64(*c.B), float64(c.Weights[0]), float64(c.Weights[1]))
	if i := c.partly(); i >= 0 {
		words += fmt.Sprintf("; but only %.2g times on the tenth of %s's tokens that rest least on it, as where tokens of its own set a passenger to work", float64(c.Least[i]), Side(i))
	}
	return words
}

// Asks tells whether what the carry decides about is among the alternatives.
func (v *Verdict) Asks() bool { return v.Relation == Related || v.Relation == SharedInit }

// How many times as much as parts at random the agreeing ones must count for on both
// sides to exclude a passenger, and at most for the one side that carries one: three
// times, and twice, the most of the networks that carry one.
func fullCarry() float64 { return findTimes * mostCarried() }
func idleCarry() float64 { return openTimes * mostCarried() }

func mostCarried() float64 { return max(plantedCarry, Controls().Most(passengers, CarryWeight)) }

// idle is the side that rests on nothing of what agrees while the other one does, or
// -1.
func (c *Carry) idle() int {
	if c == nil || !c.Measured {
		return -1
	}
	for i, w := range c.Weights {
		if float64(w) <= idleCarry() && float64(c.Weights[1-i]) > idleCarry() {
			return i
		}
	}
	return -1
}

// excludes tells whether both sides rest on what agrees, whatever the token, and that is
// more than an arrangement of one of them makes agree.
func (c *Carry) excludes() bool {
	return c != nil && c.Measured && float64(min(c.Weights[0], c.Weights[1])) >= fullCarry() && c.Least != nil && c.partly() < 0 && min(c.Shares[0], c.Shares[1]) >= carryShare
}

// partly is the side that some of its tokens set to work on what agrees and others do
// not, as tokens that were planted with a passenger do, or -1.
func (c *Carry) partly() int {
	if c.Least == nil {
		return -1 // a report from before it was asked
	}
	for i, w := range c.Weights {
		if float64(w) >= fullCarry() && float64(c.Least[i]) < fullCarry() {
			return i
		}
	}
	return -1
}

// carried lets the carry decide about passengers: they are dropped from the
// alternatives, stand first among them, or are named beside the figures. Where one
// side alone rests on what agrees, the reading is that the other was given it.
func (v *Verdict) carried(c *Carry) {
	idle := c.idle()
	at := slices.Index(v.Alternatives, passenger)
	if c == nil || !c.Measured || at < 0 && (idle < 0 || v.Relation != Inconclusive) {
		return
	}
	v.Because = append(v.Because, "carry: "+c.Words())
	if at >= 0 {
		v.Alternatives = slices.Delete(v.Alternatives, at, at+1)
	}
	switch {
	case c.excludes():
	case idle < 0:
		v.Alternatives = append(v.Alternatives, passengerOpen)
	default:
		v.Alternatives = slices.Insert(v.Alternatives, 0, fmt.Sprintf(passengerLikely, Side(idle), Side(1-idle)))
		v.Reading = &Reading{
			Story:     fmt.Sprintf("values of %s were put into %s, where they do nothing", Side(1-idle), Side(idle)),
			Direction: [2]Direction{BToA, AToB}[idle],
			Because:   []string{"carry: " + c.Words()},
			Reverse:   fmt.Sprintf("the idle values of %s were taken out of it and a network was trained around them", Side(idle)),
			Cost:      "a training, from values that a training does not leave",
		}
	}
}
